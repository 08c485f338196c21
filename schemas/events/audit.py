"""Events that only the audit reads: what was refused, what was handed out."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.events.base import Event

Exported = Literal["log", "accounting", "cadence_report", "audit"]
"""What is handed out as a file, besides evidence."""


class AttemptRefused(Event, topic="attempt.refused"):
    """A command broke a rule and changed nothing. One event, one stream.

    It says what the latest of `times` attempts was: by one account, at one command, against one rule.
    """

    command: str
    rule: str
    detail: str
    alert_id: UUID | None = None
    issuer_id: str | None = None
    times: Annotated[int, Field(ge=1, exclude_if=lambda times: times == 1)] = 1


class EvidenceExported(Event, topic="evidence.exported"):
    """What the log holds of one alert was handed out, up to a position; one event, one stream."""

    alert_id: UUID
    upto: Annotated[int, Field(ge=1)]
    sha256: str
    """Of the bundle's bytes."""


class ExportMade(Event, topic="export.made"):
    """A file of what the house holds was handed out; one event, one stream."""

    what: Exported
    form: str
    """Of the file: jsonl, csv, xlsx, html, json."""
    filters: dict[str, str]
    """What was asked for, by name."""
    upto: Annotated[int, Field(ge=0)] | None = None
    """The last position it tells of; None where it follows a view."""
    sha256: str | None = None
    """Of the file's bytes; None for the log, whose chain says what it holds up to there."""
    alert_id: UUID | None = None


AuditEvent = AttemptRefused | EvidenceExported | ExportMade
