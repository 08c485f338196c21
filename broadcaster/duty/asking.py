"""A reminder that a person asks for: once a day for each body, by who watches over it."""

from collections.abc import Iterable
from datetime import datetime

from broadcaster.account import Account, Role
from broadcaster.duty.notices import REMINDER, asked
from broadcaster.duty.reminders import Reminders
from broadcaster.office import Office, deciding
from broadcaster.rules import RefusedError, Rule
from projections.cadence.rule import State
from projections.cadence.view import BodyCadence
from schemas.events import Actor, ReminderDue

LATE = frozenset({State.OVERDUE, State.DUE_SOON})


class Asking:
    """Writes the notice down; the postman carries it with the others."""

    def __init__(self, office: Office, reminders: Reminders) -> None:
        self._office, self._reminders = office, reminders
        self.office = reminders.office

    def may(self, account: Account, body: BodyCadence) -> bool:
        """Whether the account manages the body above it, or the city office."""
        return any((above, Role.MANAGER) in account.roles for above in self.above(body))

    def asked_today(self, issuer_ids: Iterable[str], at: datetime) -> set[str]:
        """Those for whom someone has asked on this day of Hanoi's calendar."""
        known = self._reminders.known([asked(each, REMINDER, at) for each in issuer_ids])
        return {one.recipient for one in known}

    def ask(self, by: Actor, body: BodyCadence, at: datetime) -> ReminderDue | None:
        """The notice; None where one was asked for today. Raises RefusedError.

        `body` is how it stands at `at`: who owes nothing soon is not reminded.
        """
        notice = asked(body.issuer_id, by, at)

        def attempt() -> ReminderDue | None:
            ground = self._office.log.ground(deciding.GROUND)
            if by.body not in self.above(body):
                raise RefusedError(Rule.ROLE, f"{by.body} does not watch over {body.issuer_id}")
            self._office.account(by.account).check(by.body or "", Role.MANAGER)
            if body.state not in LATE:
                raise RefusedError(Rule.STATE, f"{body.issuer_id} is {body.state}")
            return notice if self._reminders.write([notice], at, ground) else None

        with self._office.refusals(by, "remind", at, issuer_id=body.issuer_id):
            return deciding.insist(attempt, f"the reminders of {body.issuer_id} are")

    def above(self, body: BodyCadence) -> set[str]:
        """The bodies that watch over it."""
        return {above for above in (body.parent, self.office) if above} - {body.issuer_id}
