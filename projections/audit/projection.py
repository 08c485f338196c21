"""Keeps a line for every event."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from projections.audit import concerned
from projections.audit.concerned import NAME
from projections.audit.words import describe
from projections.projection import Transaction
from projections.rows import copy_rows, storable
from schemas.events import (
    TOPICS,
    AlertApproved,
    AlertCancelled,
    AlertDrafted,
    AlertExpired,
    AlertIssued,
    AlertPreApproved,
    AlertRejected,
    AlertReturned,
    AlertRevised,
    AlertScheduled,
    AlertScreensExcluded,
    AlertScreensReadmitted,
    AlertSubmitted,
    AlertUnscheduled,
    AlertUpdateProposed,
    AnyEvent,
    AttemptRefused,
    AudienceFrozen,
    DeadLetterReplayed,
    DeadLetterWrittenOff,
    EvidenceExported,
    ExportMade,
    ReceiptRecorded,
    Recorded,
    ScreenShowed,
    SmsBudgetExceeded,
    SmsBudgetReserved,
    SmsBudgetStopped,
    SmsDelivered,
)

DDL = """
CREATE TABLE IF NOT EXISTS audit_entries (
    position bigint PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    topic text NOT NULL,
    stream uuid NOT NULL,
    version bigint NOT NULL,
    account text NOT NULL,
    body text,
    alert_id uuid,
    summary text NOT NULL,
    summary_en text NOT NULL
);
CREATE INDEX IF NOT EXISTS audit_entries_screen ON audit_entries (stream, position)
    WHERE topic LIKE 'screen.%';
CREATE INDEX IF NOT EXISTS audit_entries_person ON audit_entries (stream, position)
    WHERE topic LIKE 'account.%' OR topic LIKE 'role.%';
CREATE INDEX IF NOT EXISTS audit_entries_key ON audit_entries (stream, position) WHERE topic LIKE 'key.%';
CREATE INDEX IF NOT EXISTS audit_entries_topic ON audit_entries (topic, position);
CREATE INDEX IF NOT EXISTS audit_entries_account ON audit_entries (account, position);
CREATE INDEX IF NOT EXISTS audit_entries_body ON audit_entries (body, position) WHERE body IS NOT NULL;
CREATE INDEX IF NOT EXISTS audit_entries_alert ON audit_entries (alert_id, position)
    WHERE alert_id IS NOT NULL;
"""

_ENTRIES = {
    "position": "int8",
    "recorded_at": "timestamptz",
    "topic": "text",
    "stream": "uuid",
    "version": "int8",
    "account": "text",
    "body": "text",
    "alert_id": "uuid",
    "summary": "text",
    "summary_en": "text",
}


class Audit:
    """One row an event, for ever; and which bodies it is about."""

    name = "audit"
    topics = frozenset(TOPICS)
    ddl = DDL + concerned.CONCERNED_DDL
    tables: tuple[str, ...] = ("audit_entries", *concerned.TABLES)

    def apply(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        """Writes the page's lines."""
        copy_rows(tx.cursor, "audit_entries", _ENTRIES, map(_entry, page))
        concerned.write(tx.cursor, page)


def _entry(recorded: Recorded) -> tuple[Any, ...]:
    position, recorded_at, event = recorded
    return (
        position,
        recorded_at,
        event.TOPIC,
        event.originator_id,
        event.originator_version,
        storable(event.by.account, NAME),
        event.by.body and storable(event.by.body, NAME),
        alert_of(event),
        *(storable(line) for line in describe(event)),
    )


def alert_of(event: AnyEvent) -> UUID | None:
    """The one alert an event is about; None where it is about none, or about several."""
    found = None
    match event:
        case ReceiptRecorded(receipt=receipt):
            found = receipt.dispatch.alert_id
        case DeadLetterReplayed(dispatch=order):
            found = order.alert_id
        case (
            AlertDrafted()
            | AlertRevised()
            | AlertSubmitted()
            | AlertReturned()
            | AlertRejected()
            | AlertApproved()
            | AlertPreApproved()
            | AlertScheduled()
            | AlertUnscheduled()
            | AlertIssued()
            | AlertUpdateProposed()
            | AlertCancelled()
            | AlertExpired()
        ):
            found = event.originator_id
        case (
            AudienceFrozen(alert_id=alert_id)
            | AttemptRefused(alert_id=alert_id)
            | DeadLetterWrittenOff(alert_id=alert_id)
            | EvidenceExported(alert_id=alert_id)
            | ExportMade(alert_id=alert_id)
            | AlertScreensExcluded(alert_id=alert_id)
            | AlertScreensReadmitted(alert_id=alert_id)
            | SmsBudgetReserved(alert_id=alert_id)
            | SmsBudgetExceeded(alert_id=alert_id)
            | SmsBudgetStopped(alert_id=alert_id)
            | SmsDelivered(alert_id=alert_id)
        ):
            found = alert_id
        case ScreenShowed(shown=shown):
            alerts = {one.alert_id for one in shown}
            found = alerts.pop() if len(alerts) == 1 else None
        case _:
            pass
    return found
