"""The allowance: however many slots are busy, a kill leaves no more in doubt than one process may."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.allowance import Allowance
from channels.delivery import Delivery
from channels.desk import Claim
from channels.gateway import Message, Recipient, Result
from schemas.content import Channel, Lane, MsgType
from schemas.dispatch import Dispatch, Outcome, Receipt
from schemas.ids import dispatch_id
from tests.unit.schemas.examples import CONTENT, DISPATCH
from tests.waiting import PATIENCE

AT = datetime(2026, 7, 10, 3, 0, tzinfo=UTC)
SIZE = 10


def dispatch(number: int, lane: Lane = Lane.ALERT) -> Dispatch:
    first = number * SIZE
    return DISPATCH.model_copy(
        update={
            "id": dispatch_id(DISPATCH.alert_id, 1, Channel.PUSH, first, 1),
            "first": first,
            "last": first + SIZE,
            "only": None,
            "areas": (),
            "lane": lane,
        }
    )


class Killed(BaseException):
    """The process died here."""


@dataclass
class Books:
    """The ledger, in memory: what is written before the kill stays, what comes after is not."""

    dead: bool = False
    noted: defaultdict[object, list[Result]] = field(default_factory=lambda: defaultdict(list))
    doubt: dict[object, frozenset[int]] = field(default_factory=dict[object, frozenset[int]])
    receipts: dict[object, Receipt] = field(default_factory=dict[object, Receipt])

    def in_doubt(self) -> int:
        return sum(
            len(ranks - {result.rank for result in self.noted[key]}) for key, ranks in self.doubt.items()
        )

    def claim(self, dispatch: Dispatch, at: datetime) -> Claim:
        del at
        noted = tuple(self.noted[dispatch.id])
        doubt = self.doubt.get(dispatch.id, frozenset()) - {result.rank for result in noted}
        return Claim(dispatch.id in self.receipts, 1, noted, doubt)

    def message(self, dispatch: Dispatch) -> Message | None:
        return Message(
            dispatch.alert_id,
            1,
            MsgType.ALERT,
            dispatch.lane,
            "UBND",
            CONTENT,
            AT,
            dispatch.expires_at,
        )

    def ahead(self, dispatch: Dispatch) -> bool:
        del dispatch
        return False

    def withdraws_nothing(self, dispatch: Dispatch) -> bool:
        del dispatch
        return False

    def recipients(self, dispatch: Dispatch, ranks: Sequence[int]) -> list[Recipient]:
        del dispatch
        return [Recipient(rank, rank, f"a{rank}", "token", "android", "vi") for rank in ranks]

    def progress(
        self, dispatch: Dispatch, hold: int, noted: Sequence[Result], sending: Sequence[int], via: str = ""
    ) -> None:
        del hold, via
        if not self.dead:
            self.noted[dispatch.id].extend(noted)
            self.doubt[dispatch.id] = frozenset(sending)

    def note(self, some: Sequence[tuple[Dispatch, Sequence[Result]]]) -> None:
        for each, noted in some:
            if not self.dead and each.id not in self.receipts:
                self.noted[each.id].extend(noted)

    def close(self, receipt: Receipt, hold: int, gone: Sequence[Recipient], at: datetime) -> None:
        del hold, gone, at
        if not self.dead:
            self.doubt.pop(receipt.dispatch.id, None)
            self.receipts[receipt.dispatch.id] = receipt


@dataclass
class Provider:
    """Answers each in its time; `stuck` ranks wait for `loose`. It counts whom it accepted."""

    chance: random.Random = field(default_factory=lambda: random.Random(1))
    reached: Counter[int] = field(default_factory=Counter[int])
    dies_after: int | None = None
    died: Callable[[], None] = lambda: None
    stuck: frozenset[int] = frozenset()
    loose: asyncio.Event = field(default_factory=asyncio.Event)
    window: int = SIZE
    channel = Channel.PUSH
    name = "slow"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None: ...

    async def send(self, message: Message, recipients: Sequence[Recipient]) -> list[Result]:
        return await self.send_telling(message, recipients, lambda _: None)

    async def send_telling(
        self, message: Message, recipients: Sequence[Recipient], tell: Callable[[Result], None]
    ) -> list[Result]:
        del message
        assert len(recipients) <= self.window

        async def one(rank: int) -> Result:
            if rank in self.stuck:
                await self.loose.wait()
            await asyncio.sleep(self.chance.choice((0, 0, 0.001, 0.003)))
            if self.dies_after is not None and self.reached.total() >= self.dies_after:
                self.died()
                raise Killed
            self.reached[rank] += 1
            result = Result(rank, Outcome.ACCEPTED)
            tell(result)
            return result

        return list(await asyncio.gather(*(one(recipient.rank) for recipient in recipients)))


async def all_of(delivery: Delivery, *dispatches: Dispatch) -> None:
    await asyncio.gather(*(delivery.deliver(each) for each in dispatches))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 69), st.integers(1, 30), st.integers(0, 2**32))
def test_one_kill_costs_one_allowance_with_seven_slots_busy(dies_after: int, most: int, seed: int) -> None:
    books, slices = Books(), [dispatch(number) for number in range(7)]
    first = Provider(random.Random(seed), dies_after=dies_after)

    def die() -> None:
        books.dead = True

    first.died = die
    with pytest.raises(Killed):
        asyncio.run(all_of(Delivery(books, first, lambda: AT, allowance=most), *slices))
    doubtful = books.in_doubt()
    assert doubtful <= most
    books.dead = False
    second = Provider(random.Random(seed))
    asyncio.run(all_of(Delivery(books, second, lambda: AT, allowance=most), *slices))
    reached = first.reached + second.reached
    assert set(reached) == set(range(7 * SIZE)), "nobody is lost"
    twice = reached.total() - len(reached)
    assert twice <= sum(receipt.unknown for receipt in books.receipts.values()) <= most
    assert all(receipt.counts == {Outcome.ACCEPTED: SIZE} for receipt in books.receipts.values())


def test_what_is_known_is_noted_before_trouble_of_the_house_ends_a_dispatch() -> None:
    """As where the database is killed between two pieces: who was reached is not sent to again."""

    class Away(Books):
        asked: int = 0

        def message(self, dispatch: Dispatch) -> Message | None:
            self.asked += 1
            if self.asked == 3:
                raise ConnectionError
            return super().message(dispatch)

    books, provider = Away(), Provider(window=4)
    delivery = Delivery(books, provider, lambda: AT, allowance=4)
    with pytest.raises(ConnectionError):
        asyncio.run(delivery.deliver(dispatch(0)))
    assert len(provider.reached) == 8
    assert books.in_doubt() == 0
    asyncio.run(delivery.deliver(dispatch(0)))
    assert provider.reached == Counter(range(SIZE))


def test_one_answer_that_stays_out_holds_up_only_its_own_slot() -> None:
    books = Books()

    async def play() -> None:
        provider = Provider(stuck=frozenset({3}))
        delivery = Delivery(books, provider, lambda: AT, allowance=SIZE)
        held_up = asyncio.create_task(delivery.deliver(dispatch(0)))
        async with asyncio.timeout(PATIENCE):
            await all_of(delivery, *(dispatch(number) for number in range(1, 6)))
        assert not held_up.done()
        assert books.in_doubt() == 1
        provider.loose.set()
        await held_up

    asyncio.run(play())
    assert len(books.receipts) == 6


def test_the_graver_lane_is_served_first_and_a_slot_that_left_holds_nothing() -> None:
    async def play() -> list[Lane]:
        served: list[Lane] = []

        async def nothing(some: object) -> None:
            del some

        allowance = Allowance(SIZE, nothing)

        async def slot(lane: Lane) -> None:
            share = await allowance.take(dispatch(0, lane), SIZE)
            served.append(lane)
            await asyncio.sleep(0)
            allowance.give_back(share)
            allowance.give_back(share)

        held = await allowance.take(dispatch(0), SIZE)
        lanes = (Lane.BULLETIN, Lane.ALERT, Lane.EMERGENCY, Lane.ALERT)
        waiting = [asyncio.create_task(slot(lane)) for lane in lanes]
        await asyncio.sleep(0)
        assert allowance.unsettled == SIZE
        assert allowance.outranked(held)
        waiting[1].cancel()
        allowance.give_back(held)
        await asyncio.gather(*waiting, return_exceptions=True)
        assert allowance.unsettled == 0
        return served

    assert asyncio.run(play()) == [Lane.EMERGENCY, Lane.ALERT, Lane.BULLETIN]


def test_an_allowance_of_nothing_is_refused() -> None:
    async def nothing(some: object) -> None:
        del some

    with pytest.raises(ValueError, match="most"):
        Allowance(0, nothing)
