"""Delivery receipts: each is about one message, whenever and on whatever line it comes."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.gateway import Message
from channels.sms import SmsGateway
from channels.sms.receipts import PATIENCE, About, Batch, Book, Counts, Told, canonical
from channels.sms.sandbox import Behaviour, SmscSandbox
from channels.sms.session import word_of
from channels.sms.smpp import Command, Pdu
from schemas.dispatch import Fate
from tests.following import becomes
from tests.unit.channels.sms.carriers import LONG, alert, smpp, someone

ALERT = alert()
ABOUT = About(ALERT.alert_id, 1, "a")
STATES = ("DELIVRD", "UNDELIV", "REJECTD", "DELETED", "EXPIRED", "ENROUTE", "ACCEPTD", "UNKNOWN", "MO")


@dataclass
class Shelf:
    """Keeps batches as the house does, in memory."""

    awaited: dict[tuple[str, str], About] = field(default_factory=dict[tuple[str, str], About])
    counts: Counts = field(default_factory=Counts)
    fails: int = 0

    def note(self, batch: Batch) -> Sequence[Told]:
        if self.fails:
            self.fails -= 1
            raise ConnectionError
        for one in batch.sent:
            self.awaited[one.provider, one.message_id] = About(one.alert_id, one.version, one.provider)
        unknown: list[Told] = []
        for told in batch.told:
            about = self.awaited.pop((told.provider, told.message_id), None)
            if about is None:
                unknown.append(told)
            else:
                self.counts.setdefault(about, Counter())[told.fate] += 1
        for about, counts in batch.counts.items():
            self.counts.setdefault(about, Counter()).update(counts)
        return unknown


steps = st.lists(
    st.one_of(
        st.tuples(st.just("sent"), st.integers(0, 9)),
        st.tuples(st.just("heard"), st.integers(0, 9)),
        st.tuples(st.just("keep"), st.integers(0, 1)),
    ),
    max_size=40,
)


@given(steps)
def test_each_message_counts_once_whatever_the_order(steps: list[tuple[str, int]]) -> None:
    book, shelf = Book(), Shelf()
    sent, heard = set[int](), set[int]()
    for step, number in steps:
        if step == "sent" and number not in sent:
            sent.add(number)
            book.sent("a", str(number), ALERT)
        elif step == "heard" and number not in heard:
            heard.add(number)
            book.heard("a", str(number), "DELIVRD")
        elif step == "keep":
            shelf.fails = number
            asyncio.run(book.keep(shelf.note))
    shelf.fails = 0
    asyncio.run(book.keep(shelf.note))
    assert shelf.counts.get(ABOUT, Counter()).total() == len(sent & heard)


def test_what_is_final() -> None:
    book = Book()
    for state in STATES:
        book.sent("a", state, ALERT)
        book.heard("a", state, state)
    assert book.take().counts == {ABOUT: {Fate.DELIVERED: 1, Fate.FAILED: 3, Fate.EXPIRED: 1}}


def test_a_receipt_of_nothing_we_sent_is_given_up() -> None:
    book, asked = Book(), list[int]()

    def note(batch: Batch) -> Sequence[Told]:
        asked.append(len(batch.told))
        return batch.told

    book.heard("a", "x", "DELIVRD")
    for _ in range(PATIENCE + 5):
        asyncio.run(book.keep(note))
    assert asked == [1] * PATIENCE


@pytest.mark.parametrize(
    ("given", "base", "same"), [("0A", 16, "10"), ("10", 10, "10"), ("x-1", 16, "x-1"), ("0A", None, "0A")]
)
def test_ids_in_two_notations(given: str, base: int | None, same: str) -> None:
    assert canonical(given, base) == same


@given(st.binary(max_size=80))
def test_no_receipt_is_too_strange_to_read(body: bytes) -> None:
    assert word_of(Pdu(Command.DELIVER_SM, 0, 1, body)).state


def work(
    smsc: SmscSandbox, behaviour: Behaviour, message: Message, *endings: str, drop: bool = False
) -> Shelf:
    """Sends to numbers with these endings, and waits for a receipt of each."""
    shelf = Shelf()

    async def scenario() -> None:
        book = Book()
        smsc.behave(behaviour)
        async with SmsGateway(smpp(smsc.endpoint), 50, name="a", book=book) as gateway:
            keeping = asyncio.create_task(book.run(shelf.note, 0.02))
            await gateway.send(message, [someone(ending) for ending in endings])
            if drop:
                await becomes(lambda: len(shelf.awaited) == len(endings))
                smsc.drop()
            await becomes(lambda: sum(map(Counter[Any].total, shelf.counts.values())) == len(endings))
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    asyncio.run(scenario())
    return shelf


GOOD, UNDELIVERED, TOO_LATE = "0000009", "0000005", "0000006"


@pytest.mark.parametrize("behaviour", [Behaviour(), Behaviour(receipt_delay_ms=150)])
def test_receipts_find_their_alert(tmp_path: Path, behaviour: Behaviour) -> None:
    message = alert(LONG)
    with SmscSandbox(tmp_path) as smsc:
        shelf = work(smsc, behaviour, message, *[GOOD] * 7, UNDELIVERED, UNDELIVERED, TOO_LATE)
    told = {Fate.DELIVERED: 7, Fate.FAILED: 2, Fate.EXPIRED: 1}
    assert shelf.counts == {About(message.alert_id, 1, "a"): told}
    assert not shelf.awaited


class Reluctant(SmscSandbox):
    """Keeps receipts back until its lines are broken and another is bound: they come on that."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._kept: list[bytes] = []
        self._dropped = False

    def tell_later(self, body: bytes, seconds: float) -> None:
        del seconds
        self._kept.append(body)

    def drop(self) -> None:
        self._dropped = True
        super().drop()

    def bound(self, session: Any) -> None:
        super().bound(session)
        while self._dropped and self._kept:
            self.tell(self._kept.pop())


def test_a_receipt_may_come_on_another_line(tmp_path: Path) -> None:
    message = alert()
    with Reluctant(tmp_path) as smsc:
        shelf = work(smsc, Behaviour(receipt_delay_ms=1), message, GOOD, UNDELIVERED, drop=True)
    assert shelf.counts == {About(message.alert_id, 1, "a"): {Fate.DELIVERED: 1, Fate.FAILED: 1}}
