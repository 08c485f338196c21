"""How far a lane's orders have been published. Not a view: a rebuild of fanout leaves it alone."""

from datetime import datetime
from typing import NamedTuple

from psycopg import Connection

from projections.projection import Row
from schemas.content import Lane
from schemas.dispatch import Dispatch

RELAY_DDL = """
CREATE TABLE IF NOT EXISTS relay_positions (
    lane text PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    seq int NOT NULL DEFAULT -1,
    stream_created timestamptz
);
"""

_UNPUBLISHED = """
SELECT l.lane, (
    SELECT count(*) FROM fanout_dispatches d
    WHERE d.lane = l.lane AND (d.position, d.seq) > (coalesce(r.position, 0), coalesce(r.seq, -1))
) FROM unnest(%s::text[]) l (lane) LEFT JOIN relay_positions r USING (lane)
"""

_OLDEST_OPEN = """
SELECT l.lane, d.position FROM unnest(%s::text[]) l (lane) CROSS JOIN LATERAL (
    SELECT position FROM fanout_dispatches
    WHERE lane = l.lane AND outcome IS NULL ORDER BY position, seq LIMIT 1
) d
"""


class Place(NamedTuple):
    """The event that ordered, and which of its orders. Orders appear in this order."""

    position: int
    seq: int


class Batch(NamedTuple):
    """The next orders of a lane, and the places before and at their end."""

    before: Place
    after: Place
    dispatches: tuple[Dispatch, ...]


def claim(conn: Connection[Row], lane: Lane) -> bool:
    """Whether this session is the lane's one relay now; it is until its connection ends."""
    key = f"relay {lane}"
    row = conn.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (key,)).fetchone()
    return row is not None and row[0]


def next_batch(conn: Connection[Row], lane: Lane, limit: int) -> Batch:
    """What comes after the lane's position."""
    before = place(conn, lane)
    rows = conn.execute(
        "SELECT position, seq, body::text FROM fanout_dispatches"
        " WHERE lane = %s AND (position, seq) > (%s, %s) ORDER BY position, seq LIMIT %s",
        (lane, *before, limit),
    ).fetchall()
    after = Place(*rows[-1][:2]) if rows else before
    return Batch(before, after, tuple(Dispatch.model_validate_json(row[2]) for row in rows))


def place(conn: Connection[Row], lane: Lane) -> Place:
    """Up to where the lane's orders have been published."""
    query = "SELECT position, seq FROM relay_positions WHERE lane = %s"
    row = conn.execute(query, (lane,)).fetchone()
    return Place(*row) if row else Place(0, -1)


def commit(conn: Connection[Row], lane: Lane, before: Place, after: Place) -> bool:
    """Compare and set. False: it was moved meanwhile, so these orders are not passed."""
    _create(conn, lane)
    moved = conn.execute(
        "UPDATE relay_positions SET position = %s, seq = %s WHERE lane = %s AND (position, seq) = (%s, %s)",
        (*after, lane, *before),
    )
    return moved.rowcount == 1


def rewind(conn: Connection[Row], lane: Lane, at: datetime) -> bool:
    """Back to before the first order without a receipt that has not expired. False: none was passed.

    For a broker that lost its stream. What is published again keeps its id, so what was done stays
    done. Not during a rebuild of fanout, while orders are missing.
    """
    moved = conn.execute(
        "UPDATE relay_positions r SET position = d.position, seq = d.seq - 1 FROM ("
        " SELECT position, seq FROM fanout_dispatches"
        " WHERE lane = %s AND outcome IS NULL AND expires_at > %s ORDER BY position, seq LIMIT 1) d"
        " WHERE r.lane = %s AND (d.position, d.seq) <= (r.position, r.seq)",
        (lane, at, lane),
    )
    return moved.rowcount == 1


def meet_stream(conn: Connection[Row], lane: Lane, created: datetime, at: datetime) -> bool:
    """Remembers the broker's stream by its creation; rewinds where it is another than last time.

    Answers whether it rewound. To be called before the lane's relay starts, and now and then beside it.
    """
    with conn.transaction():
        _create(conn, lane)
        row = conn.execute(
            "SELECT stream_created FROM relay_positions WHERE lane = %s FOR UPDATE", (lane,)
        ).fetchone()
        known = row[0] if row else None
        conn.execute("UPDATE relay_positions SET stream_created = %s WHERE lane = %s", (created, lane))
        return known not in {None, created} and rewind(conn, lane, at)


def _create(conn: Connection[Row], lane: Lane) -> None:
    conn.execute("INSERT INTO relay_positions (lane) VALUES (%s) ON CONFLICT DO NOTHING", (lane,))


def unpublished(conn: Connection[Row]) -> dict[Lane, int]:
    """How many orders of each lane wait for the relay."""
    found = conn.execute(_UNPUBLISHED, (list(Lane),)).fetchall()
    return {Lane(lane): waiting for lane, waiting in found}


def oldest_open(conn: Connection[Row]) -> dict[Lane, int]:
    """The event that made each lane's oldest order without a receipt; no lane in which all have one."""
    return {Lane(lane): position for lane, position in conn.execute(_OLDEST_OPEN, (list(Lane),)).fetchall()}
