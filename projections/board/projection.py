"""The board's rows: one for each alert, and the areas of those that are live."""

from collections.abc import Iterable, Sequence
from typing import get_args

from psycopg import Cursor

from projections.board.fold import BoardRow, fold
from projections.board.view import load
from projections.projection import Row, Transaction
from schemas.events import AlertEvent, Recorded

BOARD_DDL = """
CREATE TABLE IF NOT EXISTS board_alerts (
    alert_id uuid PRIMARY KEY,
    issuer_id text NOT NULL,
    status text NOT NULL,
    stage text,
    version int NOT NULL,
    msg_type text,
    content jsonb NOT NULL,
    edition text,
    identifier text,
    sent timestamptz,
    effective_at timestamptz,
    expires_at timestamptz,
    reason text,
    due_at timestamptz,
    changed_at timestamptz NOT NULL,
    position bigint NOT NULL,
    mode text NOT NULL
);
CREATE INDEX IF NOT EXISTS board_alerts_newest ON board_alerts (position);
CREATE INDEX IF NOT EXISTS board_alerts_status ON board_alerts (status, position);
CREATE INDEX IF NOT EXISTS board_alerts_issuer ON board_alerts (issuer_id, position);
CREATE INDEX IF NOT EXISTS board_alerts_areas ON board_alerts USING gin ((content->'areas'));
CREATE INDEX IF NOT EXISTS board_alerts_due ON board_alerts (expires_at) WHERE status = 'live';
CREATE INDEX IF NOT EXISTS board_alerts_scheduled ON board_alerts (due_at) WHERE stage = 'scheduled';
CREATE TABLE IF NOT EXISTS board_areas (
    area text NOT NULL,
    alert_id uuid NOT NULL,
    PRIMARY KEY (area, alert_id)
);
CREATE INDEX IF NOT EXISTS board_areas_alert ON board_areas (alert_id);
"""

_UPSERT = """
INSERT INTO board_alerts VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (alert_id) DO UPDATE SET
    status = excluded.status, stage = excluded.stage, version = excluded.version,
    msg_type = excluded.msg_type, content = excluded.content, edition = excluded.edition,
    identifier = excluded.identifier, sent = excluded.sent, effective_at = excluded.effective_at,
    expires_at = excluded.expires_at, reason = excluded.reason, due_at = excluded.due_at,
    changed_at = excluded.changed_at, position = excluded.position
"""


class Board:
    """Every alert's current standing, and what is live where."""

    name = "board"
    topics = frozenset(event.TOPIC for event in get_args(AlertEvent))
    ddl = BOARD_DDL
    tables: tuple[str, ...] = ("board_alerts", "board_areas")

    def apply(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        """Folds a page in memory and writes each alert of it once."""
        events = [(position, at, event) for position, at, event in page if isinstance(event, AlertEvent)]
        changed = {event.originator_id for _, _, event in events}
        rows = load(tx.cursor, list(changed))
        for position, at, event in events:
            rows[event.originator_id] = fold(rows, event, at, position)
        _write(tx.cursor, rows.values())


def _write(cursor: Cursor[Row], rows: Iterable[BoardRow]) -> None:
    rows = list(rows)
    cursor.executemany(_UPSERT, [_values(row) for row in rows])
    cursor.execute("DELETE FROM board_areas WHERE alert_id = ANY(%s)", ([row.alert_id for row in rows],))
    live = [row for row in rows if row.status == "live"]
    cursor.executemany(
        "INSERT INTO board_areas VALUES (%s, %s)",
        [(area, row.alert_id) for row in live for area in row.content.areas],
    )


def _values(row: BoardRow) -> Row:
    return (
        row.alert_id,
        row.issuer_id,
        row.status,
        row.stage,
        row.version,
        row.msg_type,
        row.content.model_dump_json(),
        row.edition,
        row.identifier,
        row.sent,
        row.effective_at,
        row.expires_at,
        row.reason,
        row.due_at,
        row.changed_at,
        row.position,
        row.content.mode,
    )
