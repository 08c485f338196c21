"""The gateways a deployment sends through: real providers by the settings, or the sandbox's doubles."""

import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from psycopg_pool import ConnectionPool

from broadcaster.runtime import House
from broadcaster.settings import Settings, SettingsError
from channels.delivery import Refusal
from channels.gateway import Gateway
from schemas.content import Channel

SANDBOX = "sandbox"
SANDBOX_WAIT = 30.0
"""Seconds a worker waits for the sandbox to say where it listens."""
# A new channel is its folder, a module here, and one entry. By name: an SMS worker needs no Firebase.
_MODULES = {Channel.PUSH: "push", Channel.SMS: "sms"}


def gateway(
    settings: Settings, channel: Channel, clock: Callable[[], datetime], pool: ConnectionPool[Any]
) -> Gateway:
    """The gateway of a channel; `pool` is where workers share its quota. Raises SettingsError."""
    module = import_module(f"broadcaster.providers.{_MODULES[channel]}")
    made: Gateway = module.gateway(settings, clock, pool)
    return made


@asynccontextmanager
async def beside(house: House, channel: Channel) -> AsyncGenerator[Refusal | None]:
    """What a channel's worker runs beside its gateway, and what may refuse its dispatches."""
    module = import_module(f"broadcaster.providers.{_MODULES[channel]}")
    if hasattr(module, "beside"):
        async with module.beside(house) as refusal:
            yield refusal
    else:
        yield None


def sandbox_folder(settings: Settings) -> Path:
    """Where the doubles keep their addresses, keys and journals."""
    return settings.data / SANDBOX


def sandbox_endpoint(settings: Settings, double: str) -> dict[str, Any]:
    """Where a double of the sandbox listens; waits for one that is starting. Raises SettingsError."""
    path = settings.data / SANDBOX / double / "endpoint.json"
    deadline = time.monotonic() + SANDBOX_WAIT
    while not path.exists():
        if time.monotonic() > deadline:
            raise SettingsError(f"the sandbox has not said where {double} listens ({path})")
        time.sleep(0.05)
    return json.loads(path.read_text(encoding="utf-8"))


def count_url(endpoint: dict[str, Any]) -> str:
    """Where a double says what it received."""
    return endpoint.get("stats_url") or f"{endpoint['url']}/sandbox/count"
