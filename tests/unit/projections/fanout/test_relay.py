"""Relays on a real PostgreSQL: every order, in order, once noted."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from projections.fanout import view
from projections.fanout.outbox import Place, commit, place, unpublished
from projections.fanout.projection import Fanout
from projections.fanout.relay import RELAY_DDL, Publish, Relay, meet_stream, rewind
from projections.follower import Follower
from schemas.content import Lane
from schemas.dispatch import Dispatch
from tests.following import (
    AT,
    END,
    Registry,
    World,
    audience,
    backends,
    becomes,
    frozen,
    kill,
    receipt,
    world,
)
from tests.waiting import PATIENCE

RELAY = "broadcaster relay emergency"


@pytest.fixture
def here(database: str) -> Iterator[World]:
    with world(database) as made:
        made.conn.execute(RELAY_DDL)
        yield made


@pytest.fixture
def follower(here: World) -> Follower:
    return here.follower(Fanout(Registry({}).census, frozen))


class Broker:
    """Keeps what is published, each id once; refuses the first `refusals` calls."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.batches: list[int] = []
        self.kept: dict[UUID, Dispatch] = {}

    async def publish(self, dispatches: Sequence[Dispatch]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise ConnectionError("away")
        self.batches.append(len(dispatches))
        self.kept |= {dispatch.id: dispatch for dispatch in dispatches}

    async def has(self, count: int) -> None:
        """Waits until so many were published."""
        await becomes(lambda: len(self.kept) >= count)


def order(here: World, follower: Follower, count: int, lane: Lane = Lane.EMERGENCY) -> list[Dispatch]:
    """So many new dispatches, of one recipient each."""
    known = {dispatch.id for dispatch in view.undone(here.conn, limit=9999)}
    here.append(audience(count, 1, lane=lane))
    follower.catch_up()
    return [dispatch for dispatch in view.undone(here.conn, limit=9999) if dispatch.id not in known]


@asynccontextmanager
async def relaying(
    here: World, publish: Publish, *, batch: int = 1000, poll: float = 0.05
) -> AsyncGenerator[Relay]:
    relay = Relay(Lane.EMERGENCY, here.pool, publish, batch=batch, poll=poll)
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        relay.stop()
        async with asyncio.timeout(PATIENCE):
            await task


async def noted(here: World, at: Place) -> None:
    await becomes(lambda: place(here.conn, Lane.EMERGENCY) == at)


def test_its_lane_goes_out_in_order_and_in_batches(here: World, follower: Follower) -> None:
    broker = Broker()
    first = order(here, follower, 25)
    order(here, follower, 5, Lane.BULLETIN)
    second = order(here, follower, 5)

    async def scenario() -> None:
        async with relaying(here, broker.publish, batch=10):
            await broker.has(30)
            await noted(here, Place(3, 4))

    asyncio.run(scenario())
    assert list(broker.kept.values()) == first + second
    assert broker.batches == [10, 10, 10]
    assert place(here.conn, Lane.BULLETIN) == Place(0, -1)


def test_what_waits_is_counted_lane_by_lane(here: World, follower: Follower) -> None:
    order(here, follower, 25)
    order(here, follower, 5, Lane.BULLETIN)
    assert unpublished(here.conn) == {**dict.fromkeys(Lane, 0), Lane.EMERGENCY: 25, Lane.BULLETIN: 5}
    assert commit(here.conn, Lane.EMERGENCY, Place(0, -1), Place(1, 19))
    assert unpublished(here.conn)[Lane.EMERGENCY] == 5
    assert unpublished(here.conn)[Lane.BULLETIN] == 5


def test_new_orders_wake_it(here: World, follower: Follower, database: str) -> None:
    broker = Broker()

    async def scenario() -> None:
        # So long a poll that only NOTIFY can wake it within the test's time.
        async with relaying(here, broker.publish, poll=600):
            await becomes(lambda: backends(database, RELAY))
            for count in (1, 2, 3):
                await asyncio.to_thread(order, here, follower, 1)
                await broker.has(count)

    asyncio.run(scenario())


def test_a_broker_that_is_away_costs_no_order(here: World, follower: Follower) -> None:
    broker = Broker(refusals=4)
    orders = order(here, follower, 7)

    async def scenario() -> None:
        async with relaying(here, broker.publish, batch=3):
            await broker.has(7)

    asyncio.run(scenario())
    assert list(broker.kept.values()) == orders


def test_it_stops_while_the_broker_is_away(here: World, follower: Follower) -> None:
    broker = Broker(refusals=10**9)
    order(here, follower, 1)

    async def scenario() -> None:
        async with relaying(here, broker.publish):
            await becomes(lambda: broker.refusals <= 10**9 - 3)

    asyncio.run(scenario())
    assert place(here.conn, Lane.EMERGENCY) == Place(0, -1)


def test_of_two_relays_one_works_until_it_is_gone(here: World, follower: Follower, database: str) -> None:
    one, two = Broker(), Broker()
    orders = order(here, follower, 5)

    async def scenario() -> None:
        async with relaying(here, one.publish) as first:
            await one.has(5)
            async with relaying(here, two.publish):
                await becomes(lambda: len(backends(database, RELAY)) == 2)
                orders.extend(await asyncio.to_thread(order, here, follower, 5))
                await one.has(10)
                assert two.kept == {}
                await noted(here, Place(2, 4))
                first.stop()
                await becomes(lambda: len(backends(database, RELAY)) == 1)
                orders.extend(await asyncio.to_thread(order, here, follower, 5))
                await two.has(5)

    asyncio.run(scenario())
    assert [*one.kept.values(), *two.kept.values()] == orders


def test_a_killed_connection_is_replaced(here: World, follower: Follower, database: str) -> None:
    broker = Broker()
    orders: list[Dispatch] = []

    async def scenario() -> None:
        async with relaying(here, broker.publish):
            for count in range(1, 4):
                orders.extend(await asyncio.to_thread(order, here, follower, 1))
                await broker.has(count)
                await noted(here, Place(count, 0))
                kill(database, backends(database, RELAY))

    asyncio.run(scenario())
    assert list(broker.kept.values()) == orders


def test_a_position_moved_meanwhile_is_not_overwritten(here: World, follower: Follower) -> None:
    broker = Broker()
    order(here, follower, 3)

    async def publish(dispatches: Sequence[Dispatch]) -> None:
        await broker.publish(dispatches)
        if len(broker.batches) == 2:
            assert rewind(here.conn, Lane.EMERGENCY, AT)

    async def scenario() -> None:
        async with relaying(here, publish, batch=1):
            await broker.has(3)
            await noted(here, Place(1, 2))

    asyncio.run(scenario())
    assert broker.batches == [1] * 5


def test_a_rebuild_of_fanout_publishes_nothing_again(here: World, follower: Follower) -> None:
    broker = Broker()
    order(here, follower, 9)

    async def scenario() -> None:
        async with relaying(here, broker.publish):
            await broker.has(9)
            await noted(here, Place(1, 8))
            await asyncio.to_thread(follower.rebuild)
            await asyncio.to_thread(order, here, follower, 1)
            await broker.has(10)

    asyncio.run(scenario())
    assert sum(broker.batches) == 10


def test_rewind_goes_back_to_the_first_that_is_undone_and_not_expired(
    here: World, follower: Follower
) -> None:
    orders = order(here, follower, 4)
    assert not rewind(here.conn, Lane.EMERGENCY, AT)

    async def all_out() -> None:
        broker = Broker()
        async with relaying(here, broker.publish):
            await noted(here, Place(1, 3))

    asyncio.run(all_out())
    here.append(*(receipt(dispatch) for dispatch in orders[:2]))
    follower.catch_up()
    assert not rewind(here.conn, Lane.EMERGENCY, END)
    assert not rewind(here.conn, Lane.BULLETIN, AT)
    assert place(here.conn, Lane.EMERGENCY) == Place(1, 3)
    assert rewind(here.conn, Lane.EMERGENCY, AT)
    assert place(here.conn, Lane.EMERGENCY) == Place(1, 1)
    order(here, follower, 1)
    # Never forward over what was not published.
    here.append(*(receipt(dispatch) for dispatch in orders[2:]))
    follower.catch_up()
    assert not rewind(here.conn, Lane.EMERGENCY, AT)
    assert place(here.conn, Lane.EMERGENCY) == Place(1, 1)


def test_a_recreated_stream_is_noticed_once(here: World, follower: Follower) -> None:
    order(here, follower, 2)
    created = datetime(2026, 7, 1, tzinfo=UTC)
    assert not meet_stream(here.conn, Lane.EMERGENCY, created, AT)

    async def all_out() -> None:
        broker = Broker()
        async with relaying(here, broker.publish):
            await noted(here, Place(1, 1))

    asyncio.run(all_out())
    assert not meet_stream(here.conn, Lane.EMERGENCY, created, AT)
    assert place(here.conn, Lane.EMERGENCY) == Place(1, 1)
    again = created + timedelta(days=1)
    assert meet_stream(here.conn, Lane.EMERGENCY, again, AT)
    assert place(here.conn, Lane.EMERGENCY) == Place(1, -1)
    assert not meet_stream(here.conn, Lane.EMERGENCY, again, AT)
