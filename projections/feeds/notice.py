"""An alert as screens need it: what is told, how urgently, where and until when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from schemas.content import Content, Lane, Severity, Urgency
from schemas.content import Mode as Status
from schemas.events import AlertCancelled, AlertIssued

Mode = Literal["preempt", "rotate"]

KEPT = timedelta(hours=24)
"""How long a feed names what was cancelled."""

_SEVERITY = {
    Severity.EXTREME: 50,
    Severity.SEVERE: 40,
    Severity.MODERATE: 25,
    Severity.UNKNOWN: 20,
    Severity.MINOR: 10,
}
_URGENCY = {
    Urgency.IMMEDIATE: 30,
    Urgency.EXPECTED: 20,
    Urgency.UNKNOWN: 15,
    Urgency.FUTURE: 10,
    Urgency.PAST: 0,
}
_LANE = {Lane.EMERGENCY: 20, Lane.ALERT: 10, Lane.BULLETIN: 0}


@dataclass(frozen=True)
class Notice:
    """One live version of an alert that goes out on screens."""

    alert_id: UUID
    rev: int
    edition: str
    areas: tuple[str, ...]
    kind: str
    mode: Mode
    priority: int
    severity: str
    risk_level: int | None
    starts_at: datetime
    expires_at: datetime
    text: str
    status: Status = Status.ACTUAL


@dataclass(frozen=True)
class Withdrawn:
    """A notice that was cancelled; `rev` is the version of the cancelling message."""

    alert_id: UUID
    rev: int
    edition: str
    areas: tuple[str, ...]
    at: datetime
    status: Status = Status.ACTUAL

    def recent(self, at: datetime) -> bool:
        """Whether a feed made at that instant still names it."""
        return self.at > at - KEPT


def priority(content: Content) -> int:
    """From 10 to 100; only an emergency has 100."""
    return _SEVERITY[content.severity] + _URGENCY[content.urgency] + _LANE[content.lane]


def mode(content: Content) -> Mode:
    """An emergency, or anything extreme, has the screen for itself; the rest take turns."""
    alone = content.lane is Lane.EMERGENCY or content.severity is Severity.EXTREME
    return "preempt" if alone else "rotate"


def notice(issued: AlertIssued) -> Notice:
    """What screens need of an issued version. Text is the sign text in Vietnamese, or the headline."""
    content = issued.content
    words = content.text("vi")
    return Notice(
        alert_id=issued.originator_id,
        rev=issued.version,
        edition=issued.edition,
        areas=content.areas,
        kind=content.kind.value,
        mode=mode(content),
        priority=priority(content),
        severity=content.severity.value,
        risk_level=content.risk_level,
        starts_at=issued.effective_at,
        expires_at=issued.expires_at,
        text=words.sign_text or words.headline,
        status=content.mode,
    )


def withdrawn(live: Notice, cancelled: AlertCancelled, at: datetime) -> Withdrawn:
    """What is left of a live notice when it is cancelled."""
    return Withdrawn(live.alert_id, cancelled.version, live.edition, live.areas, at, live.status)
