"""Sessions of the console: 256 random bits in a cookie, of which only the SHA-256 is kept."""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool

SESSIONS_DDL = """
CREATE TABLE IF NOT EXISTS sessions (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    account text NOT NULL,
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    fresh_at timestamptz NOT NULL,
    user_agent text NOT NULL
);
CREATE INDEX IF NOT EXISTS sessions_account ON sessions (account);
CREATE INDEX IF NOT EXISTS sessions_created ON sessions (created_at);
"""

_AGENT = 200
_NOTED_EVERY = timedelta(minutes=1)
_COLUMNS = "s.id, s.account, s.created_at, s.seen_at, s.fresh_at, s.user_agent"
_HOLDS = (
    " FROM sessions s JOIN accounts a ON a.name = s.account"
    " WHERE a.state = 'active' AND s.created_at > %s AND s.seen_at > %s AND "
)
"""Neither ended nor of a closed account; bound to what `_times` answers."""
_OF_TOKEN = f"SELECT {_COLUMNS}{_HOLDS}s.token_hash = %s"
_STILL = f"SELECT s.id{_HOLDS}s.id = ANY(%s)"


@dataclass(frozen=True)
class Limits:
    """How long a session lasts unused, how long at most, and how long a second factor is fresh."""

    idle: timedelta = timedelta(minutes=30)
    longest: timedelta = timedelta(hours=12)
    fresh: timedelta = timedelta(minutes=10)


@dataclass(frozen=True)
class Session:
    """Someone signed in, on one browser. `fresh_at` is when a second factor was last given."""

    id: UUID
    account: str
    created_at: datetime
    seen_at: datetime
    fresh_at: datetime
    user_agent: str


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def csrf_of(token: str) -> bytes:
    """What the session's forms carry: follows from the token, and tells nothing of it."""
    return hashlib.sha256(b"csrf\n" + token.encode("utf-8", "surrogateescape")).digest()


class Sessions:
    """The sessions, in their table."""

    def __init__(self, pool: ConnectionPool[Any], limits: Limits | None = None) -> None:
        self._pool, self.limits = pool, limits or Limits()

    def open(self, account: str, user_agent: str, at: datetime, *, fresh_at: datetime | None = None) -> str:
        """A new session of an account that has just proved itself; answers its token.

        `fresh_at` is when a second factor was given, where that was not now.
        """
        token = secrets.token_urlsafe(32)
        with self._pool.connection() as conn:
            conn.execute("DELETE FROM sessions WHERE created_at < %s", (at - self.limits.longest,))
            conn.execute(
                "INSERT INTO sessions VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (uuid4(), _digest(token), account, at, at, fresh_at or at, user_agent[:_AGENT]),
            )
        return token

    def find(self, token: str, at: datetime) -> Session | None:
        """Whose it is; None where it is unknown, has ended, or its account is closed. Notes the use."""
        with self._pool.connection() as conn, conn.cursor(row_factory=class_row(Session)) as cursor:
            found = cursor.execute(_OF_TOKEN, (*self._times(at), _digest(token))).fetchone()
            if found is not None and at - found.seen_at >= _NOTED_EVERY:
                cursor.execute("UPDATE sessions SET seen_at = %s WHERE id = %s", (at, found.id))
        return found

    def peek(self, conn: Connection[Any], token: str, at: datetime) -> Session | None:
        """As `find`, but it is no use of the session: a stream that stays open must not keep it alive."""
        with conn.cursor(row_factory=class_row(Session)) as cursor:
            return cursor.execute(_OF_TOKEN, (*self._times(at), _digest(token))).fetchone()

    def still(self, conn: Connection[Any], sessions: Collection[UUID], at: datetime) -> set[UUID]:
        """Those of the sessions that still hold; no use of them either."""
        return {row[0] for row in conn.execute(_STILL, (*self._times(at), list(sessions)))}

    def is_fresh(self, session: Session, at: datetime) -> bool:
        """Whether its second factor was given a short while ago."""
        return at - session.fresh_at < self.limits.fresh

    def of(self, account: str, at: datetime) -> Sequence[Session]:
        """The account's sessions that still hold, the last used first."""
        with self._pool.connection() as conn, conn.cursor(row_factory=class_row(Session)) as cursor:
            return cursor.execute(
                f"SELECT {_COLUMNS} FROM sessions s WHERE s.account = %s AND s.created_at > %s"  # noqa: S608 (constant)
                " AND s.seen_at > %s ORDER BY s.seen_at DESC, s.id",
                (account, *self._times(at)),
            ).fetchall()

    def revoke(self, account: str, session_id: UUID) -> bool:
        """Ends one session of the account; False where there was none."""
        with self._pool.connection() as conn:
            ended = conn.execute(
                "DELETE FROM sessions WHERE id = %s AND account = %s", (session_id, account)
            )
            return ended.rowcount > 0

    def revoke_all(self, account: str) -> int:
        """Ends every session of the account; answers how many there were."""
        with self._pool.connection() as conn:
            return conn.execute("DELETE FROM sessions WHERE account = %s", (account,)).rowcount

    def revoke_others(self, account: str, kept: UUID) -> int:
        """Ends every session of the account but one; answers how many there were."""
        with self._pool.connection() as conn:
            return conn.execute(
                "DELETE FROM sessions WHERE account = %s AND id <> %s", (account, kept)
            ).rowcount

    def drop(self, token: str) -> None:
        """Ends the session of a token, if it is of one."""
        with self._pool.connection() as conn:
            conn.execute("DELETE FROM sessions WHERE token_hash = %s", (_digest(token),))

    def _times(self, at: datetime) -> tuple[datetime, datetime]:
        """Begun and last used after these, a session holds."""
        return at - self.limits.longest, at - self.limits.idle


def refresh_in(conn: Connection[Any], session_id: UUID, at: datetime) -> None:
    """Notes that a second factor was given, in the transaction that took it."""
    conn.execute("UPDATE sessions SET fresh_at = %s WHERE id = %s", (at, session_id))
