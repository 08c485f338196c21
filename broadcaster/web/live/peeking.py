"""Looking at a session without using it: a stream that stays open must not keep its session alive.

`Sessions.find` notes each use, which is what the idle limit counts. Here nothing is noted.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row

from broadcaster.accounts.sessions import Limits, Session

_HOLDS = (
    " FROM sessions s JOIN accounts a ON a.name = s.account"
    " WHERE a.state = 'active' AND s.created_at > %s AND s.seen_at > %s AND "
)
_PEEK = "SELECT s.id, s.account, s.created_at, s.seen_at, s.fresh_at, s.user_agent" + _HOLDS
_STILL = "SELECT s.id" + _HOLDS + "s.id = ANY(%s)"


def peek(conn: Connection[Any], token: str, limits: Limits, at: datetime) -> Session | None:
    """Whose it is; None where it is unknown, has ended, or its account is closed."""
    digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
    with conn.cursor(row_factory=class_row(Session)) as cursor:
        times = (at - limits.longest, at - limits.idle)
        return cursor.execute(_PEEK + "s.token_hash = %s", (*times, digest)).fetchone()


def still(conn: Connection[Any], sessions: Collection[UUID], limits: Limits, at: datetime) -> set[UUID]:
    """Those of the sessions that still hold."""
    times = (at - limits.longest, at - limits.idle)
    return {row[0] for row in conn.execute(_STILL, (*times, list(sessions)))}
