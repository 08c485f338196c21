"""How to reach the transport: the JetStream that the settings name, or the embedded one."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

import nats
import structlog
from faststream.nats import NatsBroker, NatsToken
from nats.aio.client import Client

from broadcaster.engines.embedded import NatsServer
from broadcaster.settings import Settings

log = structlog.get_logger(__name__)

RETRY = 0.25
RECONNECT = 0.5


class Address(NamedTuple):
    """Where JetStream is. The token is a secret."""

    urls: list[str]
    token: str | None


def address(settings: Settings) -> Address:
    """Of the transport the settings name, or of the embedded server of the data folder."""
    if settings.nats_url is not None:
        token = settings.nats_token
        return Address(settings.nats_url.split(","), token.get_secret_value() if token else None)
    server = NatsServer(settings.data / "nats")
    return Address([server.url], server.token)


async def reachable(urls: list[str]) -> None:
    """Waits until one of the servers takes connections.

    nats-py prints a traceback for every connection refused, so nobody dials before that.
    """
    waited = 0
    while True:
        for url in urls:
            split = urlsplit(url)
            try:
                _, writer = await asyncio.open_connection(split.hostname, split.port or 4222)
            except OSError:
                continue
            writer.close()
            return
        if waited == 0:
            log.info("transport_awaited")
        waited += 1
        await asyncio.sleep(RETRY)


def answers(settings: Settings, timeout: float = 0.5) -> bool:
    """Whether one of the servers takes a connection now. Blocks at most `timeout` seconds for each."""
    for url in address(settings).urls:
        split = urlsplit(url)
        try:
            socket.create_connection((split.hostname or "", split.port or 4222), timeout).close()
        except OSError:
            continue
        return True
    return False


async def _quiet(error: Exception) -> None:
    log.warning("transport_trouble", error=type(error).__name__)


@asynccontextmanager
async def connected(settings: Settings, name: str) -> AsyncGenerator[Client]:
    """A client that reconnects for ever."""
    where = address(settings)
    await reachable(where.urls)
    client = await nats.connect(
        where.urls,
        token=where.token,
        name=name,
        max_reconnect_attempts=-1,
        reconnect_time_wait=RECONNECT,
        error_cb=_quiet,
    )
    try:
        yield client
    finally:
        await client.close()


def broker(settings: Settings, name: str) -> NatsBroker:
    """FastStream's broker, not yet connected."""
    where = address(settings)
    return NatsBroker(
        where.urls,
        name=name,
        security=NatsToken(where.token) if where.token else None,
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        error_cb=_quiet,
        graceful_timeout=10.0,
        logger=None,
    )
