"""What is set of one screen, and which screens an alert leaves out. Pure: both decide and fold."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from broadcaster.rules import RefusedError, Rule
from schemas.events import (
    Actor,
    AlertScreensEvent,
    AlertScreensExcluded,
    AlertScreensReadmitted,
    DisplaySetting,
    ScreenDescribed,
    ScreenDisplaySet,
    ScreenKind,
    ScreenPatternAsked,
)
from schemas.ids import stream_id

LONGEST_PATTERN = timedelta(minutes=10)
"""A test pattern is for someone who stands before the screen."""

OneScreenEvent = ScreenDescribed | ScreenDisplaySet | ScreenPatternAsked


def control_stream(screen_id: UUID) -> UUID:
    """The stream of what is set of a screen."""
    return stream_id("screen-control", screen_id)


def exclusions_stream(alert_id: UUID) -> UUID:
    """The stream of the screens that an alert leaves out."""
    return stream_id("alert-screens", alert_id)


@dataclass(frozen=True)
class Spot:
    """A point, WGS 84."""

    latitude: float
    longitude: float


@dataclass(frozen=True)
class ScreenControl:
    """What is set of a screen after `version` events."""

    screen_id: UUID
    version: int = 0
    kind: ScreenKind | None = None
    spot: Spot | None = None
    setting: DisplaySetting = field(default_factory=DisplaySetting)
    pattern_until: datetime | None = None

    def after(self, event: OneScreenEvent) -> "ScreenControl":
        """After the event."""
        known = replace(self, version=event.originator_version)
        match event:
            case ScreenDescribed(kind=kind, latitude=latitude, longitude=longitude):
                spot = None if latitude is None or longitude is None else Spot(latitude, longitude)
                return replace(known, kind=kind, spot=spot)
            case ScreenDisplaySet(setting=setting):
                return replace(known, setting=setting)
            case ScreenPatternAsked(until=until):
                return replace(known, pattern_until=until)

    def describe(self, by: Actor, kind: ScreenKind | None, spot: Spot | None) -> ScreenDescribed | None:
        """Says where it is; None where that is known already."""
        if (kind, spot) == (self.kind, self.spot):
            return None
        return ScreenDescribed(
            **self._next(by),
            kind=kind,
            latitude=spot and spot.latitude,
            longitude=spot and spot.longitude,
        )

    def set_display(self, by: Actor, setting: DisplaySetting) -> ScreenDisplaySet | None:
        """Sets brightness and quiet hours, whole; None where they are so already."""
        return ScreenDisplaySet(**self._next(by), setting=setting) if setting != self.setting else None

    def ask_pattern(self, by: Actor, length: timedelta, at: datetime) -> ScreenPatternAsked:
        """Asks for the test pattern; a length of nothing ends it. Refused beyond ten minutes."""
        if not timedelta() <= length <= LONGEST_PATTERN:
            minutes = LONGEST_PATTERN // timedelta(minutes=1)
            raise RefusedError(Rule.LIMIT, f"seconds: a test pattern stays {minutes} minutes at most")
        return ScreenPatternAsked(**self._next(by), until=at + length)

    def _next(self, by: Actor) -> dict[str, Any]:
        return {
            "originator_id": control_stream(self.screen_id),
            "originator_version": self.version + 1,
            "by": by,
            "screen_id": self.screen_id,
        }


@dataclass(frozen=True)
class Exclusions:
    """The screens and groups that an alert leaves out, after `version` events."""

    alert_id: UUID
    version: int = 0
    screens: frozenset[UUID] = field(default=frozenset())
    groups: frozenset[UUID] = field(default=frozenset())

    def after(self, event: AlertScreensEvent) -> "Exclusions":
        """After the event."""
        screens, groups = set(event.screens), set(event.groups)
        known = replace(self, version=event.originator_version)
        match event:
            case AlertScreensExcluded():
                return replace(known, screens=self.screens | screens, groups=self.groups | groups)
            case AlertScreensReadmitted():
                return replace(known, screens=self.screens - screens, groups=self.groups - groups)

    def exclude(
        self, by: Actor, screens: Iterable[UUID], groups: Iterable[UUID], reason: str
    ) -> AlertScreensExcluded | None:
        """Leaves more out; None where all are left out already."""
        new = set(screens) - self.screens, set(groups) - self.groups
        if not any(new):
            return None
        return AlertScreensExcluded(
            **self._next(by), screens=tuple(sorted(new[0])), groups=tuple(sorted(new[1])), reason=reason
        )

    def readmit(
        self, by: Actor, screens: Iterable[UUID], groups: Iterable[UUID]
    ) -> AlertScreensReadmitted | None:
        """Leaves fewer out; None where none of them was."""
        back = set(screens) & self.screens, set(groups) & self.groups
        if not any(back):
            return None
        return AlertScreensReadmitted(
            **self._next(by), screens=tuple(sorted(back[0])), groups=tuple(sorted(back[1]))
        )

    def _next(self, by: Actor) -> dict[str, Any]:
        return {
            "originator_id": exclusions_stream(self.alert_id),
            "originator_version": self.version + 1,
            "by": by,
            "alert_id": self.alert_id,
        }
