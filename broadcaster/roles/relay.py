"""The relay role: hands the orders of each lane to the transport."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import psycopg
import structlog
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from broadcaster.engines import transport
from broadcaster.roles import Role
from broadcaster.roles.ending import Ending
from broadcaster.roles.loop import pause, unless, until_stopped
from broadcaster.runtime import House, clock
from broadcaster.settings import Settings
from channels.topology import declare, standing, stream_of
from projections.fanout.publisher import JetStreamPublisher
from projections.fanout.relay import Relay, meet_stream
from schemas.content import Lane

log = structlog.get_logger(__name__)

STREAM_CHECK = 5.0
"""Seconds between looks at whether the broker still has our streams."""


def run(role: Role, settings: Settings, lanes: Sequence[Lane], ending: Ending) -> None:
    """Relays until the process is asked to stop."""
    del role
    until_stopped(ending, lambda stopped: _relay(settings, lanes, stopped))


async def _relay(settings: Settings, lanes: Sequence[Lane], stopped: asyncio.Event) -> None:
    with House.open(settings) as house:
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                # A connection for each lane: an emergency shares no queue with a flood.
                group.create_task(_relay_lane(house, lane, stopped))


async def _relay_lane(house: House, lane: Lane, stopped: asyncio.Event) -> None:
    async with AsyncExitStack() as stack:
        connecting = stack.enter_async_context(transport.connected(house.settings, f"relay-{lane}"))
        client = await unless(stopped, connecting)
        if client is None:
            return
        js = client.jetstream()
        await unless(stopped, keep_stream(house, js, lane, declared=False))
        relay = Relay(lane, house.pool, JetStreamPublisher(client))
        async with asyncio.TaskGroup() as group:
            group.create_task(relay.run())
            while not stopped.is_set():
                await pause(stopped, STREAM_CHECK)
                await unless(stopped, keep_stream(house, js, lane))
            relay.stop()


async def keep_stream(house: House, js: JetStreamContext, lane: Lane, *, declared: bool = True) -> None:
    """Declares the topology where it may be another or has gone.

    Where the lane's stream is a new one, what it lost is ordered again. What cannot be asked now, of the
    broker or of the database, is asked at the next look: a process that ended of it would be away longer.
    """
    try:
        info = await standing(js, lane) if declared else None
        if info is None:
            await declare(js, house.settings.nats_replicas)
            info = await js.stream_info(stream_of(lane))
    except (NatsError, TimeoutError) as error:
        log.warning("stream_unknown", lane=lane.value, error=f"{type(error).__name__}: {error}")
        return

    def meet() -> bool:
        with house.pool.connection() as conn:
            return meet_stream(conn, lane, _created(info.created), clock())

    try:
        was_lost = await asyncio.to_thread(meet)
    except psycopg.Error as error:
        log.warning("stream_unmet", lane=lane.value, error=type(error).__name__)
        return
    if was_lost:
        log.warning("stream_was_lost", lane=lane.value)


def _created(value: Any) -> datetime:
    assert isinstance(value, datetime), value
    return value.astimezone(UTC)
