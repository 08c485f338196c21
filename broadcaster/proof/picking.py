"""Single rows of the log by place, for who shows lines of it: not a page of it in order."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from broadcaster.log.recorder import LogRow


class Stored(NamedTuple):
    """What an event's row says, not yet believed."""

    topic: str
    state: bytes


def rows_at(conn: Connection[Any], positions: Sequence[int]) -> list[LogRow]:
    """The rows at these positions, in order."""
    query = (
        "SELECT position, recorded_at, originator_id, originator_version, topic, state, chain"
        " FROM events WHERE position = ANY(%s) ORDER BY position"
    )
    with conn.cursor(binary=True) as cursor:
        rows = cursor.execute(query, (list(positions),)).fetchall()
    return [LogRow(position, at.astimezone(UTC), *rest) for position, at, *rest in rows]


def openings(conn: Connection[Any], streams: Sequence[UUID]) -> Mapping[UUID, Stored]:
    """The first event of each of these streams that there is."""
    query = (
        "SELECT originator_id, topic, state FROM events"
        " WHERE originator_version = 1 AND originator_id = ANY(%s)"
    )
    with conn.cursor(binary=True) as cursor:
        return {row[0]: Stored(*row[1:]) for row in cursor.execute(query, (list(streams),))}


def last_until(
    conn: Connection[Any], places: Sequence[tuple[UUID, int]], topics: Sequence[str]
) -> Mapping[tuple[UUID, int], Stored]:
    """Of each stream and position the stream's last event of these topics up to there.

    For short streams: each is looked through from its end.
    """
    query = """
        SELECT w.stream, w.position, e.topic, e.state
        FROM unnest(%s::uuid[], %s::bigint[]) AS w (stream, position)
        CROSS JOIN LATERAL (
            SELECT topic, state FROM events AS e
            WHERE e.originator_id = w.stream AND e.topic = ANY(%s) AND e.position <= w.position
            ORDER BY e.originator_version DESC LIMIT 1
        ) AS e"""
    streams, positions = [stream for stream, _ in places], [position for _, position in places]
    with conn.cursor(binary=True) as cursor:
        rows = cursor.execute(query, (streams, positions, list(topics)))
        return {(row[0], row[1]): Stored(*row[2:]) for row in rows}
