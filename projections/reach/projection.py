"""Counts receipts, and the screens that showed an alert."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from projections.projection import Transaction
from projections.reach import drills, spared
from projections.reach.areas import AREAS_DDL
from projections.reach.drills import DRILLS_DDL
from projections.reach.fold import Fold, Key, Tally
from projections.reach.letters import LETTERS_DDL
from projections.reach.receipts import RECEIPTS_DDL, note
from projections.reach.spared import SPARED_DDL
from schemas.content import Channel
from schemas.dispatch import FINAL
from schemas.events import (
    AlertIssued,
    AudienceFrozen,
    DeadLetterReplayed,
    DeadLetterWrittenOff,
    ReceiptRecorded,
    Recorded,
    ScreenShowed,
)

DDL = """
CREATE TABLE IF NOT EXISTS reach_totals (
    alert_id uuid NOT NULL,
    version int NOT NULL,
    channel text NOT NULL,
    audience bigint NOT NULL,
    accepted bigint NOT NULL,
    gone bigint NOT NULL,
    refused bigint NOT NULL,
    dead bigint NOT NULL,
    expired bigint NOT NULL,
    superseded bigint NOT NULL,
    unknown bigint NOT NULL,
    screens bigint NOT NULL,
    frozen_at timestamptz,
    last_receipt_at timestamptz,
    written_off bigint NOT NULL DEFAULT 0,
    by_topic bigint NOT NULL DEFAULT 0,
    topics bigint NOT NULL DEFAULT 0,
    topics_accepted bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (alert_id, version, channel)
);
CREATE TABLE IF NOT EXISTS reach_reasons (
    alert_id uuid NOT NULL,
    version int NOT NULL,
    channel text NOT NULL,
    reason text NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (alert_id, version, channel, reason)
);
CREATE TABLE IF NOT EXISTS reach_screens (
    alert_id uuid NOT NULL,
    version int NOT NULL,
    screen_id uuid NOT NULL,
    shown_at timestamptz NOT NULL,
    PRIMARY KEY (alert_id, version, screen_id)
);
CREATE INDEX IF NOT EXISTS reach_screens_screen ON reach_screens (screen_id, shown_at);
"""

COUNTED = ("audience", *FINAL, "unknown", "screens")
"""Columns of reach_totals. They only grow, but for the dead that are tried again.

The deferred have none: their follow-up's receipt counts them.
"""
LATER = ("written_off", "by_topic", "topics", "topics_accepted")
"""Columns that came later, behind the others."""

_TOTALS = """
INSERT INTO reach_totals AS t VALUES
    (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (alert_id, version, channel) DO UPDATE SET
    audience = t.audience + excluded.audience,
    accepted = t.accepted + excluded.accepted,
    gone = t.gone + excluded.gone,
    refused = t.refused + excluded.refused,
    dead = t.dead + excluded.dead,
    expired = t.expired + excluded.expired,
    superseded = t.superseded + excluded.superseded,
    unknown = t.unknown + excluded.unknown,
    screens = t.screens + excluded.screens,
    frozen_at = coalesce(t.frozen_at, excluded.frozen_at),
    last_receipt_at = coalesce(excluded.last_receipt_at, t.last_receipt_at),
    written_off = t.written_off + excluded.written_off,
    by_topic = t.by_topic + excluded.by_topic,
    topics = t.topics + excluded.topics,
    topics_accepted = t.topics_accepted + excluded.topics_accepted
"""
_REASON = """
INSERT INTO reach_reasons AS r VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (alert_id, version, channel, reason) DO UPDATE SET count = r.count + excluded.count
"""
# Answers those that are new, so that a repeated report counts once.
_SCREENS = """
INSERT INTO reach_screens SELECT * FROM unnest(%s::uuid[], %s::int[], %s::uuid[], %s::timestamptz[])
ON CONFLICT DO NOTHING RETURNING alert_id, version
"""


class Reach:
    """Audience and outcomes by alert, version and channel, and by commune; dead letters; screens."""

    name = "reach"
    topics = frozenset(
        {
            AlertIssued.TOPIC,
            AudienceFrozen.TOPIC,
            ReceiptRecorded.TOPIC,
            ScreenShowed.TOPIC,
            DeadLetterReplayed.TOPIC,
            DeadLetterWrittenOff.TOPIC,
        }
    )
    ddl = DDL + RECEIPTS_DDL + AREAS_DDL + LETTERS_DDL + SPARED_DDL + DRILLS_DDL
    tables: tuple[str, ...] = (
        "reach_totals",
        "reach_reasons",
        "reach_receipts",
        "reach_screens",
        "reach_areas",
        "reach_dead_letters",
        "reach_spared",
        "reach_drills",
    )

    def apply(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        """Folds a page: sums in memory, then one write a table. Only receipts' rows go as they come."""
        fold = Fold()
        note(tx, fold.rows(page))
        for alert_id, version in _note_screens(tx, fold.shown):
            fold.tallies[alert_id, version, Channel.LED].counts["screens"] += 1
        _note_tallies(tx, fold.tallies)
        fold.areas.write(tx)
        fold.letters.write(tx)
        spared.note(tx, fold.frozen)
        drills.note(tx, fold.issued)


def _note_screens(tx: Transaction, shown: dict[tuple[UUID, int, UUID], datetime]) -> list[tuple[UUID, int]]:
    if not shown:
        return []
    alerts, versions, screens = zip(*shown, strict=True)
    return tx.cursor.execute(
        _SCREENS, (list(alerts), list(versions), list(screens), list(shown.values()))
    ).fetchall()


def _note_tallies(tx: Transaction, tallies: dict[Key, Tally]) -> None:
    totals: list[tuple[Any, ...]] = []
    reasons: list[tuple[Any, ...]] = []
    for (alert_id, version, channel), tally in tallies.items():
        key = (alert_id, version, channel.value)
        counts = (tally.counts[column] for column in COUNTED)
        later = (tally.counts[column] for column in LATER)
        totals.append((*key, *counts, tally.frozen_at, tally.last_receipt_at, *later))
        reasons += ((*key, reason, count) for reason, count in tally.reasons.items())
    if totals:
        tx.cursor.executemany(_TOTALS, totals)
    if reasons:
        tx.cursor.executemany(_REASON, reasons)
