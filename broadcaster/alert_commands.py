"""The commands on alerts: load, let the aggregate decide, append what it decided.

A refusal changes nothing and is itself an event. A command that lost a race is decided again on
what the winner left, unless the caller says which version it saw (`expected`: then StaleError, so
that nobody approves a text he has not read); a repeat under the same idempotency key gets the first
answer.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypedDict, Unpack
from uuid import UUID, uuid4

from broadcaster.account import Role
from broadcaster.alert import Alert
from broadcaster.log import ConflictError, Once, StaleError
from broadcaster.office import Office
from schemas.content import Content
from schemas.events import Actor, AlertEvent
from schemas.ids import stream_id

TRIES = 5
AUTHORS = (Role.AUTHOR,)
APPROVERS = (Role.APPROVER,)
EITHER = (Role.AUTHOR, Role.APPROVER)
NO_TIME = timedelta(0)


class How(TypedDict, total=False):
    """What a caller may add to a command on an alert."""

    expected: int | None
    """The version of the alert the caller saw."""
    once: Once | None
    """The caller's idempotency key."""


class AlertCommands:
    """What accounts do with alerts."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def draft(
        self, by: Actor, issuer_id: str, content: Content, *, at: datetime, once: Once | None = None
    ) -> Alert:
        """Begins an alert of a body."""
        alert_id = stream_id("alert", issuer_id, once.account, once.key) if once else uuid4()

        with self._office.refusals(by, "draft", at, issuer_id=issuer_id):
            first = self._first(once)
            if first:
                return first
            self._office.check(by, issuer_id, AUTHORS, content, at)
            event = Alert.draft(alert_id, by, issuer_id, content)
            try:
                self._office.log.append([event], at=at, once=once)
            except ConflictError:
                # A racing repeat of the same request won; its answer is ours.
                first = self._first(once)
                if first is None:
                    raise
                return first
        return Alert.fold(None, event)

    def revise(
        self, by: Actor, alert_id: UUID, content: Content, *, at: datetime, **how: Unpack[How]
    ) -> Alert:
        """Rewrites the version in work."""

        def decide(alert: Alert) -> AlertEvent:
            self._office.check(by, alert.issuer_id, AUTHORS, content, at)
            return alert.revise(by, content)

        return self._change("revise", by, alert_id, decide, at=at, **how)

    def submit(self, by: Actor, alert_id: UUID, *, at: datetime, **how: Unpack[How]) -> Alert:
        """Puts the version in work up for approval."""

        def decide(alert: Alert) -> AlertEvent:
            self._office.check(by, alert.issuer_id, AUTHORS, alert.work and alert.work.content, at)
            return alert.submit(by)

        return self._change("submit", by, alert_id, decide, at=at, **how)

    def send_back(
        self, by: Actor, alert_id: UUID, reason: str, *, at: datetime, **how: Unpack[How]
    ) -> Alert:
        """Returns the version in work to its authors."""

        def decide(alert: Alert) -> AlertEvent:
            self._office.check(by, alert.issuer_id, APPROVERS, None, at)
            return alert.send_back(by, reason)

        return self._change("return", by, alert_id, decide, at=at, **how)

    def reject(self, by: Actor, alert_id: UUID, reason: str, *, at: datetime, **how: Unpack[How]) -> Alert:
        """Turns the version in work down for good."""

        def decide(alert: Alert) -> AlertEvent:
            self._office.check(by, alert.issuer_id, APPROVERS, None, at)
            return alert.reject(by, reason)

        return self._change("reject", by, alert_id, decide, at=at, **how)

    def approve(self, by: Actor, alert_id: UUID, *, at: datetime, **how: Unpack[How]) -> Alert:
        """Approves the version in work, by another than those who wrote it."""

        def decide(alert: Alert) -> AlertEvent:
            self._office.check(by, alert.issuer_id, APPROVERS, alert.work and alert.work.content, at)
            return alert.approve(by)

        return self._change("approve", by, alert_id, decide, at=at, **how)

    def issue(self, by: Actor, alert_id: UUID, *, at: datetime, **how: Unpack[How]) -> Alert:
        """Sends the approved version out. The body's authority is checked once more, as it is now."""

        def decide(alert: Alert) -> AlertEvent:
            content = alert.work and alert.work.content
            self._office.check(by, alert.issuer_id, EITHER, content, at)
            return alert.issue(
                by,
                sender=self._office.sender(alert.issuer_id),
                edition=self._office.edition(at).name,
                lifetime=self._office.categories[content.category].lifetime if content else NO_TIME,
                at=at,
            )

        return self._change("issue", by, alert_id, decide, at=at, **how)

    def propose_update(
        self, by: Actor, alert_id: UUID, content: Content, *, at: datetime, **how: Unpack[How]
    ) -> Alert:
        """Begins the next version of a live alert."""

        def decide(alert: Alert) -> AlertEvent:
            self._office.check(by, alert.issuer_id, AUTHORS, content, at)
            return alert.propose_update(by, content)

        return self._change("update", by, alert_id, decide, at=at, **how)

    def cancel(
        self, by: Actor, alert_id: UUID, reason: str, *, in_error: bool, at: datetime, **how: Unpack[How]
    ) -> Alert:
        """Withdraws a live alert; one person may."""

        def decide(alert: Alert) -> AlertEvent:
            self._office.check(by, alert.issuer_id, EITHER, None, at)
            return alert.cancel(
                by, sender=self._office.sender(alert.issuer_id), reason=reason, in_error=in_error, at=at
            )

        return self._change("cancel", by, alert_id, decide, at=at, **how)

    def expire(self, by: Actor, alert_id: UUID, *, at: datetime) -> Alert:
        """Ends a live alert whose time is up."""
        return self._change("expire", by, alert_id, lambda alert: alert.expire(by, at), at=at)

    def _change(
        self,
        command: str,
        by: Actor,
        alert_id: UUID,
        decide: Callable[[Alert], AlertEvent],
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
                alert = self._office.alert(alert_id)
                if expected is not None and alert.version != expected:
                    raise StaleError(f"the alert is at {alert.version}, the caller saw {expected}")
                event = decide(alert)
                try:
                    self._office.log.append([event], at=at, once=once)
                except ConflictError:
                    continue
                return Alert.fold(alert, event)
        raise ConflictError(f"alert {alert_id} is being changed by others; try again")

    def _first(self, once: Once | None) -> Alert | None:
        made = self._office.log.recall(once) if once else None
        return self._office.alert(made[0], upto=made[1]) if made else None
