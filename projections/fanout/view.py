"""Questions about audiences and orders."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from psycopg import Connection
from pyroaring import BitMap64

from projections.fanout.order import Group, RankOrder
from projections.projection import Row
from schemas.content import Channel, Lane
from schemas.dispatch import Dispatch


@dataclass(frozen=True)
class FrozenAudience:
    """Who one version of an alert is for on one channel: a portable roaring bitmap of subscriber ids.

    `order` says who has which rank.
    """

    audience_id: UUID
    alert_id: UUID
    version: int
    channel: Channel
    lane: Lane
    bitmap: bytes
    count: int
    homes: tuple[tuple[str, bytes], ...] = ()
    """The same by home area, in order of ranks; empty where the audience does not tell homes."""
    first: int = 0
    """The rank of the first."""

    @property
    def order(self) -> RankOrder:
        """Who has which rank."""
        homes = self.homes or (("", self.bitmap),)
        return RankOrder([Group(area, BitMap64.deserialize(bitmap)) for area, bitmap in homes], self.first)


def audience(conn: Connection[Row], audience_id: UUID) -> FrozenAudience | None:
    """The audience; None where it is not (or, in a rebuild, not yet) known."""
    row = conn.execute(
        "SELECT audience_id, alert_id, version, channel, lane, bitmap, count, homes, home_bitmaps,"
        " first_rank FROM fanout_audiences"
        " WHERE audience_id = %s",
        (audience_id,),
    ).fetchone()
    if row is None:
        return None
    stream, alert, version, channel, lane, bitmap, count, areas, bitmaps, first = row
    homes = tuple(zip(areas, map(bytes, bitmaps), strict=True))
    return FrozenAudience(
        stream, alert, version, Channel(channel), Lane(lane), bytes(bitmap), count, homes, first
    )


def members(conn: Connection[Row], channel: Channel, alert_ids: Sequence[UUID]) -> dict[UUID, BitMap64]:
    """Whom the latest version of each of these alerts is for on the channel; absent: nobody yet."""
    found = conn.execute(
        "SELECT alert_id, bitmap FROM (SELECT alert_id, bitmap,"
        " rank() OVER (PARTITION BY alert_id ORDER BY version DESC) AS place FROM fanout_audiences"
        " WHERE channel = %s AND alert_id = ANY(%s)) AS ranked WHERE place = 1",
        (channel.value, list(alert_ids)),
    )
    who: defaultdict[UUID, BitMap64] = defaultdict(BitMap64)
    for alert, bitmap in found:
        who[alert] |= BitMap64.deserialize(bytes(bitmap))
    return dict(who)


def undone(conn: Connection[Row], *, lane: Lane | None = None, limit: int = 1000) -> list[Dispatch]:
    """Dispatches without a receipt, oldest first."""
    query: LiteralString = "SELECT body::text FROM fanout_dispatches WHERE outcome IS NULL"
    if lane is not None:
        query += " AND lane = %(lane)s"
    found = conn.execute(query + " ORDER BY position, seq LIMIT %(limit)s", {"lane": lane, "limit": limit})
    return [Dispatch.model_validate_json(body) for (body,) in found]
