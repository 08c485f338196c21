"""How a command on an alert is carried out: load, let the aggregate decide, append what it decided.

A refusal changes nothing and is itself an event. A command that lost a race is decided again on
what the winner left, unless the caller says which version it saw (`expected`: then StaleError, so
that nobody approves a text he has not read); a repeat under the same idempotency key gets the first
answer. A right taken away while it was used is a lost race too: what a decision stood on is guarded
until it is in the log.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from broadcaster.alert import Alert
from broadcaster.log import Once
from broadcaster.office import Office, deciding
from schemas.events import Actor, AlertEvent


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
        office, what = self._office, f"alert {alert_id} is"
        with office.refusals(by, command, at, alert_id=alert_id):
            return deciding.change(
                office.log,
                office.alert,
                Alert.fold,
                alert_id,
                decide,
                at=at,
                expected=expected,
                once=once,
                what=what,
            )

    def _check_codes(self, alert: Alert, at: datetime) -> None:
        if alert.work is not None:
            self._office.check_edition(alert.work.edition, at)
