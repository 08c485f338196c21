"""The table `events` on PostgreSQL: appended in one round trip, chained by hash, never updated."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    StoredEvent,
    Subscription,
)
from psycopg import Cursor, errors
from psycopg_pool import ConnectionPool

from broadcaster.process.pooled import at_once

Row = tuple[Any, ...]

ZERO = bytes(32)

# Binary (%b), for as text each payload is written twice over and quoted.
_APPEND: LiteralString = (
    "SELECT events_append(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[], %s, %s, %s)"
)
# The key goes in first: a racing repeat fails on it before it can append a second time.
_REMEMBER = "INSERT INTO event_onces VALUES (%s, %s, %s, %s, %s, %s)"
_SELECT_STREAM = (
    "SELECT originator_id, originator_version, topic, state FROM events WHERE originator_id = %s"
    " AND originator_version > coalesce(%s, 0) AND (%s::bigint IS NULL OR originator_version <= %s)"
)
_OLDEST_FIRST = " ORDER BY originator_version LIMIT %s"
_NEWEST_FIRST = " ORDER BY originator_version DESC LIMIT %s"
_COLUMNS = "position, recorded_at, originator_id, originator_version, topic, state, chain"


def _given(stored: Sequence[StoredEvent], at: datetime, ground: "Ground | None") -> tuple[Any, ...]:
    """What _APPEND asks for."""
    return (
        [event.originator_id for event in stored],
        [event.originator_version for event in stored],
        [event.topic for event in stored],
        [event.state for event in stored],
        at,
        ground and ground.since,
        ground and list(ground.topics),
    )


@dataclass(frozen=True)
class Once:
    """A client's idempotency key, and a digest of what was asked under it."""

    account: str
    key: str
    fingerprint: bytes


class Ground(NamedTuple):
    """What a decision stood on beside its own stream: all events of these topics up to a position."""

    since: int
    topics: tuple[str, ...]


class KeyReusedError(Exception):
    """The idempotency key was used before, for a different request."""


class LogRow(NamedTuple):
    """A row of the log, as stored."""

    position: int
    recorded_at: datetime
    originator_id: UUID
    originator_version: int
    topic: str
    state: bytes
    chain: bytes

    def stored(self) -> StoredEvent:
        """The part that eventsourcing knows."""
        return StoredEvent(self.originator_id, self.originator_version, self.topic, self.state)


