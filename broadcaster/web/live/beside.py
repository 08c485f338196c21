"""What a home page shows beside the views: drafts, which are in no log, and requests for access.

Marks of it by body, as those of the board: another one whenever what is shown would be.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from broadcaster.access import Standing
from broadcaster.commands.access import AccessCommands

_MOVED = "SELECT count(*), coalesce(sum(version), 0), max(changed_at) FROM drafts"
# As the page has it: of a text that is being typed, its headline and the minute alone.
_DRAFTS = """
SELECT body, md5(string_agg(
    concat_ws(' ', id, alert_id, changed_by, date_trunc('minute', changed_at), fields->'headline'),
    ',' ORDER BY id
)) FROM drafts GROUP BY body
"""

Requests = Mapping[str, frozenset[UUID]]
"""By a body whose managers have a say: the requests that wait."""


class Requested:
    """The requests for access that wait; asked at each look, and by whoever draws a home page."""

    def __init__(self, access: AccessCommands) -> None:
        self._access = access
        self._kept: tuple[frozenset[UUID], Requests] = (frozenset(), {})

    def get(self, at: datetime) -> Requests:
        """By body. It asks the log: not to be called by who holds a connection."""
        every = self._access.index.requests()
        waiting = frozenset(each.id for each in every.values() if each.standing(at) is Standing.WAITING)
        kept = self._kept
        # Who oversees a body is read from the log, so it is not asked for at every look.
        if kept[0] != waiting:
            found: defaultdict[str, set[UUID]] = defaultdict(set)
            for each in waiting:
                for body in self._access.overseers(every[each].body, at):
                    found[body].add(each)
            kept = self._kept = (waiting, {body: frozenset(ids) for body, ids in found.items()})
        return kept[1]


def drafts_moved(conn: Connection[Any]) -> object:
    """Another answer whenever any draft is another one; asked often, so it is small."""
    return conn.execute(_MOVED).fetchone()


def marks(conn: Connection[Any], requests: Requests) -> dict[str, str]:
    """The mark of each body that has any of it."""
    found: dict[str, str] = dict(conn.execute(_DRAFTS).fetchall())
    for body, waiting in requests.items():
        found[body] = f"{found.get(body, '')} {' '.join(sorted(map(str, waiting)))}"
    return found
