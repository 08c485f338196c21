"""Which screens an alert leaves out: its author says while he writes it, its approvers from then on."""

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from broadcaster.account import Role
from broadcaster.alert import Alert
from broadcaster.lifecycle import Life, Stage
from broadcaster.office import deciding
from broadcaster.rules import RefusedError, Rule
from broadcaster.screen_control import Exclusions, exclusions_stream
from broadcaster.screens.deciding import ScreenDeciding
from schemas.events import Actor, Event


class LeavingOut(ScreenDeciding):
    """What the alert's body says of screens and groups, before the alert goes out or while it is live."""

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


def deciders(alert: Alert) -> tuple[Role, ...]:
    """Who says which screens it leaves out now: once it was put up for approval, not its author."""
    writing = alert.life is Life.NEW and alert.stage is Stage.DRAFT
    return (Role.AUTHOR, Role.APPROVER) if writing else (Role.APPROVER,)
