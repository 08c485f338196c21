"""Events of one screen."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from schemas.events.base import Event


class Shown(BaseModel):
    """A version of an alert on a screen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    alert_id: UUID
    version: Annotated[int, Field(ge=1, le=1_000_000)]


class ScreenRegistered(Event, topic="screen.registered"):
    """A screen was put at a place; `profile` names its display, for example m96x32-1."""

    screen_id: UUID
    name: str
    area: str
    profile: str
    edition: Annotated[str | None, Field(exclude_if=lambda edition: edition is None)] = None
    """The edition of the area register that `area` belongs to; the first one where absent."""
    drills: Annotated[bool, Field(exclude_if=lambda drills: not drills)] = False
    """Whether it shows exercises and tests."""


class ScreenMoved(Event, topic="screen.moved"):
    """The screen's place has another code: it stands in this area under an edition of the register."""

    area: str
    edition: str


class ScreenRemoved(Event, topic="screen.removed"):
    """The screen is gone and its key refused."""


class ScreenShowed(Event, topic="screen.showed"):
    """The screen reported that it showed these alert versions for the first time."""

    shown: tuple[Shown, ...]


ScreenEvent = ScreenRegistered | ScreenMoved | ScreenRemoved | ScreenShowed
