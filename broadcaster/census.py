"""Whom an issued version reaches, in whatever edition of the area register the subscribers are.

The moment an edition takes effect subscribers are still in the one before, and are moved soon after.
An alert addressed in the new codes then reaches everyone in an area that became one of them; one
addressed in old codes everyone in an area that took residents of them. So nobody is missed by an
alert that meets the change.
"""

from typing import Any

from psycopg_pool import ConnectionPool
from pyroaring import BitMap64

from broadcaster.office import Office
from broadcaster.registry.subscribers import Registry
from schemas.areas import Span
from schemas.content import Channel
from schemas.events import AlertIssued


class CensusTaker:
    """Asks the registry. Thread-safe."""

    def __init__(self, pool: ConnectionPool[Any], office: Office, registry: Registry) -> None:
        self._pool, self._office, self._registry = pool, office, registry

    def take(self, event: AlertIssued, channel: Channel) -> tuple[bytes, dict[str, int], int]:
        """A portable bitmap of subscriber ids, counts by home area, their number."""
        content, atlas = event.content, self._office.atlas()
        who, by_area = BitMap64(), dict[str, int]()
        with self._pool.connection() as connection, connection.cursor() as cursor:
            # One snapshot: a move that commits meanwhile is seen whole or not at all.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            present = self._registry.editions(cursor)
            for edition in sorted(present):
                tree = atlas.register.edition(edition).tree
                if edition == event.edition:
                    spans = tree.spans(content.areas)
                else:
                    codes = atlas.addressed(content.areas, event.edition, edition)
                    spans = tuple(Span(number, number) for number in sorted(map(tree.number, codes)))
                found = self._registry.audience(
                    channel,
                    spans,
                    content.category,
                    content.lane,
                    mode=content.mode,
                    cursor=cursor,
                    of=tree,
                    only=len(present) > 1,
                )
                who |= found.bitmap
                for code, count in found.by_area.items():
                    by_area[code] = by_area.get(code, 0) + count
        who.run_optimize()
        return who.serialize(), by_area, len(who)
