"""The commands on alerts. How each is carried out is alert_desk.py; sending out is sending.py."""

from datetime import datetime
from typing import Unpack
from uuid import UUID, uuid4

from broadcaster.account import Role
from broadcaster.alert import Alert
from broadcaster.commands.alert_desk import How
from broadcaster.commands.correcting import AlertCorrecting
from broadcaster.commands.sending import EITHER
from broadcaster.drafting.limits import Limits
from broadcaster.drafting.signage import check_sign
from broadcaster.log import Once
from broadcaster.office import Office, deciding
from schemas.content import Content
from schemas.events import Actor, AlertEvent
from schemas.ids import stream_id

AUTHORS = (Role.AUTHOR,)
APPROVERS = (Role.APPROVER,)


class AlertCommands(AlertCorrecting):
    """What accounts do with alerts."""

    def __init__(self, office: Office, limits: Limits | None = None) -> None:
        super().__init__(office)
        self.limits = limits or Limits()
        """Those of this deployment."""

    def draft(
        self, by: Actor, issuer_id: str, content: Content, *, at: datetime, once: Once | None = None
    ) -> Alert:
        """Begins an alert of a body."""
        alert_id = stream_id("alert", issuer_id, once.account, once.key) if once else uuid4()

        def decide() -> AlertEvent:
            if self._office.check(by, issuer_id, AUTHORS, content, at) != issuer_id:
                self._office.open_body(issuer_id, at)  # A successor drafts in its own name.
            edition = self._office.edition(at).name
            return Alert.draft(alert_id, by, issuer_id, content, edition=edition)

        with self._office.refusals(by, "draft", at, issuer_id=issuer_id):
            log, what = self._office.log, f"alert {alert_id} is"
            return deciding.begin(log, Alert.fold, decide, at=at, once=once, what=what)

    def revise(
        self, by: Actor, alert_id: UUID, content: Content, *, at: datetime, **how: Unpack[How]
    ) -> Alert:
        """Rewrites the version in work."""

        def decide(alert: Alert) -> AlertEvent:
            self._office.check(by, alert.issuer_id, AUTHORS, content, at)
            return alert.revise(by, content, edition=self._office.edition(at).name)

        return self._change("revise", by, alert_id, decide, at=at, **how)

    def submit(self, by: Actor, alert_id: UUID, *, at: datetime, **how: Unpack[How]) -> Alert:
        """Puts the version in work up for approval."""

        def decide(alert: Alert) -> AlertEvent:
            content = alert.work and alert.work.content
            body = self._office.check(by, alert.issuer_id, AUTHORS, content, at)
            self._check_codes(alert, at)
            given = content and self._office.standing_on(body, content, at)
            submitted = alert.submit(by, delegation_id=given)
            check_sign(content)
            self._check_limits(alert, at)
            return submitted

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
            content = alert.work and alert.work.content
            body = self._office.check(by, alert.issuer_id, APPROVERS, content, at)
            self._check_codes(alert, at)
            policy = self._office.body(body, at).policy
            return alert.approve(by, one_person=content is not None and policy.one_person(content))

        return self._change("approve", by, alert_id, decide, at=at, **how)

    def propose_update(
        self,
        by: Actor,
        alert_id: UUID,
        content: Content,
        *,
        corrects: bool = False,
        at: datetime,
        **how: Unpack[How],
    ) -> Alert:
        """Begins the next version of a live alert; `corrects` says that what is out is wrong."""

        def decide(alert: Alert) -> AlertEvent:
            self._office.check(by, alert.issuer_id, AUTHORS, content, at)
            edition = self._office.edition(at).name
            return alert.propose_update(by, content, corrects=corrects, edition=edition)

        return self._change("update", by, alert_id, decide, at=at, **how)

    def cancel(
        self, by: Actor, alert_id: UUID, reason: str, *, in_error: bool, at: datetime, **how: Unpack[How]
    ) -> Alert:
        """Withdraws a live alert; one person may."""

        def decide(alert: Alert) -> AlertEvent:
            speaker = self._office.check(by, alert.issuer_id, EITHER, None, at)
            sender = self._office.sender(speaker)
            return alert.cancel(by, sender=sender, reason=reason, in_error=in_error, at=at)

        return self._change("cancel", by, alert_id, decide, at=at, **how)

    def expire(self, by: Actor, alert_id: UUID, *, at: datetime) -> Alert:
        """Ends a live alert whose time is up."""
        return self._change("expire", by, alert_id, lambda alert: alert.expire(by, at), at=at)

    def _check_limits(self, alert: Alert, at: datetime) -> None:
        if alert.work is not None:
            category = self._office.categories[alert.work.content.category]
            self.limits.check(alert, category, self._office.body(alert.issuer_id, at).name, at)
