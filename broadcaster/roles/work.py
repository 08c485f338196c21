"""The worker roles: carry out dispatches through the channel's gateway."""

import asyncio
from collections.abc import Mapping, Sequence

from broadcaster import providers, transport
from broadcaster.roles import Role
from broadcaster.roles.loop import until_stopped
from broadcaster.runtime import House, clock
from broadcaster.settings import Settings
from channels.delivery import Delivery
from channels.gateway import Resting
from channels.topology import declare
from channels.worker import Stumble, add_worker
from schemas.content import Channel, Lane

SLOTS: Mapping[Channel, Mapping[Lane, int]] = {
    Channel.PUSH: {Lane.EMERGENCY: 6, Lane.ALERT: 5, Lane.BULLETIN: 2},
    Channel.SMS: {Lane.EMERGENCY: 6, Lane.ALERT: 5, Lane.BULLETIN: 2},
}
"""Dispatches one worker process carries at once, by lane."""


def run(role: Role, settings: Settings, lanes: Sequence[Lane]) -> None:
    """Works until the process is asked to stop."""
    channel = Channel(role.value)
    until_stopped(lambda stopped: _work(settings, channel, lanes, stopped))


async def _work(
    settings: Settings, channel: Channel, lanes: Sequence[Lane], stopped: asyncio.Event
) -> None:
    with House.open(settings) as house:
        async with (
            providers.gateway(settings, channel, clock, house.pool) as gateway,
            providers.beside(house, channel) as refusal,
            transport.connected(settings, f"{channel}-declare") as client,
        ):
            await declare(client.jetstream(), settings.nats_replicas)
            broker = transport.broker(settings, f"{channel}-{'-'.join(lanes)}")
            broker.add_middleware(Stumble)
            slots = {lane: SLOTS[channel][lane] for lane in lanes}
            delivery = Delivery(house.ledger, gateway, clock, refusal)
            rest = gateway.rest if isinstance(gateway, Resting) else lambda: 0.0
            add_worker(broker, channel, slots, delivery.deliver, clock, rest=rest)
            async with broker:
                await broker.start()
                await stopped.wait()
