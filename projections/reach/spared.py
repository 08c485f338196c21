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
_OF_ALERT = """
SELECT version, channel, by_alert, by_version, count FROM reach_spared WHERE alert_id = %s
ORDER BY version, channel, count DESC, by_alert
"""


@dataclass(frozen=True)
class SparedRow:
    """How many were left out of a version on a channel because another alert was theirs already."""

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
    rows = [
        (event.alert_id, event.version, event.channel.value, each.alert_id, each.version, each.count)
        for event in frozen
        for each in event.spared
    ]
    if rows:
        tx.cursor.executemany("INSERT INTO reach_spared VALUES (%s, %s, %s, %s, %s, %s)", rows)
