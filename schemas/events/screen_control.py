"""Events of what operators make of screens: where each is, groups, brightness, tests, and exclusions.

They are in streams of their own, beside a screen's: a screen that reports and a person who changes a
setting never meet there.
"""

from datetime import time
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.events.base import Event


class ScreenKind(StrEnum):
    """What kind of place a screen is at."""

    STREET = "street"
    OFFICE = "office"
    RESIDENTIAL = "residential"
    MALL = "mall"


class DisplaySetting(BaseModel):
    """How bright a screen is, and when it is quiet. What is absent is left to the group, or to the box."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    brightness: Annotated[int | None, Field(ge=1, le=100, exclude_if=lambda value: value is None)] = None
    """Percent of what the panel can."""
    quiet_from: Annotated[time | None, Field(exclude_if=lambda hour: hour is None)] = None
    """Local. From then until `quiet_until` only what has the screen for itself is shown."""
    quiet_until: Annotated[time | None, Field(exclude_if=lambda hour: hour is None)] = None
    hides_emergencies: Annotated[bool, Field(exclude_if=lambda hides: not hides)] = False
    """Emergencies too wait for the end of quiet hours: only where someone said so, in so many words."""


class ScreenDescribed(Event, topic="screen.described"):
    """What kind of place the screen is at, and the point where it stands; absent where not known."""

    screen_id: UUID
    kind: Annotated[ScreenKind | None, Field(exclude_if=lambda kind: kind is None)] = None
    latitude: Annotated[float | None, Field(ge=-90, le=90, exclude_if=lambda value: value is None)] = None
    longitude: Annotated[float | None, Field(ge=-180, le=180, exclude_if=lambda value: value is None)] = (
        None
    )


class ScreenDisplaySet(Event, topic="screen.display_set"):
    """The screen's own setting, whole; what it leaves open, its groups say."""

    screen_id: UUID
    setting: DisplaySetting


class ScreenPatternAsked(Event, topic="screen.pattern_asked"):
    """The screen is to show its test pattern until then; an instant that is past ends it."""

    screen_id: UUID
    until: AwareDatetime


class ScreenGroupMade(Event, topic="screen_group.made"):
    """A body made a group of screens."""

    group_id: UUID
    issuer_id: str
    name: str


class ScreenGroupChanged(Event, topic="screen_group.changed"):
    """Screens were put in a group, or taken out of it."""

    group_id: UUID
    added: tuple[UUID, ...] = ()
    removed: tuple[UUID, ...] = ()


class ScreenGroupDisplaySet(Event, topic="screen_group.display_set"):
    """The setting of every screen of the group that has none of its own."""

    group_id: UUID
    setting: DisplaySetting


class ScreenGroupRetired(Event, topic="screen_group.retired"):
    """The group is no more; it says nothing of its screens any longer."""

    group_id: UUID


class AlertScreensExcluded(Event, topic="alert_screens.excluded"):
    """These screens, and those of these groups, do not show the alert."""

    alert_id: UUID
    screens: tuple[UUID, ...] = ()
    groups: tuple[UUID, ...] = ()
    reason: str


class AlertScreensReadmitted(Event, topic="alert_screens.readmitted"):
    """They show it again."""

    alert_id: UUID
    screens: tuple[UUID, ...] = ()
    groups: tuple[UUID, ...] = ()


ScreenGroupEvent = ScreenGroupMade | ScreenGroupChanged | ScreenGroupDisplaySet | ScreenGroupRetired
AlertScreensEvent = AlertScreensExcluded | AlertScreensReadmitted
ScreenControlEvent = (
    ScreenDescribed | ScreenDisplaySet | ScreenPatternAsked | ScreenGroupEvent | AlertScreensEvent
)
