"""Moves every subscriber to the next edition of the area register, where codes mean other places.

Whose home went whole to one successor lives there now. Whose home was split cannot be moved by us:
until they choose, one part is taken for their home, and they get the alerts of every other part that
took residents too. A further area becomes all its successors.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from psycopg_pool import ConnectionPool

from broadcaster.reference import Succession
from broadcaster.registry.address_book import HOLD_ALONE
from schemas.areas import AreaTree, UnknownAreaError

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


class Moved(NamedTuple):
    """How many subscribers were moved, and how many there are to be asked where they live."""

    moved: int
    unsettled: int


def successors(
    before: AreaTree, after: AreaTree, successions: Iterable[Succession]
) -> Mapping[str, tuple[str, ...]]:
    """Each old area's new ones that took residents, the likeliest home first.

    An area no succession names stayed as it was; one above that is no more is what its leaves became.
    Raises UnknownAreaError for an area that went nowhere.
    """
    found: dict[str, list[str]] = {}
    for succession in sorted(successions, key=lambda one: one.coverage == "part"):
        if succession.populated:
            found.setdefault(succession.old_code, []).append(succession.new_code)

    def of(code: str) -> tuple[str, ...]:
        if before.is_leaf(code) and code in found:
            return tuple(found[code])
        if code in after and before.is_leaf(code) == after.is_leaf(code):
            return (code,)
        if before.is_leaf(code):
            raise UnknownAreaError(after.edition, code)
        return tuple(dict.fromkeys(new for leaf in before.leaves(code) for new in of(leaf.code)))

    return {area.code: of(area.code) for area in before}


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
        cursor.execute(_MOVES)
        with cursor.copy("COPY moves FROM STDIN") as copy:
            for old, news in successors(before, after, successions).items():
                for rank, new in enumerate(news):
                    copy.write_row((before.number(old), after.number(new), new, rank == 0))
        cursor.execute(_FOLLOWS, facts)
        cursor.execute(_FORGET, facts)
        moved = cursor.execute(_MOVE, facts).rowcount
        cursor.execute(_FOLLOW)
        row = cursor.execute(_UNSETTLED).fetchone()
        assert row is not None
        return Moved(moved, row[0])
