"""How far each projection has come, and which ones are stopped."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Cursor
from psycopg_pool import ConnectionPool

from projections.projection import Row
from projections.rows import storable

POSITIONS_DDL = """
CREATE TABLE IF NOT EXISTS projection_positions (
    name text PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    updated_at timestamptz,
    stopped_at bigint,
    error text,
    shape text
);
ALTER TABLE projection_positions ADD COLUMN IF NOT EXISTS shape text;
"""

WAIT = 10.0
"""Seconds to wait for a pooled connection."""


class Standing(NamedTuple):
    """A projection's place. `stopped_at` is the position of the event that it failed on, if any.

    `lag` counts the events of the log that it has yet to pass. `stale`: its rows are of another shape than
    this program's, so that it leaves them alone, until `broadcaster migrate` has made them anew.
    """

    name: str
    position: int
    stopped_at: int | None
    error: str | None
    lag: int = 0
    stale: bool = False


def standings(pool: ConnectionPool[Any], names: Sequence[str], head: int) -> list[Standing]:
    """Where these projections stand, in this order, asked at once; at 0 who has never run."""
    query = "SELECT name, position, stopped_at, error FROM projection_positions WHERE name = ANY(%s)"
    with pool.connection(WAIT) as conn:
        rows = conn.execute(query, (list(names),)).fetchall()
    found = {name: Standing(name, position, at, error) for name, position, at, error in rows}
    stand = [found.get(name, Standing(name, 0, None, None)) for name in names]
    return [each._replace(lag=max(0, head - each.position)) for each in stand]


class Positions:
    """The row of one projection. Its lock is the projection's lock: a page or a rebuild takes it first."""

    def __init__(self, pool: ConnectionPool[Any], name: str, shape: str | None = None) -> None:
        """`shape` is that of the rows one would write; who only reads needs none."""
        self._pool, self._name, self._shape = pool, name, shape

    def get(self, head: int = 0) -> Standing:
        """Where the projection stands; at 0 when it has never run."""
        query = "SELECT position, stopped_at, error, shape FROM projection_positions WHERE name = %s"
        with self._pool.connection(WAIT) as conn:
            row = conn.execute(query, (self._name,)).fetchone()
        position, stopped_at, error, shape = row or (0, None, None, self._shape)
        stale = self._shape is not None and shape != self._shape
        return Standing(self._name, position, stopped_at, error, max(0, head - position), stale)

    def move(self, cursor: Cursor[Row], before: int, after: int, at: datetime) -> bool:
        """Compare and set. False: another moved or stopped it, or its rows are of another shape by now."""
        if before == 0:
            self._create(cursor)
        cursor.execute(
            "UPDATE projection_positions SET position = %s, updated_at = %s"
            " WHERE name = %s AND position = %s AND shape = %s AND stopped_at IS NULL",
            (after, at, self._name, before, self._shape),
        )
        return cursor.rowcount == 1

    def halt(self, position: int, stopped_at: int, error: str, at: datetime) -> bool:
        """Stops the projection, unless it moved meanwhile."""
        with self._pool.connection(WAIT) as conn, conn.cursor() as cursor:
            if position == 0:
                self._create(cursor)
            cursor.execute(
                "UPDATE projection_positions SET stopped_at = %s, error = %s, updated_at = %s"
                " WHERE name = %s AND position = %s AND stopped_at IS NULL",
                (stopped_at, storable(error), at, self._name, position),
            )
            return cursor.rowcount == 1

    def resume(self) -> bool:
        """Lifts the stop. False: there was none."""
        with self._pool.connection(WAIT) as conn:
            return bool(
                conn.execute(
                    "UPDATE projection_positions SET stopped_at = NULL, error = NULL"
                    " WHERE name = %s AND stopped_at IS NOT NULL",
                    (self._name,),
                ).rowcount
            )

    def hold(self, cursor: Cursor[Row]) -> int:
        """The position, which nobody moves before the cursor's transaction ends; a page is waited for."""
        self._create(cursor)
        query = "SELECT position FROM projection_positions WHERE name = %s FOR UPDATE"
        row = cursor.execute(query, (self._name,)).fetchone()
        assert row
        return row[0]

    def renew(self, cursor: Cursor[Row], at: datetime) -> None:
        """Notes that the rows up to the position are of our shape now; a stop is lifted."""
        cursor.execute(
            "UPDATE projection_positions SET updated_at = %s, stopped_at = NULL, error = NULL, shape = %s"
            " WHERE name = %s",
            (at, self._shape, self._name),
        )

    def _create(self, cursor: Cursor[Row]) -> None:
        cursor.execute(
            "INSERT INTO projection_positions (name, shape) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (self._name, self._shape),
        )
