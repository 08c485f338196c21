"""Dead letters: receipts with recipients that were given up, and what an operator did about each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from projections.projection import Transaction
from projections.rows import storable
from schemas.dispatch import Outcome, Receipt
from schemas.events import DeadLetterReplayed, DeadLetterWrittenOff

LETTERS_DDL = """
CREATE TABLE IF NOT EXISTS reach_dead_letters (
    dispatch_id uuid PRIMARY KEY,
    position bigint NOT NULL,
    died_at timestamptz NOT NULL,
    alert_id uuid NOT NULL,
    version int NOT NULL,
    channel text NOT NULL,
    lane text NOT NULL,
    count bigint NOT NULL,
    areas jsonb NOT NULL,
    reasons jsonb NOT NULL,
    provider text NOT NULL,
    attempt int NOT NULL,
    replay_of uuid,
    replayable boolean NOT NULL,
    expires_at timestamptz NOT NULL,
    state text NOT NULL,
    settled_at timestamptz,
    settled_by text,
    settled_because text,
    next_dispatch_id uuid
);
CREATE INDEX IF NOT EXISTS reach_dead_letters_position ON reach_dead_letters (position);
CREATE INDEX IF NOT EXISTS reach_dead_letters_alert ON reach_dead_letters (alert_id, position);
"""
_BORN = """
INSERT INTO reach_dead_letters VALUES
    (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'open')
"""
_SETTLED = """
UPDATE reach_dead_letters SET state = %s, settled_at = %s, settled_by = %s, settled_because = %s,
    next_dispatch_id = %s WHERE dispatch_id = %s
"""
NAME, REASON = 120, 500
"""Most characters that are kept."""


@dataclass
class Letters:
    """What a page says of dead letters. It may hold the death and the settlement of one."""

    _born: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    _settled: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])

    def ended(self, position: int, at: datetime, receipt: Receipt, reasons: dict[str, int]) -> None:
        """Takes up a receipt that gave someone up. Whom a topic did not reach, get it by token."""
        order, count = receipt.dispatch, receipt.counts.get(Outcome.DEAD, 0)
        if not count or order.topic:
            return
        areas = {
            area: counts[Outcome.DEAD] for area, counts in receipt.by_area.items() if Outcome.DEAD in counts
        }
        place = (
            order.id,
            position,
            at,
            order.alert_id,
            order.version,
            order.channel.value,
            order.lane.value,
        )
        what = (count, Jsonb(areas), Jsonb(reasons), storable(receipt.provider, NAME), order.attempt)
        more = (order.replay_of, receipt.dead_ranks is not None, order.expires_at)
        self._born.append((*place, *what, *more))

    def replayed(self, at: datetime, event: DeadLetterReplayed) -> None:
        """It was ordered again."""
        self._settled.append(("replayed", at, *_whose(event), event.dispatch.id, event.originator_id))

    def written_off(self, at: datetime, event: DeadLetterWrittenOff) -> None:
        """It was let be."""
        self._settled.append(("written_off", at, *_whose(event), None, event.originator_id))

    def write(self, tx: Transaction) -> None:
        """Deaths first: a settlement never comes before them."""
        _each(tx, _BORN, self._born)
        _each(tx, _SETTLED, self._settled)


def _whose(event: DeadLetterReplayed | DeadLetterWrittenOff) -> tuple[str, str]:
    return storable(event.by.account, NAME), storable(event.reason, REASON)


def _each(tx: Transaction, query: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        tx.cursor.executemany(query.encode(), rows)
