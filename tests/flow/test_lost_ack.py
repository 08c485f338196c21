"""The broker goes while a dispatch is being carried out: its acknowledgement is said again until heard."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from faststream import BaseMiddleware
from faststream.nats import NatsBroker, NatsToken
from nats import connect
from nats.aio.client import Client
from nats.js.api import ConsumerInfo
from structlog.testing import capture_logs

from broadcaster.engines.embedded import NatsServer
from broadcaster.runtime import clock
from channels.topology import declare, durable_of, stream_of
from channels.worker import Stumble, add_worker
from projections.fanout import plan
from projections.fanout.publisher import JetStreamPublisher
from schemas.content import Channel, Lane
from schemas.dispatch import Dispatch, Receipt
from tests.following import audience

ALERT = (stream_of(Lane.ALERT), durable_of(Lane.ALERT, Channel.SMS))
(ORDER,) = plan.slices(audience(3, channel=Channel.SMS))
Story = tuple[list[Dispatch], ConsumerInfo, list[Any]]


async def quiet(error: Exception) -> None:
    """Of a client that knows why its line broke."""


@asynccontextmanager
async def dialled(server: NatsServer) -> AsyncGenerator[Client]:
    client = await connect(server.url, token=server.token, reconnect_time_wait=0.05, error_cb=quiet)
    yield client
    await client.close()


async def carried_out(server: NatsServer, meanwhile: Callable[[], None], times: int = 1) -> Story:
    """One dispatch to a worker of one slot; `meanwhile` happens while it is in hand, for the first time.

    `times` is how often it is to be done with.
    """
    taken, over = list[Dispatch](), asyncio.Semaphore(0)

    class Outermost(BaseMiddleware[Any, Any]):
        async def consume_scope(self, call_next: Callable[[Any], Awaitable[Any]], msg: Any) -> Any:
            try:
                return await call_next(msg)
            finally:
                over.release()

    async def deliver(dispatch: Dispatch) -> Receipt | None:
        taken.append(dispatch)
        if len(taken) == 1:
            meanwhile()
        return None

    broker = NatsBroker(
        server.url,
        security=NatsToken(server.token),
        logger=None,
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        error_cb=quiet,
    )
    broker.add_middleware(Outermost)
    broker.add_middleware(Stumble)
    add_worker(broker, Channel.SMS, {Lane.ALERT: 1}, deliver, clock)
    with capture_logs() as said:
        async with dialled(server) as client, asyncio.timeout(30):
            js = client.jetstream()
            await declare(js)
            await JetStreamPublisher(client)([ORDER])
            async with broker:
                await broker.start()
                for _ in range(times):
                    await over.acquire()
            info = await js.consumer_info(*ALERT)
    return taken, info, said


def test_a_broker_that_restarts_hears_it_after_all(nats: NatsServer) -> None:
    def restart() -> None:
        nats.stop()
        nats.start()

    taken, info, said = asyncio.run(carried_out(nats, restart))
    assert taken == [ORDER], "the acknowledgement got through: it does not come again"
    assert (info.num_ack_pending, info.num_redelivered) == (0, 0)
    assert said == [], "and nobody stumbled"


def test_one_that_is_never_confirmed_comes_again(nats: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.worker.ACKS", 1)
    monkeypatch.setattr("channels.topology.ACK_WAIT", 0.6)

    def restart() -> None:
        nats.stop()
        nats.start()

    taken, _, said = asyncio.run(carried_out(nats, restart, times=2))
    assert taken == [ORDER, ORDER]
    assert [(each["event"], each["error"]) for each in said] == [("dispatch.ack_lost", "TimeoutError")]


def test_a_broker_that_is_slow_to_confirm_is_told_again(nats: NatsServer) -> None:
    pid = nats.pid
    assert pid is not None

    def stall() -> None:
        os.kill(pid, signal.SIGSTOP)
        # Longer than an acknowledgement waits for its answer.
        asyncio.get_running_loop().call_later(1.3, os.kill, pid, signal.SIGCONT)

    taken, info, said = asyncio.run(carried_out(nats, stall))
    assert (taken, info.num_ack_pending, info.num_redelivered, said) == ([ORDER], 0, 0, [])
