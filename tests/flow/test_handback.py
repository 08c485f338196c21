"""A dispatch in hand: a live worker never loses it, a killed one's goes to the next, emergencies soon."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from faststream.nats import NatsBroker, NatsToken
from nats import connect
from nats.aio.client import Client
from nats.aio.msg import Msg
from structlog.testing import capture_logs

from broadcaster.engines.embedded import NatsServer
from broadcaster.runtime import clock
from channels.desk import HoldLostError
from channels.topology import ACK_WAIT, consumer_config, declare, durable_of, stream_of
from channels.worker import BEATS, Deliver, Stumble, add_worker
from projections.fanout import plan
from projections.fanout.publisher import JetStreamPublisher
from schemas.content import Channel, Lane
from schemas.dispatch import Dispatch, Receipt
from tests.following import audience
from tests.waiting import PATIENCE

EMERGENCY = (stream_of(Lane.EMERGENCY), durable_of(Lane.EMERGENCY, Channel.PUSH))
(ORDER,) = plan.slices(audience(3, lane=Lane.EMERGENCY))


SHORT = 4.0
"""Seconds for which a worker may stand still and be alive: a busy machine has it do so for one."""


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.topology.EMERGENCY_ACK_WAIT", SHORT)


@asynccontextmanager
async def dialled(server: NatsServer) -> AsyncGenerator[Client]:
    client = await connect(server.url, token=server.token)
    yield client
    await client.close()


@asynccontextmanager
async def working(server: NatsServer, deliver: Deliver) -> AsyncGenerator[None]:
    """Two slots, so that one is always free to take what the other lost."""
    broker = NatsBroker(server.url, security=NatsToken(server.token), logger=None)
    broker.add_middleware(Stumble)
    add_worker(broker, Channel.PUSH, {Lane.EMERGENCY: 2}, deliver, clock)
    async with broker:
        await broker.start()
        yield


def test_who_is_alive_keeps_it_however_long_it_takes(nats: NatsServer) -> None:
    assert asyncio.run(alive(nats)) == ([ORDER], 0, 0)


async def alive(nats: NatsServer) -> tuple[list[Dispatch], int | None, int | None]:
    done, taken, beats = asyncio.Event(), list[Dispatch](), list[bytes]()
    long = asyncio.Event()

    async def heard(message: Msg) -> None:
        beats.append(message.data)
        # A whole wait went by, and more, as only the beats tell.
        if beats.count(b"+WPI") >= BEATS + 2:
            long.set()

    async def deliver(dispatch: Dispatch) -> Receipt | None:
        taken.append(dispatch)
        await long.wait()
        done.set()
        return None

    async with dialled(nats) as client, declared(client):
        await client.subscribe("$JS.ACK.EMERGENCY.>", cb=heard)
        await JetStreamPublisher(client)([ORDER])
        async with working(nats, deliver), asyncio.timeout(PATIENCE):
            await done.wait()
        info = await client.jetstream().consumer_info(*EMERGENCY)
    return taken, info.num_redelivered, info.num_ack_pending


def test_who_was_held_up_is_not_handed_its_own(nats: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a beat the broker gives it to the next free slot, which may be of the same process."""
    monkeypatch.setattr("channels.worker.BEATS", 0.01)
    with capture_logs() as said:
        assert asyncio.run(held_up(nats)) == [ORDER]
    assert [each["event"] for each in said] == ["dispatch.already_in_hand"]


async def held_up(nats: NatsServer) -> list[Dispatch]:
    taken, handed = list[Dispatch](), asyncio.Event()

    async def heard(message: Msg) -> None:
        if message.data.startswith(b"-NAK"):
            handed.set()

    async def deliver(dispatch: Dispatch) -> Receipt | None:
        taken.append(dispatch)
        if len(taken) == 1:
            await handed.wait()
        else:
            handed.set()
        return None

    async with dialled(nats) as client, declared(client):
        await client.subscribe("$JS.ACK.EMERGENCY.>", cb=heard)
        await JetStreamPublisher(client)([ORDER])
        async with working(nats, deliver), asyncio.timeout(20):
            await handed.wait()
    return taken


