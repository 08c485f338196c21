"""Counts short messages: by version and provider, and by body and day."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from projections.projection import Transaction
from projections.rows import storable
from schemas.content import Channel
from schemas.dispatch import Outcome, Receipt
from schemas.events import AlertIssued, ReceiptRecorded, Recorded, SmsDelivered
from schemas.local_time import HANOI

DDL = """
CREATE TABLE IF NOT EXISTS sms_issuers (
    alert_id uuid PRIMARY KEY,
    issuer_id text NOT NULL
);
CREATE TABLE IF NOT EXISTS sms_spent (
    alert_id uuid NOT NULL,
    version int NOT NULL,
    day date NOT NULL,
    segments bigint NOT NULL,
    vnd bigint NOT NULL,
    PRIMARY KEY (day, alert_id, version)
);
CREATE TABLE IF NOT EXISTS sms_carried (
    alert_id uuid NOT NULL,
    version int NOT NULL,
    provider text NOT NULL,
    accepted bigint NOT NULL,
    delivered bigint NOT NULL,
    failed bigint NOT NULL,
    expired bigint NOT NULL,
    PRIMARY KEY (alert_id, version, provider)
);
"""
_ISSUER = "INSERT INTO sms_issuers VALUES (%s, %s) ON CONFLICT DO NOTHING"
_SPENT = """
INSERT INTO sms_spent AS s VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (day, alert_id, version) DO UPDATE SET
    segments = s.segments + excluded.segments, vnd = s.vnd + excluded.vnd
"""
_CARRIED = """
INSERT INTO sms_carried AS c VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (alert_id, version, provider) DO UPDATE SET
    accepted = c.accepted + excluded.accepted,
    delivered = c.delivered + excluded.delivered,
    failed = c.failed + excluded.failed,
    expired = c.expired + excluded.expired
"""
NAME = 120
COUNTED = ("accepted", "delivered", "failed", "expired")

Carried = defaultdict[tuple[UUID, int, str], Counter[str]]


class Sms:
    """Rows only grow."""

    name = "sms"
    topics = frozenset({AlertIssued.TOPIC, ReceiptRecorded.TOPIC, SmsDelivered.TOPIC})
    ddl = DDL
    tables: tuple[str, ...] = ("sms_issuers", "sms_spent", "sms_carried")

    def apply(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        """Folds a page: sums in memory, then one write a table."""
        issuers: dict[UUID, str] = {}
        spent: defaultdict[tuple[UUID, int, date], Counter[str]] = defaultdict(Counter)
        carried: Carried = defaultdict(Counter)
        for _, recorded_at, event in page:
            match event:
                case AlertIssued(originator_id=alert_id, issuer_id=issuer_id):
                    issuers[alert_id] = issuer_id
                case ReceiptRecorded(receipt=receipt) if receipt.dispatch.channel is Channel.SMS:
                    order = receipt.dispatch
                    if receipt.segments:
                        day = recorded_at.astimezone(HANOI).date()
                        took = {"segments": receipt.segments, "vnd": receipt.cost}
                        spent[order.alert_id, order.version, day].update(took)
                    _accepted(carried, receipt)
                case SmsDelivered(alert_id=alert_id, version=version, provider=provider):
                    carried[alert_id, version, storable(provider, NAME)].update(event.counts)
                case _:
                    pass
        if issuers:
            tx.cursor.executemany(_ISSUER, list(issuers.items()))
        if spent:
            tx.cursor.executemany(_SPENT, [(*key, c["segments"], c["vnd"]) for key, c in spent.items()])
        if carried:
            rows = [(*key, *(counts[name] for name in COUNTED)) for key, counts in carried.items()]
            tx.cursor.executemany(_CARRIED, rows)


def _accepted(carried: Carried, receipt: Receipt) -> None:
    order = receipt.dispatch
    alone = {receipt.provider: receipt.counts.get(Outcome.ACCEPTED, 0)}
    by_provider = {name: len(ranks) for name, ranks in receipt.carried.items()} or alone
    for provider, count in by_provider.items():
        if count:
            carried[order.alert_id, order.version, storable(provider, NAME)]["accepted"] += count
