"""Questions about the sizes of audiences."""

from dataclasses import dataclass
from uuid import UUID

from psycopg import Connection

from projections.projection import Row
from schemas.content import Channel, Lane


@dataclass(frozen=True)
class AudienceRow:
    """How many one version of an alert is for on one channel, and the digest of who they are."""

    alert_id: UUID
    version: int
    channel: Channel
    count: int
    sha256: str
    lane: Lane
    position: int


def of_alert(conn: Connection[Row], alert_id: UUID) -> list[AudienceRow]:
    """Every audience of the alert, by version and channel."""
    found = conn.execute(
        "SELECT alert_id, version, channel, count, sha256, lane, position FROM audience_counts"
        " WHERE alert_id = %s ORDER BY version, channel",
        (alert_id,),
    )
    return [
        AudienceRow(alert, version, Channel(channel), count, sha256, Lane(lane), position)
        for alert, version, channel, count, sha256, lane, position in found
    ]


def by_area(conn: Connection[Row], alert_id: UUID, version: int, channel: Channel) -> dict[str, int]:
    """How many of the audience have their home in each area that has any."""
    found = conn.execute(
        "SELECT area, count FROM audience_areas WHERE alert_id = %s AND version = %s AND channel = %s"
        " ORDER BY area",
        (alert_id, version, channel),
    )
    return dict(found.fetchall())
