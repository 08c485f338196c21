"""Whom a graver alert of the same incident spared a version: beside its audience, not in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection

from projections.projection import Transaction
from schemas.content import Channel
from schemas.events import AudienceFrozen

SPARED_DDL = """
CREATE TABLE IF NOT EXISTS reach_spared (
    alert_id uuid NOT NULL,
    version int NOT NULL,
    channel text NOT NULL,
    by_alert uuid NOT NULL,
    by_version int NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (alert_id, version, channel, by_alert)
);
"""
# Whoever was in several graver alerts counted for the first of them, and may be told for another's sake.
_RELIEVED = """
UPDATE reach_spared SET count = greatest(0, count - %s)
WHERE alert_id = %s AND version = %s AND channel = %s AND by_alert = %s
"""
_OF_ALERT = """
SELECT version, channel, by_alert, by_version, count FROM reach_spared WHERE alert_id = %s AND count > 0
ORDER BY version, channel, count DESC, by_alert
"""


@dataclass(frozen=True)
class SparedRow:
    """How many are left out of a version on a channel because another alert was theirs already."""

    version: int
    channel: Channel
    by_alert: UUID
    by_version: int
    count: int


def of_alert(conn: Connection[Any], alert_id: UUID) -> list[SparedRow]:
    """By version and channel."""
    return [
        SparedRow(version, Channel(channel), by_alert, by_version, count)
        for version, channel, by_alert, by_version, count in conn.execute(_OF_ALERT, (alert_id,))
    ]


def note(tx: Transaction, frozen: Iterable[AudienceFrozen]) -> None:
    """What the audiences of a page say of it."""
    for event in frozen:
        key = (event.alert_id, event.version, event.channel.value)
        if event.spared:
            rows = [(*key, each.alert_id, each.version, each.count) for each in event.spared]
            tx.cursor.executemany("INSERT INTO reach_spared VALUES (%s, %s, %s, %s, %s, %s)", rows)
        if event.relieves:
            tx.cursor.execute(_RELIEVED, (event.count, *key, event.relieves))
