"""A house that keeps topics, and the double that knows who is in which."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

from broadcaster.registry.subscribers import Registered, SubscriberChange
from broadcaster.runtime import House, clock
from broadcaster.topics.keeper import Round, TopicKeeper
from channels.push import PushSettings
from channels.push.sandbox import PushSandbox
from channels.push.subscriptions import Subscriptions
from tests.registries import person

HOME, OTHER = "00001", "00004"


def settings(fcm: PushSandbox) -> PushSettings:
    return PushSettings(fcm.url, fcm.credentials_file, fcm.ca_file)


async def at_once(seconds: float) -> None:
    del seconds


def look(house: House, fcm: PushSandbox, at: datetime | None = None, most: int = 1000) -> Round:
    """One look of the keeper."""

    async def play() -> Round:
        async with Subscriptions(settings(fcm), clock, fcm.url, at_once) as service:
            return await TopicKeeper(house.topics, service, lambda: at or clock(), most).round()

    return asyncio.run(play())


def keep(house: House, fcm: PushSandbox) -> None:
    """Looks until nothing is left to do."""
    while look(house, fcm).done:
        pass


def register(house: House, token: str, home: str = HOME, **said: Any) -> Registered:
    return house.registry.register(person(token, home=home, **said), clock())


def change(house: House, device: UUID, **said: object) -> None:
    house.registry.change(device, SubscriberChange.model_validate(said), clock())
