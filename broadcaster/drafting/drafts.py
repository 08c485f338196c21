"""Half-written alerts: what stands in the form, however incomplete, kept so that no text is ever lost.

A draft is a form and no fact, so it is not in the log; what is put up for approval is. Every author of
the body sees and changes the same draft; who changed an older version than there is gets a conflict.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

DRAFTS_DDL = """
CREATE TABLE IF NOT EXISTS drafts (
    id uuid PRIMARY KEY,
    body text NOT NULL,
    alert_id uuid UNIQUE,
    base int,
    fields jsonb NOT NULL,
    version int NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    claimed_at timestamptz
);
CREATE INDEX IF NOT EXISTS drafts_body ON drafts (body, changed_at);
CREATE TABLE IF NOT EXISTS drafts_gone (
    id uuid PRIMARY KEY,
    alert_id uuid,
    gone_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS drafts_gone_at ON drafts_gone (gone_at);
"""

KEPT = timedelta(days=60)
"""Untouched for so long, a draft goes."""
CLAIMED = timedelta(minutes=1)
"""How long putting a draft up for approval may take; after that another may try."""
MOST = 200
"""Drafts of one body."""

Fields = Mapping[str, Sequence[str]]

_COLUMNS = "id, body, alert_id, base, fields, version, changed_by, changed_at"


@dataclass(frozen=True)
class Draft:
    """A form as it was last saved; version 0 was never saved.

    `alert_id` and `base` are set where it rewrites an alert, or proposes its next version: `base` is
    the alert's version when that began.
    """

    id: UUID
    body: str
    alert_id: UUID | None
    base: int | None
    fields: dict[str, list[str]]
    version: int
    changed_by: str
    changed_at: datetime

    def one(self, name: str) -> str:
        """A field's value; empty where it has none."""
        return next(iter(self.fields.get(name, ())), "")


class DraftConflictError(Exception):
    """Someone else saved in between; `current` is theirs."""

    def __init__(self, current: Draft) -> None:
        super().__init__(f"the draft is at version {current.version}")
        self.current = current


class DraftsFullError(Exception):
    """The body has too many drafts."""


class Drafts:
    """The drafts, in their table."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool

    def get(self, draft_id: UUID) -> Draft | None:
        """The draft; None where there is none, or it was put up for approval."""
        with self._pool.connection() as conn:
            return _get(conn, draft_id)

    def of(self, bodies: Collection[str]) -> Sequence[Draft]:
        """The drafts of these bodies, the last changed first."""
        query = f"SELECT {_COLUMNS} FROM drafts WHERE body = ANY(%s) ORDER BY changed_at DESC, id"  # noqa: S608 (constant)
        with self._pool.connection() as conn, conn.cursor(row_factory=class_row(Draft)) as cursor:
            return cursor.execute(query, (list(bodies),)).fetchall()

    def save(
        self, draft_id: UUID, body: str, fields: Fields, *, expected: int, by: str, at: datetime
    ) -> Draft:
        """Keeps the form. `expected` is the version it was typed over, 0 for a new one.

        Saving the very same again changes nothing. Raises DraftConflictError, DraftsFullError, and
        LookupError where the draft is gone.
        """
        with self._pool.connection() as conn:
            if expected == 0 and _get(conn, draft_id) is None:
                _make_room(conn, body, at)
                conn.execute(
                    "INSERT INTO drafts VALUES (%s, %s, NULL, NULL, %s, 1, %s, %s, NULL)"
                    " ON CONFLICT DO NOTHING",
                    (draft_id, body, Jsonb(_plain(fields)), by, at),
                )
                if _went(conn, draft_id) is not None:
                    # A page from before it was put up, sent once more, begins no second one.
                    raise LookupError(f"draft {draft_id} is gone")
            found = _get(conn, draft_id, lock=True)
            if found is None:
                raise LookupError(f"there is no draft {draft_id}")
            if found.body == body and found.fields == _plain(fields):
                return found
            if found.version != expected:
                raise DraftConflictError(found)
            return _put(conn, found, body, fields, by=by, at=at)

    def begin(
        self, alert_id: UUID, base: int, body: str, fields: Fields, *, by: str, at: datetime
    ) -> Draft:
        """The one draft in which an alert is rewritten, begun with these fields where there is none."""
        with self._pool.connection() as conn:
            conn.execute(
                "INSERT INTO drafts VALUES (%s, %s, %s, %s, %s, 1, %s, %s, NULL) ON CONFLICT DO NOTHING",
                (uuid4(), body, alert_id, base, Jsonb(_plain(fields)), by, at),
            )
            row = conn.execute("SELECT id FROM drafts WHERE alert_id = %s", (alert_id,)).fetchone()
            found = _get(conn, row[0]) if row else None
        assert found is not None
        return found

    def overwrite(
        self, draft_id: UUID, body: str, fields: Fields, *, over: int, by: str, at: datetime
    ) -> Draft:
        """Keeps the form in place of the version `over`, whose text stays as a draft of its own.

        Saving the very same again changes nothing. Raises as `save` does.
        """
        with self._pool.connection() as conn:
            found = _get(conn, draft_id, lock=True)
            if found is None:
                raise LookupError(f"there is no draft {draft_id}")
            if found.body == body and found.fields == _plain(fields):
                return found
            if found.version != over:
                raise DraftConflictError(found)
            _make_room(conn, found.body, at)
            conn.execute(
                "INSERT INTO drafts VALUES (%s, %s, NULL, NULL, %s, 1, %s, %s, NULL)",
                (uuid4(), found.body, Jsonb(found.fields), found.changed_by, found.changed_at),
            )
            return _put(conn, found, body, fields, by=by, at=at)

    def claim(self, draft_id: UUID, version: int, at: datetime) -> bool:
        """Whether the caller may put it up for approval: of two who press at once, one."""
        with self._pool.connection() as conn:
            claimed = conn.execute(
                "UPDATE drafts SET claimed_at = %s WHERE id = %s AND version = %s"
                " AND (claimed_at IS NULL OR claimed_at < %s)",
                (at, draft_id, version, at - CLAIMED),
            )
            return claimed.rowcount > 0

    def follow(self, draft_id: UUID, alert_id: UUID, base: int) -> None:
        """From now on it rewrites this alert, as it is at this version; unless another draft does.

        Putting it up may be refused after the alert was begun: the next try goes on with that alert.
        """
        with self._pool.connection() as conn:
            conn.execute(
                "UPDATE drafts SET alert_id = %s, base = %s WHERE id = %s AND NOT EXISTS"
                " (SELECT FROM drafts AS other WHERE other.alert_id = %s AND other.id <> %s)",
                (alert_id, base, draft_id, alert_id, draft_id),
            )

    def release(self, draft_id: UUID) -> None:
        """Gives a claim back: it was refused."""
        with self._pool.connection() as conn:
            conn.execute("UPDATE drafts SET claimed_at = NULL WHERE id = %s", (draft_id,))

    def drop(self, draft_id: UUID, version: int, at: datetime) -> bool:
        """Throws it away; False where it is gone, or is no longer at that version."""
        with self._pool.connection() as conn:
            dropped = conn.execute(
                "WITH dropped AS (DELETE FROM drafts WHERE id = %s AND version = %s RETURNING id, alert_id)"
                " INSERT INTO drafts_gone SELECT id, alert_id, %s FROM dropped ON CONFLICT DO NOTHING",
                (draft_id, version, at),
            )
            return dropped.rowcount > 0

    def alert_of_gone(self, draft_id: UUID) -> UUID | None:
        """The alert that a draft became, or was the next version of; None where it never was one's."""
        with self._pool.connection() as conn:
            went = _went(conn, draft_id)
        return went[0] if went else None


def _plain(fields: Fields) -> dict[str, list[str]]:
    return {name: list(values) for name, values in fields.items()}


def _get(conn: Connection[Any], draft_id: UUID, *, lock: bool = False) -> Draft | None:
    query = f"SELECT {_COLUMNS} FROM drafts WHERE id = %s" + (" FOR UPDATE" if lock else "")  # noqa: S608 (constant)
    with conn.cursor(row_factory=class_row(Draft)) as cursor:
        return cursor.execute(query, (draft_id,)).fetchone()


def _put(conn: Connection[Any], found: Draft, body: str, fields: Fields, *, by: str, at: datetime) -> Draft:
    conn.execute(
        "UPDATE drafts SET body = %s, fields = %s, version = version + 1, changed_by = %s,"
        " changed_at = %s WHERE id = %s",
        (body, Jsonb(_plain(fields)), by, at, found.id),
    )
    saved = _get(conn, found.id)
    assert saved is not None
    return saved


def _went(conn: Connection[Any], draft_id: UUID) -> tuple[UUID | None] | None:
    return conn.execute("SELECT alert_id FROM drafts_gone WHERE id = %s", (draft_id,)).fetchone()


def _make_room(conn: Connection[Any], body: str, at: datetime) -> None:
    conn.execute("DELETE FROM drafts WHERE changed_at < %s", (at - KEPT,))
    conn.execute("DELETE FROM drafts_gone WHERE gone_at < %s", (at - KEPT,))
    row = conn.execute("SELECT count(*) FROM drafts WHERE body = %s", (body,)).fetchone()
    if row is not None and row[0] >= MOST:
        raise DraftsFullError(body)
