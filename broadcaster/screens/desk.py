"""What operators make of screens: where each is, groups, brightness and quiet hours, test patterns.

A manager acts on the screens within the area of his body; a group is its own body's.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from broadcaster.account import Role
from broadcaster.log import Once
from broadcaster.office import deciding
from broadcaster.screen_control import (
    ScreenControl,
    Spot,
    control_stream,
)
from broadcaster.screen_group import ScreenGroup
from broadcaster.screens.leaving_out import LeavingOut
from schemas.events import Actor, DisplaySetting, Event, ScreenKind
from schemas.ids import stream_id


class ScreenDesk(LeavingOut):
    """Where managers act on single screens and on groups."""

    # --- one screen --------------------------------------------------------------------------------

    def describe(
        self, by: Actor, screen_id: UUID, kind: ScreenKind | None, spot: Spot | None, *, at: datetime
    ) -> ScreenControl:
        """Says what kind of place it is at, and where. Raises RefusedError, UnknownStreamError."""
        return self._control("describe screen", by, screen_id, lambda it: it.describe(by, kind, spot), at)

    def set_display(
        self, by: Actor, screen_id: UUID, setting: DisplaySetting, *, at: datetime
    ) -> ScreenControl:
        """Sets its own brightness and quiet hours, whole."""
        return self._control("set screen", by, screen_id, lambda it: it.set_display(by, setting), at)

    def ask_pattern(self, by: Actor, screen_id: UUID, length: timedelta, *, at: datetime) -> ScreenControl:
        """Has it show its test pattern for so long; a length of nothing ends it."""
        return self._control("test screen", by, screen_id, lambda it: it.ask_pattern(by, length, at), at)

    def _control(
        self,
        command: str,
        by: Actor,
        screen_id: UUID,
        decide: Callable[[ScreenControl], Event | None],
        at: datetime,
    ) -> ScreenControl:
        stream = control_stream(screen_id)

        def load() -> ScreenControl:
            return self._office.log.forward(stream, ScreenControl.after, ScreenControl(screen_id))

        def checked(control: ScreenControl) -> Event | None:
            self._check_within(by, by.body, [screen_id], at)
            return decide(control)

        with self._office.refusals(by, command, at, issuer_id=by.body):
            return self._change(load, checked, at)

    # --- groups ------------------------------------------------------------------------------------

    def make_group(
        self, by: Actor, issuer_id: str, name: str, *, at: datetime, once: Once | None = None
    ) -> ScreenGroup:
        """A new group of the body's. Raises RefusedError, UnknownStreamError."""
        office = self._office
        group_id = stream_id("screen-group", issuer_id, once.account, once.key) if once else uuid4()

        def decide() -> Event:
            office.account(by.account).check(issuer_id, Role.MANAGER)
            office.open_body(issuer_id, at)
            return ScreenGroup.make(by, group_id, issuer_id, name)

        with office.refusals(by, "make screen group", at, issuer_id=issuer_id):
            what = f"screen group {group_id} is"
            return deciding.begin(office.log, ScreenGroup.fold, decide, at=at, once=once, what=what)

    def change_group(
        self,
        by: Actor,
        group_id: UUID,
        added: Collection[UUID],
        removed: Collection[UUID],
        *,
        at: datetime,
    ) -> ScreenGroup:
        """Puts screens within the body's area in, and takes others out."""

        def decide(group: ScreenGroup) -> Event | None:
            self._check_within(by, group.issuer_id, added, at)
            return group.change(by, added, removed)

        return self._group("change screen group", by, group_id, decide, at)

    def set_group_display(
        self, by: Actor, group_id: UUID, setting: DisplaySetting, *, at: datetime
    ) -> ScreenGroup:
        """Sets brightness and quiet hours of those that have none of their own."""
        return self._group("set screen group", by, group_id, lambda it: it.set_display(by, setting), at)

    def retire_group(self, by: Actor, group_id: UUID, *, at: datetime) -> ScreenGroup:
        """Ends it."""
        return self._group("retire screen group", by, group_id, lambda it: it.retire(by), at)

    def _group(
        self,
        command: str,
        by: Actor,
        group_id: UUID,
        decide: Callable[[ScreenGroup], Event | None],
        at: datetime,
    ) -> ScreenGroup:
        owner = self.group(group_id).issuer_id

        def checked(group: ScreenGroup) -> Event | None:
            self._office.acting(by.account, owner, (Role.MANAGER,), at)
            return decide(group)

        with self._office.refusals(by, command, at, issuer_id=owner):
            return self._change(lambda: self.group(group_id), checked, at)
