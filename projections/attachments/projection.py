"""One row for each file of each version that went out. What was public once stays readable."""

from collections.abc import Sequence
from typing import LiteralString

from psycopg import Connection

from projections.projection import Row, Transaction
from schemas.events import AlertIssued, Recorded

_DDL: LiteralString = """
CREATE TABLE IF NOT EXISTS attachment_uses (
    sha256 text NOT NULL,
    alert_id uuid NOT NULL,
    version int NOT NULL,
    PRIMARY KEY (sha256, alert_id, version)
);
"""
_ADD: LiteralString = "INSERT INTO attachment_uses VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"


class Attachments:
    """The files of every issued version, by digest."""

    name = "attachments"
    topics = frozenset({AlertIssued.TOPIC})
    ddl = _DDL
    tables: tuple[str, ...] = ("attachment_uses",)

    def apply(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        """Notes each file of each version."""
        rows = [
            (each.sha256, event.originator_id, event.version)
            for _, _, event in page
            if isinstance(event, AlertIssued)
            for each in event.content.attachments
        ]
        if rows:
            tx.cursor.executemany(_ADD, rows)


def is_public(conn: Connection[Row], sha256: str) -> bool:
    """Whether a version that went out names the file."""
    return (
        conn.execute("SELECT 1 FROM attachment_uses WHERE sha256 = %s LIMIT 1", (sha256,)).fetchone()
        is not None
    )
