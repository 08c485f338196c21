"""Alert, update and cancel on one channel, in any interleaving: in order on each phone, and it adds up."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from hypothesis import given, settings
from hypothesis import strategies as st

from channels.delivery import Delivery
from channels.desk import Claim
from channels.gateway import Message, Recipient, Result
from projections.fanout import plan
from schemas.content import Channel, MsgType
from schemas.dispatch import Dispatch, Outcome, Receipt
from tests.following import AT, END, audience
from tests.unit.schemas.examples import CONTENT

FINAL = {Outcome.SUPERSEDED, Outcome.EXPIRED}


@dataclass
class House:
    """The facts that the workers share: the alert's latest word, what is claimed, what has ended."""

    word: int = 1
    cancel: int | None = None
    claimed: dict[object, Dispatch] = field(default_factory=dict)
    ended: dict[object, Receipt] = field(default_factory=dict)

    def claim(self, dispatch: Dispatch, at: datetime) -> Claim:
        del at
        self.claimed[dispatch.id] = dispatch
        return Claim(dispatch.id in self.ended, 1, (), frozenset())

    def message(self, dispatch: Dispatch) -> Message | None:
        if dispatch.version != self.word:
            return None
        kind = MsgType.CANCEL if self.word == self.cancel else MsgType.ALERT
        return Message(dispatch.alert_id, dispatch.version, kind, dispatch.lane, "UBND", CONTENT, AT, END)

    def ahead(self, dispatch: Dispatch) -> bool:
        return any(other.version < dispatch.version for other in list(self.claimed.values()))

    def withdraws_nothing(self, dispatch: Dispatch) -> bool:
        first = next(
            (r for r in list(self.ended.values()) if slice_of(r.dispatch) == (1, dispatch.first)), None
        )
        if dispatch.version != 2:
            return False
        if first is None:
            return not any(slice_of(other) == (1, dispatch.first) for other in list(self.claimed.values()))
        return first.counts.keys() <= FINAL

    def recipients(self, dispatch: Dispatch, ranks: Sequence[int]) -> list[Recipient]:
        del dispatch
        return [Recipient(rank, rank, f"a{rank}", "token", "android", "vi") for rank in ranks]

    def progress(
        self, dispatch: Dispatch, hold: int, noted: Sequence[Result], sending: Sequence[int], via: str = ""
    ) -> None: ...

    def note(self, some: Sequence[tuple[Dispatch, Sequence[Result]]]) -> None: ...

    def close(self, receipt: Receipt, hold: int, gone: Sequence[Recipient], at: datetime) -> None:
        del hold, gone, at
        assert receipt.dispatch.id not in self.ended
        self.ended[receipt.dispatch.id] = receipt
        del self.claimed[receipt.dispatch.id]


def slice_of(dispatch: Dispatch) -> tuple[int, int]:
    return dispatch.version, dispatch.first


@dataclass
class Phones:
    """A gateway that takes its time over each phone, and lets the city change its mind meanwhile."""

    chance: random.Random
    changing: Callable[[int], None] = lambda _: None
    landed: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    sends: int = 0
    window: int = 2
    channel = Channel.PUSH
    name = "phones"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None: ...

    async def send(self, message: Message, recipients: Sequence[Recipient]) -> list[Result]:
        for recipient in recipients:
            self.sends += 1
            self.changing(self.sends)
            await asyncio.sleep(self.chance.choice([0, 0, 0.002, 0.008]))
            self.landed[recipient.rank].append(message.version)
        return [Result(recipient.rank, Outcome.ACCEPTED) for recipient in recipients]


async def live(
    seed: int, count: int, size: int, mind: Sequence[tuple[int, str]]
) -> tuple[House, Phones, int]:
    """Workers carry out versions while, after so many sends, the next one is issued."""
    house, phones, chance = House(), Phones(random.Random(seed)), random.Random(seed)
    base = audience(count, size)
    todo = list(plan.slices(base))
    changes = list(mind)
    delivery = Delivery(house, phones, lambda: AT)

    def change() -> None:
        _, kind = changes.pop(0)
        house.word += 1
        if kind == "cancel":
            house.cancel = house.word
            changes.clear()
        todo.extend(plan.slices(base.model_copy(update={"version": house.word})))

    def during(sends: int) -> None:
        if changes and sends >= changes[0][0]:
            change()

    phones.changing = during

    async def worker() -> None:
        while todo or changes:
            if not todo:
                change()
            # An old order may come after a new one: a broker promises no order between slots.
            await delivery.deliver(todo.pop(chance.randrange(len(todo))))

    await asyncio.gather(*(worker() for _ in range(3)))
    return house, phones, base.count


minds = st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["update", "cancel"])), max_size=3)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 5), minds)
def test_versions_land_in_order_and_what_is_left_is_superseded(
    seed: int, count: int, size: int, mind: list[tuple[int, str]]
) -> None:
    house, phones, people = asyncio.run(live(seed, count, size, mind))
    assert not house.claimed
    outcomes: defaultdict[int, Counter[Outcome]] = defaultdict(Counter)
    for receipt in house.ended.values():
        outcomes[receipt.dispatch.version].update(receipt.counts)
    for version in range(1, house.word + 1):
        # Each version adds up: what was sent of it, and what was not.
        sent = sum(version in versions for versions in phones.landed.values())
        assert outcomes[version].total() == people
        assert outcomes[version][Outcome.ACCEPTED] == sent
        assert outcomes[version][Outcome.SUPERSEDED] == people - sent
    for versions in phones.landed.values():
        assert versions == sorted(set(versions)), "in order, and each at most once"
    if house.cancel is None:
        assert all(phones.landed[rank][-1] == house.word for rank in range(people))
    elif house.cancel == 2:
        # Whoever got the alert got its withdrawal; a slice that got nothing is not told of anything.
        for first in range(0, people, size):
            ranks = range(first, min(first + size, people))
            told = {rank for rank in ranks if 2 in phones.landed[rank]}
            assert told == (set(ranks) if any(1 in phones.landed[rank] for rank in ranks) else set())
