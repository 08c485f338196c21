"""Moves every subscriber to the next edition of the area register, where codes mean other places.

Whose home went whole to one successor lives there now. Whose home was split cannot be moved by us:
until they choose, one part is taken for their home, and they get the alerts of every other part that
took residents too. A further area becomes all its successors.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from psycopg import Cursor
from psycopg_pool import ConnectionPool

from broadcaster.atlas import Links, successors
from broadcaster.registry.address_book import HOLD_ALONE, Row
from schemas.areas import AreaTree, Succession

__all__ = ["Moved", "Moving", "forecast", "move_edition", "successors"]

_MOVES: LiteralString = """
CREATE TEMP TABLE moves (old_no int, new_no int, new_code text, home boolean) ON COMMIT DROP
"""
_FOLLOWS: LiteralString = """
CREATE TEMP TABLE follows ON COMMIT DROP AS
SELECT area_no, subscriber_id, bool_and(meanwhile) AS meanwhile FROM (
    SELECT m.new_no AS area_no, s.id AS subscriber_id, a.meanwhile
    FROM subscribers s
    JOIN subscriber_areas a ON a.subscriber_id = s.id JOIN moves m ON m.old_no = a.area_no
    WHERE s.edition = %(before)s
    UNION ALL
    SELECT m.new_no, s.id, true FROM subscribers s JOIN moves m ON m.old_no = s.home_no
    WHERE s.edition = %(before)s AND NOT m.home
) AS wherever GROUP BY area_no, subscriber_id
"""
_FORGET: LiteralString = """
DELETE FROM subscriber_areas a USING subscribers s WHERE s.id = a.subscriber_id AND s.edition = %(before)s
"""
_MOVE: LiteralString = """
UPDATE subscribers s SET edition = %(after)s, home = m.new_code, home_no = m.new_no, updated_at = %(at)s
FROM moves m WHERE s.edition = %(before)s AND m.old_no = s.home_no AND m.home
"""
_FOLLOW: LiteralString = """
INSERT INTO subscriber_areas (area_no, subscriber_id, meanwhile)
SELECT f.area_no, f.subscriber_id, f.meanwhile FROM follows f JOIN subscribers s ON s.id = f.subscriber_id
WHERE f.area_no <> s.home_no
"""
_UNSETTLED: LiteralString = "SELECT count(DISTINCT subscriber_id) FROM subscriber_areas WHERE meanwhile"


_MOVING: LiteralString = """
SELECT s.home, count(*), count(*) FILTER (WHERE EXISTS (
    SELECT FROM follows f WHERE f.subscriber_id = s.id AND f.meanwhile AND f.area_no <> m.new_no
))
FROM subscribers s JOIN moves m ON m.old_no = s.home_no AND m.home
WHERE s.edition = %(before)s GROUP BY s.home
"""


class Moved(NamedTuple):
    """How many subscribers were moved, and how many there are to be asked where they live."""

    moved: int
    unsettled: int


def move_edition(
    pool: ConnectionPool[Any],
    before: AreaTree,
    after: AreaTree,
    successions: Iterable[Succession],
    at: datetime,
) -> Moved:
    """Moves everyone who is still in the edition before, in one transaction. Safe to repeat."""
    facts = {"before": before.edition, "after": after.edition, "at": at}
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(HOLD_ALONE)
        _stage(cursor, before, after, successors(before, after, successions))
        cursor.execute(_FOLLOWS, facts)
        cursor.execute(_FORGET, facts)
        moved = cursor.execute(_MOVE, facts).rowcount
        cursor.execute(_FOLLOW)
        row = cursor.execute(_UNSETTLED).fetchone()
        assert row is not None
        return Moved(moved, row[0])


class Moving(NamedTuple):
    """Of the subscribers of one area: how many a move will move, and leave to be asked."""

    moved: int
    unsettled: int


def forecast(
    pool: ConnectionPool[Any], before: AreaTree, after: AreaTree, successions: Iterable[Succession]
) -> dict[str, Moving]:
    """What `move_edition` would do now, by home. It changes nothing and holds up nobody."""
    with pool.connection() as connection, connection.cursor() as cursor:
        _stage(cursor, before, after, successors(before, after, successions))
        cursor.execute(_FOLLOWS, {"before": before.edition})
        cursor.execute("CREATE INDEX ON follows (subscriber_id); ANALYZE follows")
        cursor.execute(_MOVING, {"before": before.edition})
        return {home: Moving(moved, unsettled) for home, moved, unsettled in cursor}


def _stage(cursor: Cursor[Row], before: AreaTree, after: AreaTree, links: Links) -> None:
    cursor.execute(_MOVES)
    with cursor.copy("COPY moves FROM STDIN") as copy:
        for old, news in links.items():
            for rank, new in enumerate(news):
                copy.write_row((before.number(old), after.number(new), new, rank == 0))
