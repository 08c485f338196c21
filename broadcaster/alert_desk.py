"""How a command on an alert is carried out: load, let the aggregate decide, append what it decided.

A refusal changes nothing and is itself an event. A command that lost a race is decided again on
what the winner left, unless the caller says which version it saw (`expected`: then StaleError, so
that nobody approves a text he has not read); a repeat under the same idempotency key gets the first
answer. A right taken away while it was used is a lost race too: what a decision stood on is guarded
until it is in the log.
"""

from collections.abc import Callable
from datetime import datetime
from functools import reduce
from typing import TypedDict, get_args
from uuid import UUID

from broadcaster.alert import Alert
from broadcaster.log import ConflictError, Once, StaleError
from broadcaster.office import Office
from schemas.events import Actor, AlertEvent, BodyEvent, TemplateEvent

TRIES = 5
GROUND = tuple(event.TOPIC for event in (*get_args(BodyEvent), *get_args(TemplateEvent)))
"""On what it depends who may say what, where: bodies, roles, delegations, areas, approved texts."""


class How(TypedDict, total=False):
    """What a caller may add to a command on an alert."""

    expected: int | None
    """The version of the alert the caller saw."""
    once: Once | None
    """The caller's idempotency key."""


class AlertDesk:
    """Where commands on alerts are carried out."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def _change(
        self,
        command: str,
        by: Actor,
        alert_id: UUID,
        decide: Callable[[Alert], AlertEvent | tuple[AlertEvent, ...]],
        *,
        at: datetime,
        expected: int | None = None,
        once: Once | None = None,
    ) -> Alert:
        with self._office.refusals(by, command, at, alert_id=alert_id):
            for _ in range(TRIES):
                first = self._first(once)
                if first:
                    return first
                ground = self._office.log.ground(GROUND)
                alert = self._office.alert(alert_id)
                if expected is not None and alert.version != expected:
                    raise StaleError(f"the alert is at {alert.version}, the caller saw {expected}")
                decided = decide(alert)
                events = decided if isinstance(decided, tuple) else (decided,)
                try:
                    self._office.log.append(events, at=at, once=once, ground=ground)
                except ConflictError:
                    continue
                return reduce(Alert.fold, events, alert)
        raise ConflictError(f"alert {alert_id} is being changed by others; try again")

    def _first(self, once: Once | None) -> Alert | None:
        made = self._office.log.recall(once) if once else None
        return self._office.alert(made[0], upto=made[1]) if made else None

    def _check_codes(self, alert: Alert, at: datetime) -> None:
        if alert.work is not None:
            self._office.check_edition(alert.work.edition, at)
