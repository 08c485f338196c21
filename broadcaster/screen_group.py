"""Groups of screens: named, owned by a body, set and left out of alerts together."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from broadcaster.rules import RefusedError, Rule
from schemas.events import (
    Actor,
    DisplaySetting,
    ScreenGroupChanged,
    ScreenGroupDisplaySet,
    ScreenGroupEvent,
    ScreenGroupMade,
    ScreenGroupRetired,
)

MOST = 10_000
"""Screens of one group: all of a city's."""


@dataclass(frozen=True)
class ScreenGroup:
    """A group after `version` events."""

    id: UUID
    version: int
    issuer_id: str
    name: str
    screens: frozenset[UUID] = field(default=frozenset())
    setting: DisplaySetting = field(default_factory=DisplaySetting)
    retired: bool = False

    @staticmethod
    def fold(state: "ScreenGroup | None", event: ScreenGroupEvent) -> "ScreenGroup":
        """The group after the event."""
        if isinstance(event, ScreenGroupMade):
            return ScreenGroup(event.group_id, event.originator_version, event.issuer_id, event.name)
        assert state is not None, "a group begins with its making"
        after = replace(state, version=event.originator_version)
        match event:
            case ScreenGroupChanged(added=added, removed=removed):
                return replace(after, screens=after.screens - set(removed) | set(added))
            case ScreenGroupDisplaySet(setting=setting):
                return replace(after, setting=setting)
            case ScreenGroupRetired():
                return replace(after, retired=True)

    @staticmethod
    def make(by: Actor, group_id: UUID, issuer_id: str, name: str) -> ScreenGroupMade:
        """A new group, empty."""
        return ScreenGroupMade(
            originator_id=group_id,
            originator_version=1,
            by=by,
            group_id=group_id,
            issuer_id=issuer_id,
            name=name,
        )

    def change(
        self, by: Actor, added: Iterable[UUID], removed: Iterable[UUID]
    ) -> ScreenGroupChanged | None:
        """Puts screens in and takes others out; None where nothing would change."""
        self.check_kept()
        new = tuple(sorted(set(added) - self.screens))
        gone = tuple(sorted(set(removed) & self.screens - set(added)))
        if len(self.screens) + len(new) - len(gone) > MOST:
            raise RefusedError(Rule.LIMIT, f"screens: a group has {MOST} at most")
        if not new and not gone:
            return None
        return ScreenGroupChanged(**self._next(by), added=new, removed=gone)

    def set_display(self, by: Actor, setting: DisplaySetting) -> ScreenGroupDisplaySet | None:
        """Sets brightness and quiet hours, whole; None where they are so already."""
        self.check_kept()
        return ScreenGroupDisplaySet(**self._next(by), setting=setting) if setting != self.setting else None

    def retire(self, by: Actor) -> ScreenGroupRetired:
        """Ends it."""
        self.check_kept()
        return ScreenGroupRetired(**self._next(by))

    def check_kept(self) -> None:
        """Refuses what is no more."""
        if self.retired:
            raise RefusedError(Rule.STATE, f"group {self.id} is retired")

    def _next(self, by: Actor) -> dict[str, Any]:
        return {
            "originator_id": self.id,
            "originator_version": self.version + 1,
            "by": by,
            "group_id": self.id,
        }
