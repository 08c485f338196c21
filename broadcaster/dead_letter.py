"""A dead letter: recipients that one dispatch gave up. What may be asked of it; no I/O.

Its stream is the dispatch's: first the receipt, then at most one word on what became of those given up.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NoReturn

from broadcaster.alert import Alert
from broadcaster.lifecycle import Life
from broadcaster.rules import RefusedError, Rule
from schemas.dispatch import Dispatch, Outcome, Receipt
from schemas.events import Actor, DeadLetterReplayed, DeadLetterWrittenOff, ReceiptRecorded

DeadLetterEvent = ReceiptRecorded | DeadLetterReplayed | DeadLetterWrittenOff


@dataclass(frozen=True)
class DeadLetter:
    """One receipt, and what was done about those it gave up."""

    receipt: Receipt
    version: int = 1
    settled: str = ""
    """What was done; empty while nothing was."""

    @staticmethod
    def fold(state: "DeadLetter | None", event: DeadLetterEvent) -> "DeadLetter":
        """The dead letter after the event."""
        if isinstance(event, ReceiptRecorded):
            return DeadLetter(event.receipt)
        assert state is not None, "it begins with a receipt"
        settled = "replayed" if isinstance(event, DeadLetterReplayed) else "written off"
        return replace(state, version=event.originator_version, settled=settled)

    @property
    def order(self) -> Dispatch:
        """The dispatch that gave them up."""
        return self.receipt.dispatch

    def replay(self, by: Actor, reason: str, alert: Alert, at: datetime) -> DeadLetterReplayed:
        """Orders just those given up once more. Refused where the message is moot or late by now.

        Whoever accepted it is not among them. The worker asks the alert again before it sends.
        """
        self._check_open()
        ranks = self.receipt.dead_ranks
        if ranks is None:
            self._refuse("its receipt does not tell whom it gave up; write it off")
        word = latest_word(alert)
        if word != self.order.version:
            self._refuse(
                f"version {self.order.version} is no longer the alert's word"
                + ("" if word is None else f", {word} is")
            )
        if at >= self.order.expires_at:
            self._refuse(f"it expired at {self.order.expires_at.isoformat()}")
        return DeadLetterReplayed(
            originator_id=self.order.id,
            originator_version=self.version + 1,
            by=by,
            dispatch=self.order.replay(ranks),
            reason=reason,
        )

    def write_off(self, by: Actor, reason: str) -> DeadLetterWrittenOff:
        """Lets them be: they stay counted as dead."""
        self._check_open()
        return DeadLetterWrittenOff(
            originator_id=self.order.id,
            originator_version=self.version + 1,
            by=by,
            alert_id=self.order.alert_id,
            version=self.order.version,
            channel=self.order.channel,
            count=self.receipt.counts[Outcome.DEAD],
            reason=reason,
        )

    def _check_open(self) -> None:
        if self.settled:
            self._refuse(f"it was {self.settled} already")

    def _refuse(self, why: str) -> NoReturn:
        raise RefusedError(Rule.STATE, f"dead letter {self.order.id}: {why}")


def latest_word(alert: Alert) -> int | None:
    """The version that stands for the alert now: the one out, or its withdrawal; none once it expired."""
    if alert.life is Life.CANCELLED and alert.withdrawn is not None:
        return alert.withdrawn.version
    if alert.life is Life.LIVE and alert.issued is not None:
        return alert.issued.version
    return None
