"""Where an alert missed most: the communes of its last version, a page at a time.

The city has some 600 communes, on two channels each; nobody reads them all at once.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from psycopg import Connection

from projections.reach.view import AreaReach, Totals
from schemas.content import Channel

# In order of code among equals: neighbours stay together, and pages do not overlap.
_WORST: LiteralString = """
WITH last AS (
    SELECT version, channel, area, by_topic, audience, accepted, gone, refused, dead, expired, superseded,
        gone + refused + dead + expired + superseded AS missed,
        audience - (accepted + by_topic + gone + refused + dead + expired + superseded) AS open
    FROM reach_areas
    WHERE alert_id = %(alert)s
    AND version = (SELECT max(version) FROM reach_areas WHERE alert_id = %(alert)s)
    AND (%(areas)s::text[] IS NULL OR area = ANY(%(areas)s))
    AND (%(channel)s::text IS NULL OR channel = %(channel)s)
), wanted AS (SELECT * FROM last WHERE NOT %(missed)s OR missed > 0)
SELECT (SELECT count(*) FROM wanted), (SELECT count(DISTINCT area) FROM last WHERE missed > 0), page.*
FROM (SELECT) AS one LEFT JOIN (
    SELECT * FROM wanted ORDER BY missed DESC, open DESC, area, channel LIMIT %(limit)s OFFSET %(offset)s
) AS page ON true ORDER BY missed DESC, open DESC, area, channel
"""


@dataclass(frozen=True)
class Worst:
    """A page of lines, one for a commune and channel. `lines` counts all that were asked for."""

    rows: list[AreaReach]
    lines: int
    places: int
    """Communes where anyone was missed for good, on whatever page."""


def worst(
    conn: Connection[Any],
    alert_id: UUID,
    *,
    limit: int,
    offset: int = 0,
    areas: Collection[str] | None = None,
    channel: Channel | None = None,
    missed: bool = False,
) -> Worst:
    """Most missed first, then most in flight; of these areas, this channel, or only where missed."""
    wanted = {
        "alert": alert_id,
        "areas": None if areas is None else list(areas),
        "channel": channel and channel.value,
        "missed": missed,
        "limit": limit,
        "offset": offset,
    }
    found = conn.execute(_WORST, wanted).fetchall()
    rows = [
        AreaReach(version, Channel(on), area, Totals(*counts, by_topic=by_topic))
        for _, _, version, on, area, by_topic, *counts, _, _ in found
        if version is not None
    ]
    return Worst(rows, found[0][0], found[0][1])
