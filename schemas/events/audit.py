"""Events that only the audit reads: what was refused, what was handed out."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from schemas.events.base import Event


class AttemptRefused(Event, topic="attempt.refused"):
    """A command broke a rule and changed nothing. One event, one stream."""

    command: str
    rule: str
    detail: str
    alert_id: UUID | None = None
    issuer_id: str | None = None


class EvidenceExported(Event, topic="evidence.exported"):
    """What the log holds of one alert was handed out, up to a position; one event, one stream."""

    alert_id: UUID
    upto: Annotated[int, Field(ge=1)]
    sha256: str
    """Of the bundle's bytes."""


AuditEvent = AttemptRefused | EvidenceExported
