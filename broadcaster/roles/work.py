"""The worker roles: carry out dispatches through the channel's gateway."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import structlog
from nats.errors import Error as NatsError

from broadcaster import providers
from broadcaster.engines import transport
from broadcaster.roles import Role
from broadcaster.roles.ending import Ending
from broadcaster.roles.loop import ended_by, pause, until_stopped
from broadcaster.runtime import House, clock
from broadcaster.settings import Settings
from channels.delivery import Delivery
from channels.gateway import Resting
from channels.topology import declare
from channels.worker import Stumble, add_worker
from projections.backoff import backoff
from schemas.content import Channel, Lane

SLOTS: Mapping[Channel, Mapping[Lane, int]] = {
    Channel.PUSH: {Lane.EMERGENCY: 6, Lane.ALERT: 5, Lane.BULLETIN: 2},
    Channel.SMS: {Lane.EMERGENCY: 6, Lane.ALERT: 5, Lane.BULLETIN: 2},
}
"""Dispatches one worker process carries at once, by lane."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 10.0
"""Seconds between two tries to reach a transport that is not ready."""

SMS_IN_DOUBT = 50
"""Recipients that one process may have sent to and not noted the answer of: a slice, as it is cut."""

log = structlog.get_logger(__name__)


def run(role: Role, settings: Settings, lanes: Sequence[Lane], ending: Ending) -> None:
    """Works until the process is asked to stop."""
    channel = Channel(role.value)
    until_stopped(ending, lambda stopped: _work(settings, channel, lanes, stopped, ending))


async def _work(
    settings: Settings, channel: Channel, lanes: Sequence[Lane], stopped: asyncio.Event, ending: Ending
) -> None:
    with House.open(settings) as house:
        async with (
            providers.gateway(settings, channel, clock, house.pool) as gateway,
            providers.beside(house, channel) as refusal,
        ):
            most = settings.push_in_doubt if channel is Channel.PUSH else SMS_IN_DOUBT
            delivery = Delivery(house.ledger, gateway, clock, refusal, allowance=most)
            ending.in_doubt = lambda: delivery.unsettled > 0
            rest: Callable[[int], float] = gateway.rest if isinstance(gateway, Resting) else lambda _: 0.0
            slots = {lane: SLOTS[channel][lane] for lane in lanes}
            failures = 0
            while not stopped.is_set():
                broker = transport.broker(settings, f"{channel}-{'-'.join(lanes)}")
                broker.add_middleware(Stumble)
                add_worker(broker, channel, slots, delivery.deliver, clock, rest=rest)
                try:
                    async with ended_by(stopped):
                        await _declared(settings, channel)
                        try:
                            await broker.start()
                            await stopped.wait()
                        finally:
                            await broker.stop()
                except (NatsError, TimeoutError) as error:
                    # A cluster that has yet to choose its leaders answers late, or that it has no room.
                    failures += 1
                    why = f"{type(error).__name__}: {error}"
                    log.warning("transport_not_ready", error=why, tries=failures)
                    await pause(stopped, backoff(failures, first=FIRST_WAIT, most=LONGEST_WAIT))


async def _declared(settings: Settings, channel: Channel) -> None:
    async with transport.connected(settings, f"{channel}-declare") as client:
        await declare(client.jetstream(), settings.nats_replicas)
