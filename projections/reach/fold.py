"""What a page of the log adds to the counts, summed in memory."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from projections.projection import Row
from projections.reach.areas import AreaTallies
from projections.reach.letters import Letters
from projections.reach.receipts import reasons_of, row_of
from schemas.content import Channel
from schemas.dispatch import Outcome, Receipt
from schemas.events import (
    AlertIssued,
    AnyEvent,
    AudienceFrozen,
    DeadLetterReplayed,
    DeadLetterWrittenOff,
    ReceiptRecorded,
    Recorded,
    ScreenShowed,
)
from schemas.ids import is_canary

Key = tuple[UUID, int, Channel]


@dataclass
class Tally:
    """What a page adds to one version on one channel."""

    counts: Counter[str] = field(default_factory=Counter[str])
    reasons: Counter[str] = field(default_factory=Counter[str])
    frozen_at: datetime | None = None
    last_receipt_at: datetime | None = None


class Fold:
    """The sums of one page."""

    def __init__(self) -> None:
        self.tallies: defaultdict[Key, Tally] = defaultdict(Tally)
        self.shown: dict[tuple[UUID, int, UUID], datetime] = {}
        self.areas, self.letters = AreaTallies(), Letters()
        self.frozen: list[AudienceFrozen] = []
        self.issued: list[AlertIssued] = []

    def rows(self, page: Iterable[Recorded]) -> Iterator[Row]:
        """Folds the page, and answers its receipts' rows meanwhile: no event of it is kept longer."""
        for position, recorded_at, event in page:
            if not isinstance(event, ReceiptRecorded):
                self._other(recorded_at, event)
                continue
            receipt = event.receipt
            order = receipt.dispatch
            if is_canary(order.alert_id):
                continue  # A test item reaches nobody.
            reasons = reasons_of(receipt)
            tally = self.tallies[order.alert_id, order.version, order.channel]
            _count(tally, receipt, reasons, recorded_at)
            self.areas.ended(receipt)
            self.letters.ended(position, recorded_at, receipt, reasons)
            yield row_of(position, recorded_at, receipt, reasons)

    def _other(self, recorded_at: datetime, event: AnyEvent) -> None:
        match event:
            case AudienceFrozen():
                self._frozen(recorded_at, event)
            case DeadLetterReplayed(dispatch=order):
                counts = self.tallies[order.alert_id, order.version, order.channel].counts
                counts[Outcome.DEAD] -= len(order.ranks)
                self.areas.replayed(event)
                self.letters.replayed(recorded_at, event)
            case DeadLetterWrittenOff():
                counts = self.tallies[event.alert_id, event.version, event.channel].counts
                counts["written_off"] += event.count
                self.letters.written_off(recorded_at, event)
            case ScreenShowed(originator_id=screen_id):
                for one in event.shown:
                    self.shown.setdefault((one.alert_id, one.version, screen_id), recorded_at)
            case AlertIssued():
                self.issued.append(event)
            case _:
                pass

    def _frozen(self, recorded_at: datetime, event: AudienceFrozen) -> None:
        tally = self.tallies[event.alert_id, event.version, event.channel]
        tally.counts["audience"] += event.added
        tally.counts[Outcome.DEAD] -= event.count - event.added
        tally.counts["topics"] += len(event.topics)
        tally.frozen_at = tally.frozen_at or recorded_at
        self.areas.frozen(event)
        self.frozen.append(event)


def _count(tally: Tally, receipt: Receipt, reasons: dict[str, int], recorded_at: datetime) -> None:
    counts, topic = tally.counts, receipt.dispatch.topic
    if topic is None:
        for outcome, count in receipt.counts.items():
            counts[outcome] += count
        counts["unknown"] += receipt.unknown
    else:
        for outcome, count in receipt.people.items():
            # A topic that was accepted says of nobody that they got it; of one that was not, nobody did.
            counts["by_topic" if outcome is Outcome.ACCEPTED else outcome] += count
        counts["topics_accepted"] += receipt.counts.get(Outcome.ACCEPTED, 0)
        counts["unknown"] += receipt.unknown and topic.people
    for reason, count in reasons.items():
        tally.reasons[reason] += count
    tally.last_receipt_at = recorded_at
