"""What the API answers: what all answers share, and those about alerts."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, PlainSerializer

from broadcaster.alert import Alert
from broadcaster.alert_state import Correction, Work
from broadcaster.lifecycle import Life, Stage
from broadcaster.web.story import Story
from projections.board.view import BoardRow
from schemas.content import Content, Mode, MsgType


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Instant = Annotated[datetime, PlainSerializer(_instant, when_used="json")]
"""UTC, to the millisecond."""


class Answer(BaseModel):
    """What every answer has in common."""

    model_config = ConfigDict(frozen=True, from_attributes=True, use_attribute_docstrings=True)


class WorkAnswer(Answer):
    """The version in work."""

    version: int
    stage: Stage
    due_at: Instant | None
    """When it goes out by itself."""
    corrects: bool
    """What is out is wrong, and this puts it right."""
    content: Content
    contributors: tuple[str, ...]
    """None of them may approve it."""
    approved_by: str | None
    delegation_id: UUID | None
    """The delegation it stood on when it was submitted; none where the body's own rights are enough."""


class IssuedAnswer(Answer):
    """The version that is out."""

    version: int
    content: Content
    edition: str
    """Of the area register, to which the codes belong."""
    sent: Instant
    effective_at: Instant
    expires_at: Instant
    delegation_id: UUID | None
    """The delegation it stood on; none where the body's own rights were enough."""


class MessageAnswer(Answer):
    """One message that went out, by its CAP identity."""

    version: int
    msg_type: MsgType
    identifier: str
    sender: str
    sent: Instant


class RejectedAnswer(Answer):
    """The version that was turned down last."""

    version: int
    reason: str


class CorrectionAnswer(Answer):
    """What was wrong, and how long people lived with it."""

    wrong_version: int
    wrong_since: Instant
    put_right_at: Instant
    how: Literal["update", "cancel"]
    seconds: float
    """From the error to its correction."""


class AlertState(Answer):
    """Where an alert stands. `work`, its `stage` and `rejected` are for staff of its own body only."""

    id: UUID
    version: int
    """How many events made it: its ETag."""
    issuer: str
    mode: Mode
    """An exercise or a test goes to testers and drill screens only."""
    life: Life
    stage: Stage
    issued: IssuedAnswer | None
    work: WorkAnswer | None
    rejected: RejectedAnswer | None
    corrections: tuple[CorrectionAnswer, ...]


class AlertAnswer(AlertState):
    """An alert with every message that went out."""

    messages: tuple[MessageAnswer, ...]
    reason: str | None
    """Why it was withdrawn."""
    in_error: bool
    """Whether it should never have been issued."""


class AlertSummary(Answer):
    """One line of the list."""

    id: UUID
    issuer: str
    status: Literal["in_work", "live", "cancelled", "expired", "rejected"]
    mode: Mode
    stage: Literal["draft", "submitted", "approved", "scheduled"] | None
    due_at: Instant | None
    """When the version in work goes out by itself."""
    version: int
    msg_type: MsgType | None
    content: Content
    edition: str | None
    sent: Instant | None
    effective_at: Instant | None
    expires_at: Instant | None
    reason: str | None
    changed_at: Instant


class AlertPage(Answer):
    """Alerts, the latest changed first. `before` fetches the next page; none is left without it."""

    alerts: list[AlertSummary]
    before: int | None


def alert_state(alert: Alert) -> AlertState:
    """An alert as staff of its body see it."""
    return AlertState.model_validate(_facts(alert, inside=True))


def alert_answer(story: Story, *, inside: bool) -> AlertAnswer:
    """An alert as staff of its body see it, or as everyone does."""
    messages = [MessageAnswer.model_validate(message) for message in story.told]
    public = {"messages": messages, "reason": story.reason, "in_error": story.in_error}
    return AlertAnswer.model_validate(_facts(story.alert, inside=inside) | public)


def alert_summary(row: BoardRow, *, inside: bool) -> AlertSummary:
    """A line of the list."""
    facts = {name: getattr(row, name) for name in _SUMMARY}
    shown = {
        "id": row.alert_id,
        "issuer": row.issuer_id,
        "stage": row.stage if inside else None,
        "due_at": row.due_at if inside else None,
        "mode": row.content.mode,
    }
    return AlertSummary.model_validate(facts | shown)


_SUMMARY = AlertSummary.model_fields.keys() - {"id", "issuer", "stage", "due_at", "mode"}


def _facts(alert: Alert, *, inside: bool) -> dict[str, Any]:
    return {
        "id": alert.id,
        "version": alert.version,
        "issuer": alert.issuer_id,
        "mode": alert.mode,
        "life": alert.life,
        "stage": alert.stage if inside else Stage.NONE,
        "issued": IssuedAnswer.model_validate(alert.issued) if alert.issued else None,
        "work": _work(alert.work) if alert.work and inside else None,
        "rejected": RejectedAnswer.model_validate(alert.rejected) if alert.rejected and inside else None,
        "corrections": tuple(_correction(one) for one in alert.corrections),
    }


def _correction(one: Correction) -> CorrectionAnswer:
    return CorrectionAnswer(
        wrong_version=one.wrong_version,
        wrong_since=one.wrong_since,
        put_right_at=one.put_right_at,
        how=one.how,
        seconds=one.took.total_seconds(),
    )


def _work(work: Work) -> WorkAnswer:
    return WorkAnswer(
        version=work.version,
        stage=work.stage,
        due_at=work.due_at,
        corrects=work.corrects,
        content=work.content,
        contributors=tuple(sorted(work.contributors)),
        approved_by=work.approved_by,
        delegation_id=work.delegation_id,
    )
