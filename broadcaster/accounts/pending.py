"""Secrets shown to a manager who asked, kept as digests until a second manager confirms.

Until then they open nothing: neither the table of accounts nor that of keys knows them.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

PENDING_DDL = """
CREATE TABLE IF NOT EXISTS access_pending (
    request_id uuid PRIMARY KEY,
    secret_hash bytea NOT NULL,
    lapses_at timestamptz NOT NULL
);
"""


def keep_in(
    conn: Connection[Any], request_id: UUID, secret_hash: bytes, lapses_at: datetime, at: datetime
) -> None:
    """Keeps a digest with its request, in the caller's transaction; forgets those that lapsed."""
    conn.execute("DELETE FROM access_pending WHERE lapses_at <= %s", (at,))
    conn.execute("INSERT INTO access_pending VALUES (%s, %s, %s)", (request_id, secret_hash, lapses_at))


def take_in(conn: Connection[Any], request_id: UUID) -> bytes | None:
    """The digest of the request, which is forgotten with it; None where there is none."""
    row = conn.execute(
        "DELETE FROM access_pending WHERE request_id = %s RETURNING secret_hash", (request_id,)
    ).fetchone()
    return bytes(row[0]) if row else None
