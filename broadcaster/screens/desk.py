"""What operators make of screens: where each is, groups, brightness and quiet hours, test patterns.

A manager acts on the screens within the area of his body; a group is its own body's. Which screens an
alert leaves out, the alert's body says: its author while he writes it, its approvers from then on.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID, uuid4

from broadcaster import deciding
from broadcaster.account import Role
from broadcaster.alert import Alert
from broadcaster.lifecycle import Life, Stage
from broadcaster.log import Once, UnknownStreamError
from broadcaster.office import Office
from broadcaster.rules import RefusedError, Rule
from broadcaster.screen_control import (
    Exclusions,
    ScreenControl,
    Spot,
    control_stream,
    exclusions_stream,
)
from broadcaster.screen_group import ScreenGroup
from schemas.events import Actor, DisplaySetting, Event, ScreenKind
from schemas.ids import stream_id

State = TypeVar("State", ScreenControl, Exclusions, ScreenGroup)


class Placed(Protocol):
    """A screen in service, of which the place matters."""

    @property
    def area(self) -> str:
        """Its code."""
        ...

    @property
    def edition(self) -> str:
        """Of the area register, that names the area."""
        ...


class ScreenDesk:
    """Each command is refused whole or done whole; one that changes nothing is no event."""

    def __init__(self, office: Office, screens: Callable[[], Mapping[UUID, Placed]]) -> None:
        self._office, self._screens = office, screens

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

    def group(self, group_id: UUID) -> ScreenGroup:
        """The group. Raises UnknownStreamError."""
        return self._office.screen_group(group_id)

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

    # --- an alert's screens ------------------------------------------------------------------------

    def exclusions(self, alert_id: UUID) -> Exclusions:
        """What the alert leaves out."""
        return self._office.log.forward(exclusions_stream(alert_id), Exclusions.after, Exclusions(alert_id))

    def exclude(
        self,
        by: Actor,
        alert_id: UUID,
        screens: Collection[UUID],
        groups: Collection[UUID],
        reason: str,
        *,
        at: datetime,
    ) -> Exclusions:
        """Leaves screens and groups out of an alert: before it goes out, or while it is live.

        Raises RefusedError, and UnknownStreamError where there is no such alert, screen or group.
        """

        def known() -> None:
            for group_id in groups:
                self.group(group_id).check_kept()
            self._check_known(screens)

        def decide(left_out: Exclusions) -> Event | None:
            known()
            return left_out.exclude(by, screens, groups, reason)

        known()  # What there is not is said before anything is refused.
        return self._alert("exclude screens", by, alert_id, decide, at)

    def readmit(
        self,
        by: Actor,
        alert_id: UUID,
        screens: Collection[UUID],
        groups: Collection[UUID],
        *,
        at: datetime,
    ) -> Exclusions:
        """Has them show it again; likewise."""
        return self._alert("readmit screens", by, alert_id, lambda it: it.readmit(by, screens, groups), at)

    def _alert(
        self,
        command: str,
        by: Actor,
        alert_id: UUID,
        decide: Callable[[Exclusions], Event | None],
        at: datetime,
    ) -> Exclusions:
        self._office.alert(alert_id)

        def checked(left_out: Exclusions) -> Event | None:
            alert = self._office.alert(alert_id)
            self._office.acting(by.account, alert.issuer_id, deciders(alert), at)
            if alert.life not in (Life.NEW, Life.LIVE):
                raise RefusedError(Rule.STATE, f"alert {alert_id} is {alert.life}: no screen shows it")
            return decide(left_out)

        with self._office.refusals(by, command, at, alert_id=alert_id):
            ground = deciding.SHOWING_GROUND
            return self._change(lambda: self.exclusions(alert_id), checked, at, ground)

    # --- what they share ---------------------------------------------------------------------------

    def _check_known(self, screens: Collection[UUID]) -> Mapping[UUID, Placed]:
        known = self._screens()
        for screen_id in screens:
            if screen_id not in known:
                raise UnknownStreamError(f"there is no screen {screen_id} in service")
        return known

    def _check_within(
        self, by: Actor, issuer_id: str | None, screens: Collection[UUID], at: datetime
    ) -> None:
        if issuer_id is None:
            raise RefusedError(Rule.BODY, f"{by.account} acts for no body")
        self._office.account(by.account).check(issuer_id, Role.MANAGER)
        known = self._check_known(screens)
        body, register = self._office.open_body(issuer_id, at), self._office.register()
        for area, edition in {(known[one].area, known[one].edition) for one in screens}:
            tree = register.edition(edition).tree
            if not body.reaches(area, tree):
                own = body.seat(edition)
                raise RefusedError(Rule.AREA, f"area {area} lies outside {own}, the area of {issuer_id}")

    def _change(
        self,
        load: Callable[[], State],
        decide: Callable[[State], Event | None],
        at: datetime,
        topics: Sequence[str] = deciding.GROUND,
    ) -> State:
        log = self._office.log

        def attempt() -> State:
            ground = log.ground(topics)
            event = decide(load())
            if event is not None:
                log.append([event], at=at, ground=ground)
            return load()

        return deciding.insist(attempt, "the screens are")


def deciders(alert: Alert) -> tuple[Role, ...]:
    """Who says which screens it leaves out now: once it was put up for approval, not its author."""
    writing = alert.life is Life.NEW and alert.stage is Stage.DRAFT
    return (Role.AUTHOR, Role.APPROVER) if writing else (Role.APPROVER,)
