"""Screens: LED and LCD displays at a place, and what they have shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from typing import Any
from uuid import UUID

from broadcaster.rules import RefusedError, Rule
from schemas.areas import FIRST_EDITION
from schemas.displays import DISPLAYS
from schemas.events import (
    Actor,
    ScreenEvent,
    ScreenIdentifyAsked,
    ScreenKeyRevoked,
    ScreenKeyRotated,
    ScreenMoved,
    ScreenRegistered,
    ScreenRemoved,
    ScreenRepaired,
    ScreenShowed,
    Shown,
)


@dataclass(frozen=True)
class Screen:
    """One screen; `profile` names its display, `drills` tells whether it takes part in drills."""

    id: UUID
    version: int
    name: str
    area: str
    profile: str
    edition: str = FIRST_EDITION
    """That names its area."""
    drills: bool = False
    removed: bool = False
    shown: frozenset[Shown] = field(default=frozenset())

    @staticmethod
    def fold(state: "Screen | None", event: ScreenEvent) -> "Screen":
        """The screen after the event."""
        if isinstance(event, ScreenRegistered):
            return Screen(
                event.screen_id,
                event.originator_version,
                event.name,
                event.area,
                event.profile,
                event.edition or FIRST_EDITION,
                event.drills,
            )
        assert state is not None, "a screen begins with its registration"
        after = replace(state, version=event.originator_version)
        match event:
            case ScreenMoved(area=area, edition=edition):
                return replace(after, area=area, edition=edition)
            case ScreenRemoved():
                return replace(after, removed=True)
            case ScreenShowed(shown=shown):
                return replace(after, shown=after.shown | set(shown))
            case ScreenRepaired() | ScreenIdentifyAsked() | ScreenKeyRotated() | ScreenKeyRevoked():
                return after

    @staticmethod
    def register(
        by: Actor,
        screen_id: UUID,
        *,
        name: str,
        area: str,
        profile: str,
        drills: bool = False,
        edition: str | None = None,
        hours: tuple[time, time] | None = None,
    ) -> ScreenRegistered:
        """A new screen, in an area of this edition of the register.

        Refused where nobody knows how to draw for its display.
        """
        if profile not in DISPLAYS:
            known = ", ".join(DISPLAYS)
            raise RefusedError(Rule.DISPLAY, f"profile: no display {profile} is known; there are {known}")
        return ScreenRegistered(
            originator_id=screen_id,
            originator_version=1,
            by=by,
            screen_id=screen_id,
            name=name,
            area=area,
            profile=profile,
            edition=edition,
            drills=drills,
            opens=hours and hours[0],
            closes=hours and hours[1],
        )

    def move(self, by: Actor, area: str, edition: str) -> ScreenMoved:
        """Names its place by the codes of another edition. Refused where it is no longer in service."""
        if self.removed:
            raise RefusedError(Rule.STATE, f"screen {self.id} is removed")
        return ScreenMoved(
            originator_id=self.id,
            originator_version=self.version + 1,
            by=by,
            area=area,
            edition=edition,
        )

    def remove(self, by: Actor) -> ScreenRemoved:
        """Takes the screen out of service. Refused where it already is."""
        if self.removed:
            raise RefusedError(Rule.STATE, f"screen {self.id} is already removed")
        return ScreenRemoved(originator_id=self.id, originator_version=self.version + 1, by=by)

    def repair(self, by: Actor) -> ScreenRepaired:
        """Gives the screen another box. Refused where it is out of service."""
        return ScreenRepaired(**self._next(by))

    def identify(self, by: Actor, until: datetime) -> ScreenIdentifyAsked:
        """Asks it to make itself known. Refused where it is out of service."""
        return ScreenIdentifyAsked(**self._next(by), until=until)

    def rotate_key(self, by: Actor, key_id: str, former: str, ends_at: datetime) -> ScreenKeyRotated:
        """Notes its new key. Refused where it is out of service."""
        return ScreenKeyRotated(**self._next(by), key_id=key_id, former=former, former_ends_at=ends_at)

    def revoke_keys(self, by: Actor) -> ScreenKeyRevoked:
        """Notes the end of its keys. Refused where it is out of service."""
        return ScreenKeyRevoked(**self._next(by))

    def _next(self, by: Actor) -> dict[str, Any]:
        if self.removed:
            raise RefusedError(Rule.STATE, f"screen {self.id} is removed")
        return {"originator_id": self.id, "originator_version": self.version + 1, "by": by}

    def show(self, by: Actor, reported: Sequence[Shown]) -> ScreenShowed | None:
        """What of the report is new; None where nothing is, so a repeated report is no event."""
        new = tuple(dict.fromkeys(shown for shown in reported if shown not in self.shown))
        if self.removed or not new:
            return None
        return ScreenShowed(originator_id=self.id, originator_version=self.version + 1, by=by, shown=new)
