"""The same counts by commune: each recipient counts where their home was when the audience was fixed.

Only facts of the log are summed: the audience says how many have their home in an area, each dispatch
says whose homes its ranks are, each receipt parts its counts by them. So they add up exactly.
"""

from collections import Counter, defaultdict
from uuid import UUID

from projections.projection import Transaction
from schemas.content import Channel
from schemas.dispatch import FINAL, Outcome, Receipt
from schemas.events import AudienceFrozen, DeadLetterReplayed

AREAS_DDL = """
CREATE TABLE IF NOT EXISTS reach_areas (
    alert_id uuid NOT NULL,
    version int NOT NULL,
    channel text NOT NULL,
    area text NOT NULL,
    audience bigint NOT NULL,
    accepted bigint NOT NULL,
    gone bigint NOT NULL,
    refused bigint NOT NULL,
    dead bigint NOT NULL,
    expired bigint NOT NULL,
    superseded bigint NOT NULL,
    by_topic bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (alert_id, version, channel, area)
);
"""
_AREAS = """
INSERT INTO reach_areas AS t VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (alert_id, version, channel, area) DO UPDATE SET
    audience = t.audience + excluded.audience,
    accepted = t.accepted + excluded.accepted,
    gone = t.gone + excluded.gone,
    refused = t.refused + excluded.refused,
    dead = t.dead + excluded.dead,
    expired = t.expired + excluded.expired,
    superseded = t.superseded + excluded.superseded,
    by_topic = t.by_topic + excluded.by_topic
"""
_COLUMNS = ("audience", *FINAL, "by_topic")

Key = tuple[UUID, int, Channel, str]


class AreaTallies:
    """What a page adds to each area."""

    def __init__(self) -> None:
        self._counts: defaultdict[Key, Counter[str]] = defaultdict(Counter)

    def frozen(self, event: AudienceFrozen) -> None:
        """Counts an audience that tells homes; of another, no area could ever be settled."""
        for group in event.groups:
            key = (event.alert_id, event.version, event.channel, group.area)
            count = event.by_area[group.area]
            if event.instead_of:
                self._counts[key][Outcome.DEAD] -= count
            else:
                self._counts[key]["audience"] += count

    def ended(self, receipt: Receipt) -> None:
        """Counts a receipt that tells homes."""
        order = receipt.dispatch
        for area, counts in receipt.people_by_area.items():
            tally = self._counts[order.alert_id, order.version, order.channel, area]
            for outcome, count in counts.items():
                tally["by_topic" if order.topic and outcome is Outcome.ACCEPTED else outcome] += count

    def replayed(self, event: DeadLetterReplayed) -> None:
        """Takes those who are tried again off the dead."""
        order = event.dispatch
        for area in order.homes().values():
            self._counts[order.alert_id, order.version, order.channel, area][Outcome.DEAD] -= 1

    def write(self, tx: Transaction) -> None:
        """One write for the page."""
        if self._counts:
            tx.cursor.executemany(
                _AREAS,
                [
                    (alert, version, channel.value, area, *(counts[column] for column in _COLUMNS))
                    for (alert, version, channel, area), counts in self._counts.items()
                ],
            )
