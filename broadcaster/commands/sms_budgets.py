"""The command on a body's SMS budget: only the city's manager sets it."""

from datetime import datetime

from broadcaster.account import Role
from broadcaster.issuer import Issuer
from broadcaster.log import Once
from broadcaster.office import Office, deciding
from broadcaster.rules import RefusedError, Rule
from broadcaster.sms_budget import SmsBudget, budget_stream
from schemas.events import Actor, SmsBudgetEvent


class SmsBudgetCommands:
    """What managers of the city do about what its bodies spend."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def of(self, issuer_id: str) -> SmsBudget:
        """The budget of a body that exists. Raises UnknownStreamError."""
        self._office.issuer(issuer_id)
        return self._office.log.forward(budget_stream(issuer_id), _fold, SmsBudget(issuer_id))

    def set(
        self,
        by: Actor,
        issuer_id: str,
        *,
        segments: int | None,
        vnd: int | None,
        at: datetime,
        once: Once | None = None,
    ) -> SmsBudget:
        """Bounds what the body's SMS may come to on a day; None for either: no bound.

        Raises RefusedError, and UnknownStreamError where there is no such body.
        """
        office = self._office

        def attempt() -> SmsBudget:
            ground = office.log.ground(deciding.GROUND)
            city = self._city(office.issuer(issuer_id))
            if by.body != city:
                raise RefusedError(Rule.BODY, f"only a manager of {city} sets budgets")
            office.account(by.account).check(city, Role.MANAGER)
            if once and office.log.recall(once):
                return self.of(issuer_id)
            budget = self.of(issuer_id)
            event = budget.set(by, segments, vnd)
            office.log.append([event], at=at, once=once, ground=ground)
            return budget.after(event)

        with office.refusals(by, "set sms budget", at, issuer_id=issuer_id):
            return deciding.insist(attempt, f"the budget of {issuer_id} is")

    def _city(self, body: Issuer) -> str:
        """The body at the top."""
        while body.parent is not None:
            body = self._office.issuer(body.parent)
        return body.issuer_id


def _fold(state: SmsBudget, event: SmsBudgetEvent) -> SmsBudget:
    return state.after(event)
