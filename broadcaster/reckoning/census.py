"""The census: whom a content reaches on a channel, as the registry stands now.

What fixes an audience and what a pre-flight foretells both ask here, so they agree.

The moment an edition takes effect subscribers are still in the one before, and are moved soon after.
An alert addressed in the new codes then reaches everyone in an area that became one of them; one
addressed in old codes everyone in an area that took residents of them. So nobody is missed by an
alert that meets the change.
"""

from typing import Any

from psycopg_pool import ConnectionPool
from pyroaring import BitMap64

from broadcaster.office import Office
from broadcaster.registry.address_book import AddressBook
from projections.fanout.plan import Taken
from schemas.areas import Span
from schemas.content import Channel, Content
from schemas.events import AlertIssued


class CensusTaker:
    """Asks the registry. Thread-safe."""

    def __init__(self, pool: ConnectionPool[Any], office: Office, registry: AddressBook) -> None:
        self._pool, self._office, self._registry = pool, office, registry

    def take(self, event: AlertIssued, channel: Channel) -> Taken:
        """Of an issued version."""
        return self.of(event.content, event.edition, channel)

    def of(self, content: Content, edition: str, channel: Channel) -> Taken:
        """Counts, and takes down who. Raises LookupError for an edition or area that is not."""
        homes: dict[str, BitMap64] = {}
        atlas = self._office.atlas()
        with self._pool.connection() as connection, connection.cursor() as cursor:
            # One snapshot: a move that commits meanwhile is seen whole or not at all.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            present = self._registry.editions(cursor)
            for there in sorted(present):
                tree = atlas.register.edition(there).tree
                if there == edition:
                    spans = tree.spans(content.areas)
                else:
                    codes = atlas.addressed(content.areas, edition, there)
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
                for code, ids in found.homes.items():
                    homes[code] = homes[code] | ids if code in homes else ids
        who = BitMap64()
        for ids in homes.values():
            who |= ids
        who.run_optimize()
        by_area = {code: len(ids) for code, ids in homes.items()}
        packed = {code: ids.serialize() for code, ids in homes.items()}
        return Taken(who.serialize(), by_area, len(who), packed)
