"""Questions about audiences and orders."""

from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from psycopg import Connection

from projections.projection import Row
from schemas.content import Channel, Lane
from schemas.dispatch import Dispatch


@dataclass(frozen=True)
class FrozenAudience:
    """Who one version of an alert is for on one channel: a portable roaring bitmap of subscriber ids.

    A dispatch's rank n is the n-th smallest id in it.
    """

    audience_id: UUID
    alert_id: UUID
    version: int
    channel: Channel
    lane: Lane
    bitmap: bytes
    count: int


def audience(conn: Connection[Row], audience_id: UUID) -> FrozenAudience | None:
    """The audience; None where it is not (or, in a rebuild, not yet) known."""
    row = conn.execute(
        "SELECT audience_id, alert_id, version, channel, lane, bitmap, count FROM fanout_audiences"
        " WHERE audience_id = %s",
        (audience_id,),
    ).fetchone()
    if row is None:
        return None
    stream, alert, version, channel, lane, bitmap, count = row
    return FrozenAudience(stream, alert, version, Channel(channel), Lane(lane), bytes(bitmap), count)


def undone(conn: Connection[Row], *, lane: Lane | None = None, limit: int = 1000) -> list[Dispatch]:
    """Dispatches without a receipt, oldest first."""
    query: LiteralString = "SELECT body::text FROM fanout_dispatches WHERE outcome IS NULL"
    if lane is not None:
        query += " AND lane = %(lane)s"
    found = conn.execute(query + " ORDER BY position, seq LIMIT %(limit)s", {"lane": lane, "limit": limit})
    return [Dispatch.model_validate_json(body) for (body,) in found]
