"""An alert, from its first draft to its end. Decides and folds; no I/O, no clock.

What may be asked of it when is the table in lifecycle.py.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from broadcaster.lifecycle import TABLE, Command, Life, Stage
from broadcaster.rules import RefusedError, Rule
from schemas.content import Content, MsgType
from schemas.events import (
    Actor,
    AlertApproved,
    AlertCancelled,
    AlertDrafted,
    AlertEvent,
    AlertExpired,
    AlertIssued,
    AlertRejected,
    AlertReturned,
    AlertRevised,
    AlertSubmitted,
    AlertUpdateProposed,
)

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")


class Place(TypedDict):
    """Where the next event goes, and who caused it."""

    originator_id: UUID
    originator_version: int
    by: Actor


@dataclass(frozen=True)
class Work:
    """The version in work, and everyone who had a hand in it."""

    version: int
    content: Content
    stage: Stage
    contributors: frozenset[str]
    approved_by: str | None = None


@dataclass(frozen=True)
class Issued:
    """The version that is out."""

    version: int
    content: Content
    edition: str
    sent: datetime
    effective_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Withdrawn:
    """The message that withdrew it."""

    version: int
    reason: str
    sent: datetime


@dataclass(frozen=True)
class Rejected:
    """The version that was turned down last."""

    version: int
    reason: str


@dataclass(frozen=True)
class Alert:
    """The state of one alert after `version` events."""

    id: UUID
    version: int
    issuer_id: str
    life: Life
    work: Work | None
    issued: Issued | None = None
    references: tuple[str, ...] = field(default=())
    """CAP `sender,identifier,sent` of every message so far."""
    withdrawn: Withdrawn | None = None
    rejected: Rejected | None = None
    """None again once another version is in work."""

    @property
    def stage(self) -> Stage:
        """Of the version in work."""
        return self.work.stage if self.work else Stage.NONE

    # --- fold -----------------------------------------------------------------------------------

    @staticmethod
    def fold(state: "Alert | None", event: AlertEvent) -> "Alert":
        """The alert after the event."""
        if isinstance(event, AlertDrafted):
            work = Work(1, event.content, Stage.DRAFT, frozenset({event.by.account}))
            return Alert(event.originator_id, event.originator_version, event.issuer_id, Life.NEW, work)
        assert state is not None, "an alert begins with a draft"
        return replace(state.after(event), version=event.originator_version)

    def after(self, event: AlertEvent) -> "Alert":
        """The alert after any event but its first."""
        who = event.by.account
        match event:
            case AlertRevised(content=content):
                return self._working(content=content, contributors=self._work.contributors | {who})
            case AlertSubmitted() | AlertReturned() | AlertApproved() | AlertRejected():
                return self._reviewed(event)
            case AlertUpdateProposed(version=version, content=content):
                work = Work(version, content, Stage.DRAFT, frozenset({who}))
                return replace(self, work=work, rejected=None)
            case AlertIssued():
                issued = Issued(
                    event.version,
                    event.content,
                    event.edition,
                    event.sent,
                    event.effective_at,
                    event.expires_at,
                )
                return replace(
                    self,
                    life=Life.LIVE,
                    work=None,
                    issued=issued,
                    references=(*self.references, reference(event.sender, event.identifier, event.sent)),
                )
            case AlertCancelled():
                withdrawn = Withdrawn(event.version, event.reason, event.sent)
                return replace(self, life=Life.CANCELLED, work=None, withdrawn=withdrawn)
            case AlertExpired():
                return replace(self, life=Life.EXPIRED, work=None)
            case AlertDrafted():
                raise AssertionError("an alert is drafted once")

    def _reviewed(self, event: AlertSubmitted | AlertReturned | AlertApproved | AlertRejected) -> "Alert":
        who = event.by.account
        match event:
            case AlertSubmitted():
                return self._working(stage=Stage.SUBMITTED, contributors=self._work.contributors | {who})
            case AlertReturned():
                return self._working(stage=Stage.DRAFT, approved_by=None)
            case AlertApproved():
                return self._working(stage=Stage.APPROVED, approved_by=who)
            case AlertRejected(version=version, reason=reason):
                life = self.life if self.issued else Life.REJECTED
                return replace(self, life=life, work=None, rejected=Rejected(version, reason))

    def _working(self, **changes: object) -> "Alert":
        return replace(self, work=replace(self._work, **changes))  # type: ignore[arg-type]

    @property
    def _work(self) -> Work:
        assert self.work is not None
        return self.work

    @property
    def _issued(self) -> Issued:
        assert self.issued is not None
        return self.issued

    # --- decide ---------------------------------------------------------------------------------

    @staticmethod
    def draft(alert_id: UUID, by: Actor, issuer_id: str, content: Content) -> AlertDrafted:
        """Begins an alert."""
        return AlertDrafted(
            originator_id=alert_id, originator_version=1, by=by, issuer_id=issuer_id, content=content
        )

    def check(self, command: Command) -> None:
        """Refuses what the table does not allow now."""
        if (self.life, self.stage) not in TABLE[command]:
            version = "no version in work" if self.work is None else f"its version in work is {self.stage}"
            raise RefusedError(Rule.STATE, f"cannot {command} an alert that is {self.life} ({version})")

    def revise(self, by: Actor, content: Content) -> AlertRevised:
        """Rewrites the version in work."""
        self.check(Command.REVISE)
        return AlertRevised(**self._next(by), version=self._work.version, content=content)

    def submit(self, by: Actor) -> AlertSubmitted:
        """Puts the version in work up for approval."""
        self.check(Command.SUBMIT)
        return AlertSubmitted(**self._next(by), version=self._work.version)

    def send_back(self, by: Actor, reason: str) -> AlertReturned:
        """Returns the version in work to its authors."""
        self.check(Command.RETURN)
        return AlertReturned(**self._next(by), version=self._work.version, reason=reason)

    def reject(self, by: Actor, reason: str) -> AlertRejected:
        """Turns the version in work down for good. What is out stays as it is."""
        self.check(Command.REJECT)
        return AlertRejected(**self._next(by), version=self._work.version, reason=reason)

    def approve(self, by: Actor) -> AlertApproved:
        """Approves the version in work. Refused to everyone who had a hand in it."""
        self.check(Command.APPROVE)
        if by.account in self._work.contributors:
            raise RefusedError(
                Rule.FOUR_EYES,
                f"{by.account} contributed to version {self._work.version}; another must approve",
            )
        return AlertApproved(**self._next(by), version=self._work.version)

    def issue(
        self, by: Actor, *, sender: str, edition: str, lifetime: timedelta, at: datetime
    ) -> AlertIssued:
        """Sends the approved version out. `lifetime` is the category's, where the content sets no end."""
        self.check(Command.ISSUE)
        work = self._work
        expires_at = work.content.expires_at or at + lifetime
        if expires_at <= at:
            raise RefusedError(Rule.EXPIRY, f"expires_at {expires_at.isoformat()} is not after now")
        return AlertIssued(
            **self._next(by),
            issuer_id=self.issuer_id,
            version=work.version,
            msg_type=MsgType.UPDATE if self.issued else MsgType.ALERT,
            identifier=self._identifier(work.version),
            sender=sender,
            sent=at.replace(microsecond=0),
            references=self.references,
            content=work.content,
            edition=edition,
            effective_at=at,
            expires_at=expires_at,
        )

    def propose_update(self, by: Actor, content: Content) -> AlertUpdateProposed:
        """Begins the next version of a live alert; it goes the same road of review."""
        self.check(Command.UPDATE)
        return AlertUpdateProposed(**self._next(by), version=self._issued.version + 1, content=content)

    def cancel(
        self, by: Actor, *, sender: str, reason: str, in_error: bool, at: datetime
    ) -> AlertCancelled:
        """Withdraws a live alert. One person may: a wrong alert must be stopped at once."""
        self.check(Command.CANCEL)
        version = self._issued.version + 1
        return AlertCancelled(
            **self._next(by),
            issuer_id=self.issuer_id,
            version=version,
            identifier=self._identifier(version),
            sender=sender,
            sent=at.replace(microsecond=0),
            references=self.references,
            reason=reason,
            in_error=in_error,
        )

    def expire(self, by: Actor, at: datetime) -> AlertExpired:
        """Ends a live alert whose time is up. Refused before that."""
        self.check(Command.EXPIRE)
        if at < self._issued.expires_at:
            raise RefusedError(Rule.EXPIRY, f"it lives until {self._issued.expires_at.isoformat()}")
        return AlertExpired(**self._next(by), version=self._issued.version)

    def _next(self, by: Actor) -> Place:
        return {"originator_id": self.id, "originator_version": self.version + 1, "by": by}

    def _identifier(self, version: int) -> str:
        # A fact of the event, so every rendering of the CAP message carries the same one.
        return f"hn.{self.id}.{version}"


def reference(sender: str, identifier: str, sent: datetime) -> str:
    """CAP 1.2 §3.2.1: `sender,identifier,sent`, with the time as the message itself wrote it."""
    return f"{sender},{identifier},{sent.astimezone(LOCAL).isoformat(timespec='seconds')}"
