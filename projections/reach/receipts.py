"""The receipts of dispatches, a row each: what monitors and the dead letters are looked up by."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from projections.projection import Row, Transaction
from projections.rows import copy_rows, jsonb, storable
from schemas.dispatch import Outcome, Receipt

RECEIPTS_DDL = """
CREATE TABLE IF NOT EXISTS reach_receipts (
    position bigint PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    dispatch_id uuid NOT NULL,
    alert_id uuid NOT NULL,
    version int NOT NULL,
    channel text NOT NULL,
    lane text NOT NULL,
    first_rank bigint NOT NULL,
    last_rank bigint NOT NULL,
    attempt int NOT NULL,
    counts jsonb NOT NULL,
    unknown bigint NOT NULL,
    reasons jsonb NOT NULL,
    provider text NOT NULL,
    dead bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS reach_receipts_channel ON reach_receipts (channel, position);
CREATE INDEX IF NOT EXISTS reach_receipts_dead ON reach_receipts (position) WHERE dead > 0;
"""

_COLUMNS = {
    "position": "int8",
    "recorded_at": "timestamptz",
    "dispatch_id": "uuid",
    "alert_id": "uuid",
    "version": "int4",
    "channel": "text",
    "lane": "text",
    "first_rank": "int8",
    "last_rank": "int8",
    "attempt": "int4",
    "counts": "jsonb",
    "unknown": "int8",
    "reasons": "jsonb",
    "provider": "text",
    "dead": "int8",
}
NAME = 120
"""Most characters of a provider's name, or of its name for an error."""


def row_of(position: int, recorded_at: datetime, receipt: Receipt, reasons: dict[str, int]) -> Row:
    """The receipt's row."""
    dispatch, counts = receipt.dispatch, receipt.counts
    return (
        position,
        recorded_at,
        dispatch.id,
        dispatch.alert_id,
        dispatch.version,
        dispatch.channel,
        dispatch.lane,
        dispatch.first,
        dispatch.last,
        dispatch.attempt,
        jsonb(counts),
        receipt.unknown,
        jsonb(reasons),
        storable(receipt.provider, NAME),
        counts.get(Outcome.DEAD, 0),
    )


def reasons_of(receipt: Receipt) -> dict[str, int]:
    """The provider's errors and how many of each, as rows keep them."""
    if not receipt.reasons:
        return {}
    reasons: Counter[str] = Counter()
    for reason, count in receipt.reasons.items():
        reasons[storable(reason, NAME)] += count
    return dict(reasons)


def note(tx: Transaction, receipts: Iterable[Row]) -> None:
    """Writes a page's rows."""
    copy_rows(tx.cursor, "reach_receipts", _COLUMNS, receipts)
