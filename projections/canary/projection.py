"""Notes each probe, and the receipt that ends it."""

from collections.abc import Sequence

from projections.projection import Transaction
from schemas.dispatch import Outcome, Receipt
from schemas.events import CanarySent, ReceiptRecorded, Recorded
from schemas.ids import is_canary

CANARY_DDL = """
CREATE TABLE IF NOT EXISTS canary_probes (
    lane text NOT NULL,
    channel text NOT NULL,
    number int NOT NULL,
    sent_at timestamptz NOT NULL,
    ended_at timestamptz,
    accepted boolean NOT NULL DEFAULT false,
    PRIMARY KEY (lane, channel)
);
"""
_SENT = """
INSERT INTO canary_probes (lane, channel, number, sent_at) VALUES (%s, %s, %s, %s)
ON CONFLICT (lane, channel) DO UPDATE SET
    number = excluded.number, sent_at = excluded.sent_at, ended_at = NULL, accepted = false
"""
_ENDED = """
UPDATE canary_probes SET ended_at = %s, accepted = %s WHERE lane = %s AND channel = %s AND number = %s
"""


class Canary:
    """Only the latest probe of each channel and lane is kept; the log has the others."""

    name = "canary"
    topics = frozenset({CanarySent.TOPIC, ReceiptRecorded.TOPIC})
    ddl = CANARY_DDL
    tables: tuple[str, ...] = ("canary_probes",)

    def apply(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        """In the order of the log: a receipt may follow its probe in the same page."""
        for _, recorded_at, event in page:
            match event:
                case CanarySent(lane=lane, channels=channels):
                    number = event.originator_version
                    for channel in channels:
                        tx.cursor.execute(_SENT, (lane.value, channel.value, number, recorded_at))
                case ReceiptRecorded(receipt=receipt) if _ends(receipt):
                    order, accepted = receipt.dispatch, Outcome.ACCEPTED in receipt.counts
                    place = (order.lane.value, order.channel.value, order.version)
                    tx.cursor.execute(_ENDED, (recorded_at, accepted, *place))
                case _:
                    pass


def _ends(receipt: Receipt) -> bool:
    """What is deferred goes on."""
    return is_canary(receipt.dispatch.alert_id) and not receipt.deferred
