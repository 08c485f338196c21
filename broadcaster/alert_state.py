"""What an alert is after its events. Folds; decides nothing, does no I/O."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, Self
from uuid import UUID

from broadcaster.lifecycle import Life, Stage
from schemas.areas import FIRST_EDITION
from schemas.content import Content, Mode
from schemas.events import (
    AlertApproved,
    AlertCancelled,
    AlertDrafted,
    AlertEvent,
    AlertExpired,
    AlertIssued,
    AlertPreApproved,
    AlertRejected,
    AlertReturned,
    AlertRevised,
    AlertScheduled,
    AlertSubmitted,
    AlertUnscheduled,
    AlertUpdateProposed,
)
from schemas.local_time import HANOI


@dataclass(frozen=True)
class Work:
    """The version in work, and everyone who had a hand in it."""

    version: int
    content: Content
    stage: Stage
    contributors: frozenset[str]
    approved_by: str | None = None
    due_at: datetime | None = None
    """When it goes out by itself."""
    corrects: bool = False
    """What is out is wrong, and this puts it right."""
    edition: str = FIRST_EDITION
    """Of the area register, to which the codes of the content belong."""
    delegation_id: UUID | None = None
    """What it stood on when it was submitted; None: not yet, or on the body's own rights."""


@dataclass(frozen=True)
class Issued:
    """The version that is out."""

    version: int
    content: Content
    edition: str
    sent: datetime
    effective_at: datetime
    expires_at: datetime
    delegation_id: UUID | None = None
    """What it stood on; None: the body's own rights."""


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
class Correction:
    """What was wrong, and when it was put right: the time between is what people lived with."""

    wrong_version: int
    wrong_since: datetime
    put_right_at: datetime
    how: Literal["update", "cancel"]

    @property
    def took(self) -> timedelta:
        """From the error to its correction."""
        return max(self.put_right_at - self.wrong_since, timedelta(0))


@dataclass(frozen=True)
class AlertState:
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
    mode: Mode = Mode.ACTUAL
    corrections: tuple[Correction, ...] = ()

    @property
    def stage(self) -> Stage:
        """Of the version in work."""
        return self.work.stage if self.work else Stage.NONE

    @classmethod
    def fold(cls, state: Self | None, event: AlertEvent) -> Self:
        """The alert after the event."""
        if isinstance(event, AlertDrafted):
            work = Work(
                1,
                event.content,
                Stage.DRAFT,
                frozenset({event.by.account}),
                edition=event.edition or FIRST_EDITION,
            )
            return cls(
                event.originator_id,
                event.originator_version,
                event.issuer_id,
                Life.NEW,
                work,
                mode=event.content.mode,
            )
        assert state is not None, "an alert begins with a draft"
        return replace(state.after(event), version=event.originator_version)

    def after(self, event: AlertEvent) -> Self:
        """The alert after any event but its first."""
        who = event.by.account
        match event:
            case AlertRevised(content=content, edition=edition):
                return self._working(
                    content=content,
                    contributors=self._work.contributors | {who},
                    edition=edition or FIRST_EDITION,
                )
            case AlertSubmitted() | AlertReturned() | AlertApproved() | AlertRejected():
                return self._reviewed(event)
            case AlertPreApproved() | AlertScheduled() | AlertUnscheduled():
                return self._readied(event)
            case AlertUpdateProposed(version=version, content=content, corrects=corrects):
                work = Work(version, content, Stage.DRAFT, frozenset({who}), corrects=corrects)
                work = replace(work, edition=event.edition or FIRST_EDITION)
                return replace(self, work=work, rejected=None)
            case AlertIssued():
                issued = Issued(
                    event.version,
                    event.content,
                    event.edition,
                    event.sent,
                    event.effective_at,
                    event.expires_at,
                    event.delegation_id,
                )
                return replace(
                    self,
                    life=Life.LIVE,
                    work=None,
                    issued=issued,
                    references=(*self.references, reference(event.sender, event.identifier, event.sent)),
                    corrections=self._corrected(event),
                )
            case AlertCancelled():
                withdrawn = Withdrawn(event.version, event.reason, event.sent)
                corrections = self._corrected(event)
                return replace(
                    self, life=Life.CANCELLED, work=None, withdrawn=withdrawn, corrections=corrections
                )
            case AlertExpired():
                return replace(self, life=Life.EXPIRED, work=None)
            case AlertDrafted():
                raise AssertionError("an alert is drafted once")

    def _reviewed(self, event: AlertSubmitted | AlertReturned | AlertApproved | AlertRejected) -> Self:
        who = event.by.account
        match event:
            case AlertSubmitted(delegation_id=given):
                contributors = self._work.contributors | {who}
                return self._working(stage=Stage.SUBMITTED, contributors=contributors, delegation_id=given)
            case AlertReturned():
                return self._working(stage=Stage.DRAFT, approved_by=None, due_at=None, delegation_id=None)
            case AlertApproved():
                return self._working(stage=Stage.APPROVED, approved_by=who)
            case AlertRejected(version=version, reason=reason):
                life = self.life if self.issued else Life.REJECTED
                return replace(self, life=life, work=None, rejected=Rejected(version, reason))

    def _readied(self, event: AlertPreApproved | AlertScheduled | AlertUnscheduled) -> Self:
        match event:
            case AlertPreApproved(approved_by=approver):
                return self._working(stage=Stage.APPROVED, approved_by=approver)
            case AlertScheduled(due_at=due_at):
                return self._working(stage=Stage.SCHEDULED, due_at=due_at)
            case AlertUnscheduled():
                return self._working(stage=Stage.APPROVED, due_at=None)

    def _corrected(self, event: AlertIssued | AlertCancelled) -> tuple[Correction, ...]:
        if self.issued is None:
            return self.corrections
        wrong = (self.issued.version, self.issued.effective_at)
        match event:
            case AlertIssued(effective_at=at) if self._work.corrects:
                return (*self.corrections, Correction(*wrong, at, "update"))
            case AlertCancelled(sent=at, in_error=True):
                return (*self.corrections, Correction(*wrong, at, "cancel"))
            case _:
                return self.corrections

    def _working(self, **changes: object) -> Self:
        return replace(self, work=replace(self._work, **changes))  # type: ignore[arg-type]

    @property
    def _work(self) -> Work:
        assert self.work is not None
        return self.work

    @property
    def _issued(self) -> Issued:
        assert self.issued is not None
        return self.issued


def reference(sender: str, identifier: str, sent: datetime) -> str:
    """CAP 1.2 §3.2.1: `sender,identifier,sent`, with the time as the message itself wrote it."""
    return f"{sender},{identifier},{sent.astimezone(HANOI).isoformat(timespec='seconds')}"