def test_whose_hold_is_lost_says_nothing_of_it(nats: NatsServer) -> None:
    """A yes would be taken for one of the worker that has it now: if that one died, nobody came after."""
    with capture_logs() as said:
        taken, words = asyncio.run(taken_over(nats))
    assert [each["event"] for each in said] == ["dispatch.hold_lost"]
    assert taken == [ORDER, ORDER]
    assert words == [b""], "a yes, of the second"


async def taken_over(nats: NatsServer) -> tuple[list[Dispatch], list[bytes]]:
    taken, words, done = list[Dispatch](), list[bytes](), asyncio.Event()

    async def heard(message: Msg) -> None:
        if message.data != b"+WPI":
            words.append(message.data)
            done.set()

    async def deliver(dispatch: Dispatch) -> Receipt | None:
        taken.append(dispatch)
        if len(taken) == 1:
            raise HoldLostError
        return None

    async with dialled(nats) as client, declared(client):
        await client.subscribe("$JS.ACK.EMERGENCY.>", cb=heard)
        await JetStreamPublisher(client)([ORDER])
        async with working(nats, deliver), asyncio.timeout(PATIENCE):
            await done.wait()
    return taken, words


def test_who_died_with_it_leaves_it_to_the_next(nats: NatsServer) -> None:
    assert asyncio.run(killed(nats)) == ORDER


async def killed(nats: NatsServer) -> Dispatch:
    got: asyncio.Future[Dispatch] = asyncio.get_running_loop().create_future()

    async def deliver(dispatch: Dispatch) -> Receipt | None:
        got.set_result(dispatch)
        return None

    async with dialled(nats) as client, declared(client):
        await JetStreamPublisher(client)([ORDER])
        async with dialled(nats) as dead:
            stream, durable = EMERGENCY
            pull = await dead.jetstream().pull_subscribe_bind(durable, stream)
            (held,) = await pull.fetch(1)
            assert held.metadata.num_delivered == 1
        async with working(nats, deliver), asyncio.timeout(ACK_WAIT / 2):
            return await got


@asynccontextmanager
async def declared(client: Client) -> AsyncGenerator[None]:
    """The streams and consumers, over those of a house that gave emergencies as long as all others."""
    js = client.jetstream()
    await declare(js)
    older = consumer_config(Lane.EMERGENCY, Channel.PUSH)
    older.ack_wait = ACK_WAIT
    await js.add_consumer(EMERGENCY[0], older)
    await declare(js)
    waits = {
        lane: (await js.consumer_info(stream_of(lane), durable_of(lane, Channel.PUSH))).config.ack_wait
        for lane in Lane
    }
    assert waits == {Lane.EMERGENCY: SHORT, Lane.ALERT: ACK_WAIT, Lane.BULLETIN: ACK_WAIT}
    yield


def test_what_the_worker_cannot_read_beside_the_order_costs_no_order(nats: NatsServer) -> None:
    """An event that a newer house wrote, say: whoever comes next may be able to."""
    assert asyncio.run(unreadable(nats)) == [ORDER, ORDER]


async def unreadable(nats: NatsServer) -> list[Dispatch]:
    taken, done = list[Dispatch](), asyncio.Event()

    async def deliver(dispatch: Dispatch) -> Receipt | None:
        taken.append(dispatch)
        if len(taken) == 1:
            Dispatch.model_validate({})
        done.set()
        return None

    async with dialled(nats) as client, declared(client):
        await JetStreamPublisher(client)([ORDER])
        async with working(nats, deliver), asyncio.timeout(10):
            await done.wait()
    return taken


def test_an_order_of_a_newer_house_is_left_to_a_newer_worker(nats: NatsServer) -> None:
    """One of ours that stands beside it cannot read it, and hands it back."""
    assert asyncio.run(newer(nats)) == b"newer"


async def newer(nats: NatsServer) -> bytes:
    async def deliver(dispatch: Dispatch) -> Receipt | None:
        raise AssertionError(dispatch)

    async with dialled(nats) as client, declared(client):
        js, given_back = client.jetstream(), asyncio.Event()

        async def heard(message: Msg) -> None:
            del message
            given_back.set()

        await client.subscribe("$JS.ACK.EMERGENCY.>", cb=heard)
        await js.publish(ORDER.subject, b"newer")
        async with working(nats, deliver), asyncio.timeout(10):
            await given_back.wait()
        pull = await js.pull_subscribe_bind(EMERGENCY[1], EMERGENCY[0])
        (held,) = await pull.fetch(1, timeout=10)
        return held.data
