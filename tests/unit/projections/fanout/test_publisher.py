"""Publishing to a real nats-server."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

import nats as nats_py
import pytest
from nats.aio.client import Client
from nats.js.api import StreamConfig
from nats.js.errors import NoStreamResponseError

from broadcaster.engines.embedded import NatsServer
from projections.fanout import plan
from projections.fanout.outbox import Place, place
from projections.fanout.projection import Fanout
from projections.fanout.publisher import JetStreamPublisher
from projections.fanout.relay import RELAY_DDL, Relay
from schemas.content import Lane
from schemas.dispatch import Dispatch
from tests.following import Registry, World, audience, becomes, frozen, world
from tests.waiting import PATIENCE

STREAM = "EMERGENCY"


@pytest.fixture
def here(database: str) -> Iterator[World]:
    with world(database) as made:
        made.conn.execute(RELAY_DDL)
        yield made


@asynccontextmanager
async def connected(server: NatsServer, *, atomic: bool = True) -> AsyncGenerator[Client]:
    async def quiet(_: Exception) -> None: ...

    client = await nats_py.connect(
        server.url, token=server.token, error_cb=quiet, reconnect_time_wait=0.05, max_reconnect_attempts=-1
    )
    await client.jetstream().add_stream(
        StreamConfig(
            name=STREAM, subjects=["dispatch.emergency.*"], allow_atomic=atomic, duplicate_window=3600
        )
    )
    try:
        yield client
    finally:
        await client.close()


async def stored(client: Client) -> tuple[list[Dispatch], set[str]]:
    """What the stream holds, in order, and the atomic batches that brought it ("" for none)."""
    js = client.jetstream()
    state = (await js.stream_info(STREAM)).state
    found: list[Dispatch] = []
    batches: set[str] = set()
    subscription = await js.subscribe("dispatch.emergency.*", stream=STREAM, ordered_consumer=True)
    for _ in range(state.messages):
        message = await subscription.next_msg(timeout=PATIENCE)
        dispatch = Dispatch.model_validate_json(message.data)
        assert message.headers is not None
        assert message.headers["Nats-Msg-Id"] == str(dispatch.id)
        assert message.headers["content-type"] == "application/json"
        assert message.subject == dispatch.subject
        found.append(dispatch)
        batches.add(message.headers.get("Nats-Batch-Id", ""))
    return found, batches


def dispatches(count: int) -> list[Dispatch]:
    return list(plan.slices(audience(count, 1, lane=Lane.EMERGENCY)))


def test_2500_orders_are_stored_once_though_relayed_twice(here: World, nats: NatsServer) -> None:
    follower = here.follower(Fanout(Registry({}).census, frozen))
    here.append(audience(2500, 1, lane=Lane.EMERGENCY))
    follower.catch_up()

    async def relay(client: Client) -> None:
        relay = Relay(Lane.EMERGENCY, here.pool, JetStreamPublisher(client, timeout=PATIENCE))
        task = asyncio.create_task(relay.run())
        await becomes(lambda: place(here.conn, Lane.EMERGENCY) == Place(1, 2499))
        relay.stop()
        await task

    async def scenario() -> tuple[list[Dispatch], set[str]]:
        async with connected(nats) as client:
            await relay(client)
            here.conn.execute("UPDATE relay_positions SET position = 0, seq = -1")
            await relay(client)
            return await stored(client)

    found, batches = asyncio.run(scenario())
    assert len(batches) == 3
    assert "" not in batches
    assert [dispatch.first for dispatch in found] == list(range(2500))


@pytest.mark.parametrize("atomic", [True, False])
def test_a_batch_partly_known_or_not_taken_goes_one_by_one(nats: NatsServer, *, atomic: bool) -> None:
    orders = dispatches(30)

    async def scenario() -> tuple[list[Dispatch], set[str]]:
        async with connected(nats, atomic=atomic) as client:
            publish = JetStreamPublisher(client)
            await publish(orders[7:8])
            await publish(orders)
            await publish(orders)
            return await stored(client)

    found, batches = asyncio.run(scenario())
    assert sorted(found, key=lambda d: d.first) == orders
    assert batches == {""}


def test_a_subject_without_a_stream_is_an_error(nats: NatsServer) -> None:
    order = next(plan.slices(audience(1, lane=Lane.BULLETIN)))

    async def scenario() -> None:
        async with connected(nats) as client:
            await JetStreamPublisher(client, tries=2)([order])

    with pytest.raises(NoStreamResponseError):
        asyncio.run(scenario())


def test_a_killed_server_costs_no_order_and_doubles_none(here: World, nats: NatsServer) -> None:
    follower = here.follower(Fanout(Registry({}).census, frozen))
    here.append(audience(600, 1, lane=Lane.EMERGENCY))
    follower.catch_up()

    async def scenario() -> tuple[list[Dispatch], set[str]]:
        async with connected(nats) as client:
            publish = JetStreamPublisher(client, timeout=0.3, tries=2)
            relay = Relay(Lane.EMERGENCY, here.pool, publish, batch=20)
            task = asyncio.create_task(relay.run())
            for seq in (40, 200, 400):
                await becomes(lambda seq=seq: place(here.conn, Lane.EMERGENCY) >= (1, seq))
                assert nats.pid is not None
                os.kill(nats.pid, signal.SIGKILL)
                nats.stop()
                nats.start()
            await becomes(lambda: place(here.conn, Lane.EMERGENCY) == Place(1, 599))
            relay.stop()
            await task
            return await stored(client)

    found, _ = asyncio.run(scenario())
    assert sorted(dispatch.first for dispatch in found) == list(range(600))