class ChainRecorder(ApplicationRecorder):
    """eventsourcing's recorder interface over the table `events`."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        super().__init__()
        self.pool = pool

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Eventsourcing's view of `insert`."""
        if not stored_events:
            return []
        return self.insert(stored_events, kwargs["at"], kwargs.get("once"), kwargs.get("ground"))

    def insert(
        self,
        stored_events: Sequence[StoredEvent],
        at: datetime,
        once: Once | None = None,
        ground: Ground | None = None,
    ) -> list[int]:
        """Appends all or none, at least one, recorded `at` that instant; answers the positions.

        Raises IntegrityError where a version is taken, or an event was added to the ground.
        """
        try:
            with self.pool.connection() as conn, conn.cursor() as cursor:
                if once is not None:
                    last = stored_events[-1]
                    place = (last.originator_id, last.originator_version)
                    cursor.execute(_REMEMBER, (once.account, once.key, once.fingerprint, *place, at))
                return self.append(cursor, stored_events, at, ground)
        except (errors.UniqueViolation, errors.SerializationFailure) as error:
            raise IntegrityError(error.diag.message_detail or str(error)) from error

    def append(
        self,
        cursor: Cursor[Row],
        stored: Sequence[StoredEvent],
        at: datetime,
        ground: Ground | None = None,
    ) -> list[int]:
        """Appends in the cursor's transaction and answers the positions."""
        cursor.execute(_APPEND, _given(stored, at, ground), prepare=True)
        row = cursor.fetchone()
        assert row is not None
        return list(range(row[0] - len(stored) + 1, row[0] + 1))

    def append_where(
        self,
        statement: LiteralString,
        params: Sequence[Any],
        cursor: Cursor[Row],
        stored: Sequence[StoredEvent],
        at: datetime,
    ) -> bool:
        """As `append`, where the statement, which changes one other row, returns that row."""
        query = f"WITH beside AS ({statement}) {_APPEND} FROM beside"
        cursor.execute(query, (*params, *_given(stored, at, None)), prepare=True)
        return cursor.fetchone() is not None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """One stream's events, in order of version."""
        query = _SELECT_STREAM + (_NEWEST_FIRST if desc else _OLDEST_FIRST)
        with at_once(self.pool) as conn:
            rows = conn.execute(query, (originator_id, gt, lte, lte, limit), prepare=True)
            return [StoredEvent(*row) for row in rows]

    def rows(
        self, after: int, limit: int, topics: Sequence[str] = (), *, upto: int | None = None
    ) -> list[LogRow]:
        """Rows after a position, in order."""
        query = f"SELECT {_COLUMNS} FROM events WHERE position > %s"  # noqa: S608 (constant columns)
        params: list[Any] = [after]
        if upto is not None:
            query += " AND position <= %s"
            params.append(upto)
        if topics:
            query += " AND topic = ANY(%s)"
            params.append(list(topics))
        # Binary, for as text a payload travels and is read as two digits a byte.
        with at_once(self.pool) as conn, conn.cursor(binary=True) as cursor:
            found = cursor.execute(query + " ORDER BY position LIMIT %s", (*params, limit), prepare=True)
            return [
                LogRow(position, at.astimezone(UTC), stream, version, topic, state, chain)
                for position, at, stream, version, topic, state, chain in found.fetchall()
            ]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Eventsourcing's view of `rows`."""
        after = (start or 0) - (1 if inclusive_of_start and start else 0)
        return [
            Notification(row.originator_id, row.originator_version, row.topic, row.state, row.position)
            for row in self.rows(after, limit, topics, upto=stop)
        ]

    def max_notification_id(self) -> int | None:
        """The last position, None while the log is empty."""
        with at_once(self.pool) as conn:
            row = conn.execute("SELECT max(position) FROM events").fetchone()
        return row[0] if row else None

    def has(self, stream: UUID, cursor: Cursor[Row] | None = None) -> bool:
        """Whether the stream has any event, seen by the cursor's transaction where one is given."""
        query = "SELECT 1 FROM events WHERE originator_id = %s LIMIT 1"
        if cursor is not None:
            return cursor.execute(query, (stream,)).fetchone() is not None
        with at_once(self.pool) as conn:
            return conn.execute(query, (stream,)).fetchone() is not None

    def row(self, cursor: Cursor[Row], stream: UUID, version: int) -> StoredEvent | None:
        """One event's row, seen by the cursor's transaction."""
        query = (
            "SELECT originator_id, originator_version, topic, state FROM events"
            " WHERE originator_id = %s AND originator_version = %s"
        )
        row = cursor.execute(query, (stream, version)).fetchone()
        return None if row is None else StoredEvent(*row)

    def length(self, cursor: Cursor[Row], stream: UUID) -> int:
        """How many events the stream has, seen by the cursor's transaction."""
        query = "SELECT coalesce(max(originator_version), 0) FROM events WHERE originator_id = %s"
        row = cursor.execute(query, (stream,)).fetchone()
        return row[0] if row else 0

    def recall(self, once: Once) -> tuple[UUID, int] | None:
        """What the first use of this key appended last. Raises KeyReusedError."""
        query = (
            "SELECT fingerprint, originator_id, originator_version FROM event_onces"
            " WHERE account = %s AND key = %s"
        )
        with at_once(self.pool) as conn:
            row = conn.execute(query, (once.account, once.key)).fetchone()
        if row is None:
            return None
        if bytes(row[0]) != once.fingerprint:
            raise KeyReusedError(once.key)
        return row[1], row[2]

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Not offered: projections/follower.py follows by `rows` and LISTEN event_log."""
        raise NotImplementedError("follow the log with projections.follower")
