"""The sizes of frozen audiences."""

from collections.abc import Sequence

from projections.projection import Transaction
from schemas.events import AudienceFrozen, Recorded

AUDIENCE_DDL = """
CREATE TABLE IF NOT EXISTS audience_counts (
    alert_id uuid NOT NULL,
    version int NOT NULL,
    channel text NOT NULL,
    count int NOT NULL,
    sha256 text NOT NULL,
    lane text NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (alert_id, version, channel)
);
CREATE TABLE IF NOT EXISTS audience_areas (
    alert_id uuid NOT NULL,
    version int NOT NULL,
    channel text NOT NULL,
    area text NOT NULL,
    count int NOT NULL,
    PRIMARY KEY (alert_id, version, channel, area)
);
"""


class Audience:
    """Counts only: who they are rests in the bitmap, which `fanout` keeps."""

    name = "audience"
    topics = frozenset({AudienceFrozen.TOPIC})
    ddl = AUDIENCE_DDL
    tables: tuple[str, ...] = ("audience_counts", "audience_areas")

    def apply(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        """Notes the size of each audience frozen in the page."""
        frozen = [(position, event) for position, _, event in page if isinstance(event, AudienceFrozen)]
        tx.cursor.executemany(
            # A further wave adds to the version's count; the digest stays that of the first.
            "INSERT INTO audience_counts AS a VALUES (%s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (alert_id, version, channel) DO UPDATE SET count = a.count + excluded.count",
            [
                (e.alert_id, e.version, e.channel, e.added, e.sha256, e.lane, position)
                for position, e in frozen
            ],
        )
        tx.cursor.executemany(
            "INSERT INTO audience_areas AS a VALUES (%s, %s, %s, %s, %s) ON CONFLICT"
            " (alert_id, version, channel, area) DO UPDATE SET count = a.count + excluded.count",
            [
                (e.alert_id, e.version, e.channel, area, count)
                for _, e in frozen
                if e.added
                for area, count in e.by_area.items()
            ],
        )
