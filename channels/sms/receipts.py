"""Delivery receipts: which alert each is about, counted, and handed on a few seconds' worth at a time.

A carrier names a message by an id of its own, which it gives when it takes the message and again in the
receipt, seconds to days later and on whichever of our lines it likes. So what awaits a receipt is kept by
whoever takes the batches; one that is answered within a batch never leaves this process.

A receipt says what the network says. Operators in Vietnam do not report what the handset did.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

import structlog

from channels.gateway import Message
from schemas.dispatch import Fate

log = structlog.get_logger(__name__)

EVERY = 5.0
"""Seconds' worth of receipts in one batch."""
PATIENCE = 12
"""Batches that a receipt is offered in before it is given up: who sent it may not have noted it yet."""
_MOST_HELD = 100_000


FINAL = {
    "DELIVRD": Fate.DELIVERED,
    "UNDELIV": Fate.FAILED,
    "REJECTD": Fate.FAILED,
    "DELETED": Fate.FAILED,
    "EXPIRED": Fate.EXPIRED,
}
"""SMPP 3.4 §5.2.28. ENROUTE and ACCEPTD are on the way, UNKNOWN says nothing: another may follow."""


class Sent(NamedTuple):
    """A message that a provider took, by the id the provider gave it."""

    provider: str
    message_id: str
    alert_id: UUID
    version: int


class Told(NamedTuple):
    """A receipt that is final."""

    provider: str
    message_id: str
    fate: Fate


class About(NamedTuple):
    """What counts are about."""

    alert_id: UUID
    version: int
    provider: str


Counts = dict[About, Counter[Fate]]


class Batch(NamedTuple):
    """What became known since the last: `counts` are settled, `told` are about messages sent before."""

    sent: tuple[Sent, ...]
    told: tuple[Told, ...]
    counts: Counts


Note = Callable[[Batch], Sequence[Told]]
"""Keeps a batch, all or nothing, and answers the receipts that fit no message it knows. Blocks."""


class Book:
    """One process's, for all its providers."""

    def __init__(self) -> None:
        self._sent: dict[tuple[str, str], Sent] = {}
        self._told: dict[Told, int] = {}
        self._counts: Counts = {}

    def sent(self, provider: str, message_id: str, message: Message) -> None:
        """A provider took a message, and will say what became of it."""
        self._sent[provider, message_id] = Sent(provider, message_id, message.alert_id, message.version)

    def heard(self, provider: str, message_id: str, state: str) -> None:
        """A provider said what became of one; what is not final is passed over."""
        if (fate := FINAL.get(state)) is not None and len(self._told) < _MOST_HELD:
            self._told.setdefault(Told(provider, message_id, fate), 0)

    def take(self) -> Batch:
        """All that is known, and forgets it; receipts for messages in the same batch are settled."""
        told: list[Told] = []
        for one in self._told:
            sent = self._sent.pop((one.provider, one.message_id), None)
            if sent is None:
                told.append(one)
                continue
            about = About(sent.alert_id, sent.version, sent.provider)
            self._counts.setdefault(about, Counter())[one.fate] += 1
        batch = Batch(tuple(self._sent.values()), tuple(told), self._counts)
        self._sent, self._counts = {}, {}
        return batch

    def _put_back(self, batch: Batch, tries: dict[Told, int]) -> None:
        self._sent = {(one.provider, one.message_id): one for one in batch.sent} | self._sent
        self._told = {one: tries.get(one, 0) for one in batch.told} | self._told
        for about, counts in batch.counts.items():
            self._counts.setdefault(about, Counter()).update(counts)

    async def run(self, note: Note, every: float = EVERY) -> None:
        """Hands batches on until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(every)
                await self.keep(note)
        finally:
            with suppress(asyncio.CancelledError):
                await asyncio.shield(self.keep(note))

    async def keep(self, note: Note) -> None:
        """Hands one batch on; where that fails, the next holds it too."""
        batch = self.take()
        if not any(batch):
            return
        tries, self._told = self._told, {}
        try:
            unknown = await asyncio.to_thread(note, batch)
        except Exception as error:  # noqa: BLE001 (the house is away: the same batch again, next time)
            log.warning("receipts.not_kept", error=type(error).__name__)
            self._put_back(batch, tries)
            return
        again = {one: tries.get(one, 0) + 1 for one in unknown}
        self._told |= {one: tried for one, tried in again.items() if tried < PATIENCE}
        if lost := sum(tried >= PATIENCE for tried in again.values()):
            log.warning("receipts.of_no_message", count=lost)


def canonical(message_id: str, base: int | None) -> str:
    """The id as both sides write it: some carriers give it in hexadecimal and repeat it in decimal."""
    if base is None:
        return message_id
    try:
        return str(int(message_id, base))
    except ValueError:
        return message_id
