"""Which topics an audience can go by: asked once, when it is frozen, and then they are frozen too.

A topic is fit where every phone that is or may be in it is one of the audience's: nobody in it opted out,
was spared, left or moved away, and of nobody it is in doubt. Whom no such topic holds has their token.
"""

from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from typing import Any

from psycopg_pool import ConnectionPool
from pyroaring import BitMap64

from broadcaster.registry.address_book import unpacked
from broadcaster.topics import tables
from projections.fanout.topics import Carried
from schemas.events import AudienceFrozen
from schemas.push_topics import topic_of


class TopicClaims:
    """Thread-safe. A claim commits by itself.

    One whose audience was not frozen after all only holds up those who would join or move, for as long.
    """

    def __init__(self, pool: ConnectionPool[Any], clock: Callable[[], datetime]) -> None:
        self._pool, self._clock = pool, clock

    def claim(self, audience: AudienceFrozen, only: frozenset[str] | None) -> list[Carried]:
        """As projections.fanout.topics.Claim."""
        who = BitMap64.deserialize(b64decode(audience.bitmap))
        found: list[Carried] = []
        held: list[tuple[str, str]] = []
        with self._pool.connection() as conn:
            conn.execute(tables.ALONE)
            areas = [group.area for group in audience.groups]
            for area, language, inside, known, packed in conn.execute(tables.IN_TOPICS, (areas,)):
                name, ids = topic_of(area, language), unpacked(packed)
                if inside == known and ids <= who and (only is None or name in only):
                    found.append(Carried(name, language, ids, area))
                    held.append((area, language))
            conn.execute(tables.PAST, (self._clock(),))
            if held:
                of_areas, of_languages = zip(*held, strict=True)
                conn.execute(tables.HOLD, (audience.expires_at, list(of_areas), list(of_languages)))
        return found
