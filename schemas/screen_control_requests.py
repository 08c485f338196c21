"""Request bodies of what operators make of screens."""

from datetime import time
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from schemas.events import DisplaySetting, ScreenKind
from schemas.requests import Body, BodyId, Reason, ScreenName

MOST_NAMED = 1000
"""Screens that one request names."""
Screens = Annotated[tuple[UUID, ...], Field(max_length=MOST_NAMED)]
Groups = Annotated[tuple[UUID, ...], Field(max_length=100)]


class ScreenPlace(Body):
    """Where a screen is; what is left out is not known."""

    kind: ScreenKind | None = None
    latitude: Annotated[float | None, Field(ge=-90, le=90)] = None
    longitude: Annotated[float | None, Field(ge=-180, le=180)] = None

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude, or neither")
        return self


class ScreenDisplay(Body):
    """Brightness and quiet hours, whole; what is left out is left to the groups, or to the box."""

    brightness: Annotated[int | None, Field(ge=1, le=100)] = None
    """Percent."""
    quiet_from: time | None = None
    """Local. Until `quiet_until` only what has the screen for itself is shown, emergencies first of all."""
    quiet_until: time | None = None
    hides_emergencies: bool = False
    """Emergencies wait too. Say so only where another screen beside it shows them."""

    @model_validator(mode="after")
    def _hours(self) -> Self:
        hours = (self.quiet_from, self.quiet_until)
        if any(hour is not None and (hour.tzinfo or hour.microsecond or hour.second) for hour in hours):
            raise ValueError("quiet_from and quiet_until are local times to the minute, without an offset")
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValueError("quiet_from and quiet_until, or neither")
        if self.quiet_from is not None and self.quiet_from == self.quiet_until:
            raise ValueError("quiet_from and quiet_until differ")
        if self.hides_emergencies and self.quiet_from is None:
            raise ValueError("hides_emergencies: only with quiet hours")
        return self

    @property
    def setting(self) -> DisplaySetting:
        """As events have it."""
        return DisplaySetting(
            brightness=self.brightness,
            quiet_from=self.quiet_from,
            quiet_until=self.quiet_until,
            hides_emergencies=self.hides_emergencies,
        )


class TestPattern(Body):
    """For how long."""

    __test__ = False

    seconds: Annotated[int, Field(ge=0, le=600)] = 60
    """0 ends it."""


class NewScreenGroup(Body):
    """A group of a body's; of the key's own without `issuer`."""

    name: ScreenName
    issuer: BodyId | None = None


class ScreenGroupChange(Body):
    """Screens that come in, and screens that leave."""

    add: Screens = ()
    remove: Screens = ()


class ScreensNamed(Body):
    """Screens and groups of them."""

    screens: Screens = ()
    groups: Groups = ()

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.screens and not self.groups:
            raise ValueError("screens or groups")
        return self


class ScreensExcluded(ScreensNamed):
    """Screens and groups that are not to show an alert, and why."""

    reason: Reason
