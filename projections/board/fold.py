"""How an alert's row on the board follows from its events. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never
from uuid import UUID

from projections.rows import storable
from schemas.content import Content, MsgType
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

Status = Literal["in_work", "live", "cancelled", "expired", "rejected"]
Stage = Literal["draft", "submitted", "approved", "scheduled"]


@dataclass(frozen=True)
class BoardRow:
    """How an alert stands.

    `status` is in_work until the first issue, or rejected where there will be none. From the issue on
    all but `stage` tells of the version that is out: its number, content, CAP message and times.
    `stage` is that of the version in work, which a live alert may have too; None when there is none.
    `reason` says why it was withdrawn or rejected.
    `changed_at` and `position` are those of its latest event.
    """

    alert_id: UUID
    issuer_id: str
    status: Status
    stage: Stage | None
    version: int
    msg_type: MsgType | None
    content: Content
    edition: str | None
    identifier: str | None
    sent: datetime | None
    effective_at: datetime | None
    expires_at: datetime | None
    reason: str | None
    due_at: datetime | None
    """When the version in work goes out by itself."""
    changed_at: datetime
    position: int


class UndraftedError(LookupError):
    """An event of an alert that was never drafted."""


def fold(rows: Mapping[UUID, BoardRow], event: AlertEvent, at: datetime, position: int) -> BoardRow:
    """The row of the event's alert after it. Raises UndraftedError."""
    if isinstance(event, AlertDrafted):
        return _drafted(event, at, position)
    row = rows.get(event.originator_id)
    if row is None:
        raise UndraftedError(f"{event.TOPIC} of {event.originator_id}")
    return replace(_after(row, event), changed_at=at, position=position)


def _after(row: BoardRow, event: AlertEvent) -> BoardRow:
    match event:
        case AlertDrafted():
            raise AssertionError("an alert is drafted once")
        case AlertRevised(content=content):
            return replace(row, content=content) if row.status == "in_work" else row
        case AlertSubmitted():
            return replace(row, stage="submitted")
        case AlertApproved() | AlertPreApproved() | AlertUnscheduled():
            return replace(row, stage="approved", due_at=None)
        case AlertScheduled(due_at=due_at):
            return replace(row, stage="scheduled", due_at=due_at)
        case AlertReturned() | AlertUpdateProposed():
            return replace(row, stage="draft", due_at=None)
        case AlertIssued():
            return _issued(row, event)
        case AlertCancelled():
            return replace(
                row,
                status="cancelled",
                stage=None,
                due_at=None,
                version=event.version,
                msg_type=MsgType.CANCEL,
                identifier=event.identifier,
                sent=event.sent,
                reason=storable(event.reason),
            )
        case AlertExpired() | AlertRejected():
            return _ended(row, event)
    assert_never(event)


def _ended(row: BoardRow, event: AlertExpired | AlertRejected) -> BoardRow:
    match event:
        case AlertExpired():
            return replace(row, status="expired", stage=None, due_at=None)
        case AlertRejected(reason=reason) if row.status == "in_work":
            return replace(row, status="rejected", stage=None, due_at=None, reason=storable(reason))
        case AlertRejected():
            # What is out stays as it is; why its next version will not come is not its reason.
            return replace(row, stage=None, due_at=None)


def _drafted(event: AlertDrafted, at: datetime, position: int) -> BoardRow:
    return BoardRow(
        alert_id=event.originator_id,
        issuer_id=event.issuer_id,
        status="in_work",
        stage="draft",
        version=1,
        msg_type=None,
        content=event.content,
        edition=None,
        identifier=None,
        sent=None,
        effective_at=None,
        expires_at=None,
        reason=None,
        due_at=None,
        changed_at=at,
        position=position,
    )


def _issued(row: BoardRow, event: AlertIssued) -> BoardRow:
    return replace(
        row,
        status="live",
        stage=None,
        due_at=None,
        version=event.version,
        msg_type=event.msg_type,
        content=event.content,
        edition=event.edition,
        identifier=event.identifier,
        sent=event.sent,
        effective_at=event.effective_at,
        expires_at=event.expires_at,
    )
