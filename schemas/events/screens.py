"""Events of one screen."""

from datetime import time
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

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
    opens: Annotated[time | None, Field(exclude_if=lambda hour: hour is None)] = None
    """Local time from which it is on; all day where absent. With `closes`, always."""
    closes: Annotated[time | None, Field(exclude_if=lambda hour: hour is None)] = None


class ScreenMoved(Event, topic="screen.moved"):
    """The screen's place has another code: it stands in this area under an edition of the register."""

    area: str
    edition: str


class ScreenRemoved(Event, topic="screen.removed"):
    """The screen is gone and its key refused."""


class ScreenShowed(Event, topic="screen.showed"):
    """The screen reported that it showed these alert versions for the first time."""

    shown: tuple[Shown, ...]


class ScreenRepaired(Event, topic="screen.repaired"):
    """Another box was claimed for the screen: its place, its name and its history stay."""


class ScreenIdentifyAsked(Event, topic="screen.identify_asked"):
    """The screen is to make itself known, say by flashing, until then."""

    until: AwareDatetime


class ScreenKeyRotated(Event, topic="screen.key_rotated"):
    """The screen took a new key; the former lives until the new one is used, at the latest until then."""

    key_id: str
    former: str
    former_ends_at: AwareDatetime


class ScreenKeyRevoked(Event, topic="screen.key_revoked"):
    """Every key of the screen was ended; it needs pairing again."""


class ScreenWentOffline(Event, topic="screen.offline"):
    """Nothing was heard of the screen within its hours. In a stream of its own, beside what people do."""

    screen_id: UUID
    last_seen: AwareDatetime


class ScreenCameOnline(Event, topic="screen.online"):
    """It is heard again."""

    screen_id: UUID
    silent_since: AwareDatetime


ScreenEvent = (
    ScreenRegistered
    | ScreenMoved
    | ScreenRemoved
    | ScreenShowed
    | ScreenRepaired
    | ScreenIdentifyAsked
    | ScreenKeyRotated
    | ScreenKeyRevoked
)
ScreenContactEvent = ScreenWentOffline | ScreenCameOnline
