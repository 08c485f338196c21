"""The commands that send an approved version out: at once, at a time, or when the quiet hours are over."""

from datetime import datetime
from typing import Unpack
from uuid import UUID

from broadcaster.account import Role
from broadcaster.alert import Alert, Sending
from broadcaster.commands.alert_desk import AlertDesk, How
from broadcaster.lifecycle import Command
from broadcaster.rules import RefusedError, Rule
from schemas.content import Content
from schemas.events import Actor, AlertEvent

EITHER = (Role.AUTHOR, Role.APPROVER)


class AlertSending(AlertDesk):
    """Issue and schedule."""

    def schedule(
        self, by: Actor, alert_id: UUID, due_at: datetime, *, at: datetime, **how: Unpack[How]
    ) -> Alert:
        """Sets when the approved version goes out; a bulletin not before the quiet hours end."""

        def decide(alert: Alert) -> AlertEvent:
            speaker = self._checked(by, alert, at)
            held = self._held_until(speaker, alert, due_at)
            if held is not None:
                return alert.schedule(by, held, "quiet_hours", at=at)
            return alert.schedule(by, due_at, "asked", at=at)

        return self._change("schedule", by, alert_id, decide, at=at, **how)

    def unschedule(self, by: Actor, alert_id: UUID, *, at: datetime, **how: Unpack[How]) -> Alert:
        """Takes the version off the clock; it stays approved."""

        def decide(alert: Alert) -> AlertEvent:
            self._office.check(by, alert.issuer_id, EITHER, None, at)
            return alert.unschedule(by)

        return self._change("unschedule", by, alert_id, decide, at=at, **how)

    def issue(self, by: Actor, alert_id: UUID, *, at: datetime, **how: Unpack[How]) -> Alert:
        """Sends the approved version out. The body's authority is checked once more, as it is now.

        A bulletin in the quiet hours is scheduled for their end instead.
        """

        def decide(alert: Alert) -> AlertEvent:
            return self._issued_or_held(by, self._checked(by, alert, at), alert, at)

        return self._change("issue", by, alert_id, decide, at=at, **how)

    def issue_due(self, by: Actor, alert_id: UUID, *, at: datetime) -> Alert:
        """Sends out a scheduled version whose time has come.

        What the body may no longer say goes back to its authors with the reason, and the refusal is on
        record: nothing waits on the clock unseen. Raises RefusedError where it is not due after all.
        """
        alert = self._office.alert(alert_id)
        if alert.work is None or alert.work.due_at is None or alert.work.due_at > at:
            raise RefusedError(Rule.STATE, "it is not due")

        def decide(alert: Alert) -> AlertEvent:
            assert alert.work is not None
            speaker = self._office.speaker(alert.issuer_id, at)
            self._office.check_said(speaker, alert.work.content, at)
            self._check_codes(alert, at)
            return self._issued_or_held(by, speaker, alert, at)

        try:
            return self._change("issue", by, alert_id, decide, at=at, expected=alert.version)
        except RefusedError as refusal:
            why, seen = str(refusal), alert.version
            return self._change(
                "return", by, alert_id, lambda alert: alert.send_back(by, why), at=at, expected=seen
            )

    def _checked(self, by: Actor, alert: Alert, at: datetime) -> str:
        """The body that speaks, once it was asked whether it may."""
        content = alert.work and alert.work.content
        speaker = self._office.check(by, alert.issuer_id, EITHER, content, at)
        self._check_codes(alert, at)
        return speaker

    def _issued_or_held(self, by: Actor, speaker: str, alert: Alert, at: datetime) -> AlertEvent:
        alert.check(Command.ISSUE)
        held = self._held_until(speaker, alert, at)
        if held is not None:
            return alert.schedule(by, held, "quiet_hours", at=at)
        assert alert.work is not None, "it may be issued"
        return alert.issue(by, **self._sending(speaker, alert.id, alert.work.content, at))

    def _sending(self, speaker: str, alert_id: UUID, content: Content, at: datetime) -> Sending:
        return {
            "sender": self._office.sender(speaker),
            "edition": self._office.edition(at).name,
            "lifetime": self._office.categories[content.category].lifetime,
            "at": at,
            "sender_name": self._office.body(speaker, at).name,
            "page": self._office.page(alert_id),
            "delegation_id": self._office.standing_on(speaker, content, at),
        }

    def _held_until(self, speaker: str, alert: Alert, at: datetime) -> datetime | None:
        if alert.work is None:
            return None
        return self._office.body(speaker, at).policy.held_until(alert.work.content, at)
