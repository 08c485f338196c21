"""Counts receipts, and the screens that showed an alert."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from projections.projection import Transaction
from projections.reach import drills, spared
from projections.reach.areas import AREAS_DDL, AreaTallies
from projections.reach.drills import DRILLS_DDL
from projections.reach.letters import LETTERS_DDL, Letters
from projections.reach.receipts import RECEIPTS_DDL, note, reasons_of, row_of
from projections.reach.spared import SPARED_DDL
from schemas.content import Channel
from schemas.dispatch import FINAL, Outcome, Receipt
from schemas.events import (
    AlertIssued,
    AudienceFrozen,
    DeadLetterReplayed,
    DeadLetterWrittenOff,
    ReceiptRecorded,
    Recorded,
    ScreenShowed,
)
from schemas.ids import is_canary

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

Key = tuple[UUID, int, Channel]


@dataclass
class Tally:
    """What a page adds to one version on one channel."""

    counts: Counter[str] = field(default_factory=Counter[str])
    reasons: Counter[str] = field(default_factory=Counter[str])
    frozen_at: datetime | None = None
    last_receipt_at: datetime | None = None


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
        """Folds a page: sums in memory, then one write a table."""
        tallies: defaultdict[Key, Tally] = defaultdict(Tally)
        receipts: list[tuple[Any, ...]] = []
        shown: dict[tuple[UUID, int, UUID], datetime] = {}
        areas, letters = AreaTallies(), Letters()
        for position, recorded_at, event in page:
            match event:
                case AudienceFrozen():
                    tally = tallies[event.alert_id, event.version, event.channel]
                    tally.counts["audience"] += event.added
                    tally.counts[Outcome.DEAD] -= event.count - event.added
                    tally.counts["topics"] += len(event.topics)
                    tally.frozen_at = tally.frozen_at or recorded_at
                    areas.frozen(event)
                case ReceiptRecorded(receipt=receipt) if is_canary(receipt.dispatch.alert_id):
                    pass  # A test item reaches nobody.
                case ReceiptRecorded(receipt=receipt):
                    reasons = reasons_of(receipt)
                    _count(tallies, receipt, reasons, recorded_at)
                    receipts.append(row_of(position, recorded_at, receipt, reasons))
                    areas.ended(receipt)
                    letters.ended(position, recorded_at, receipt, reasons)
                case DeadLetterReplayed(dispatch=order):
                    counts = tallies[order.alert_id, order.version, order.channel].counts
                    counts[Outcome.DEAD] -= len(order.ranks)
                    areas.replayed(event)
                    letters.replayed(recorded_at, event)
                case DeadLetterWrittenOff():
                    counts = tallies[event.alert_id, event.version, event.channel].counts
                    counts["written_off"] += event.count
                    letters.written_off(recorded_at, event)
                case ScreenShowed(originator_id=screen_id):
                    for one in event.shown:
                        shown.setdefault((one.alert_id, one.version, screen_id), recorded_at)
                case _:
                    pass
        for alert_id, version in _note_screens(tx, shown):
            tallies[alert_id, version, Channel.LED].counts["screens"] += 1
        note(tx, receipts)
        _note_tallies(tx, tallies)
        areas.write(tx)
        letters.write(tx)
        spared.note(tx, (event for _, _, event in page if isinstance(event, AudienceFrozen)))
        drills.note(tx, (event for _, _, event in page if isinstance(event, AlertIssued)))


def _count(
    tallies: defaultdict[Key, Tally], receipt: Receipt, reasons: dict[str, int], recorded_at: datetime
) -> None:
    dispatch = receipt.dispatch
    tally = tallies[dispatch.alert_id, dispatch.version, dispatch.channel]
    by_topic = dispatch.topic is not None
    for outcome, count in receipt.people.items():
        # A topic that was accepted says of nobody that they got it; of one that was not, nobody did.
        tally.counts["by_topic" if by_topic and outcome is Outcome.ACCEPTED else outcome] += count
    if by_topic:
        tally.counts["topics_accepted"] += receipt.counts.get(Outcome.ACCEPTED, 0)
    tally.counts["unknown"] += receipt.unknown and (dispatch.people if by_topic else receipt.unknown)
    for reason, count in reasons.items():
        tally.reasons[reason] += count
    tally.last_receipt_at = recorded_at


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
