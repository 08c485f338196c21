"""Three nats-servers on loopback that keep three replicas of everything."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import StreamInfo

from broadcaster.engines.children import end, spawn
from broadcaster.engines.engine import bare_environment
from broadcaster.engines.natshome import find_binary
from tests.ports import own_port
from tests.waiting import PATIENCE

TOKEN = "a-token-of-the-cluster-of-the-tests"
_CONFIG = """
server_name: "{name}"
listen: "127.0.0.1:{port}"
authorization {{ token: "{token}" }}
jetstream {{ store_dir: "{folder}/store", sync_interval: always }}
cluster {{ name: "three", listen: "127.0.0.1:{route}", routes: [{routes}] }}
"""


class Cluster:
    """The servers by name. To be used from the main thread: they die with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ports = {f"n{number}": own_port() for number in (1, 2, 3)}
        self._routes = {name: own_port() for name in self.ports}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def urls(self) -> list[str]:
        """For clients."""
        return [f"nats://127.0.0.1:{port}" for port in self.ports.values()]

    def start(self, name: str) -> None:
        """Starts one; again after it was killed."""
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in self._routes.values())
        (folder / "nats.conf").write_text(
            _CONFIG.format(
                name=name,
                port=self.ports[name],
                token=TOKEN,
                folder=folder,
                route=self._routes[name],
                routes=routes,
            )
        )
        self._processes[name] = spawn(
            [str(find_binary()), "-c", "nats.conf"],
            cwd=folder,
            env=bare_environment(),
            log=folder / "server.log",
            death=signal.SIGKILL,
        )

    def kill(self, name: str) -> None:
        """kill -9, and it is gone."""
        os.kill(self._processes[name].pid, signal.SIGKILL)
        self._processes[name].wait(PATIENCE)

    def stop(self) -> None:
        """Ends all."""
        for process in self._processes.values():
            end(process, (signal.SIGKILL, 10))

    def info(self, stream: str, seconds: float = PATIENCE) -> StreamInfo:
        """What the cluster says of a stream, as soon as a leader does. Raises TimeoutError."""
        return asyncio.run(_info(self.urls, stream, seconds))

    def ready(self, seconds: float = PATIENCE) -> None:
        """Until the three have chosen who leads. Raises TimeoutError."""
        asyncio.run(_ready(self.urls, seconds))


async def _ready(urls: list[str], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        connection = await dialled(urls)
        async with connection:
            while True:
                try:
                    await connection.jetstream().account_info()
                except (NatsError, TimeoutError):
                    await asyncio.sleep(0.05)
                else:
                    return


async def _info(urls: list[str], stream: str, seconds: float) -> StreamInfo:
    async with asyncio.timeout(seconds):
        connection = await dialled(urls)
        async with connection:
            while True:
                try:
                    found = await connection.jetstream().stream_info(stream)
                except (NatsError, TimeoutError):
                    found = None
                if found is not None and found.cluster is not None and found.cluster.leader:
                    return found
                await asyncio.sleep(0.05)


async def dialled(urls: list[str]) -> Client:
    """A client of the first server that answers, tried until one does."""
    while True:
        try:
            return await nats.connect(urls, token=TOKEN, error_cb=_quiet, allow_reconnect=False)
        except (OSError, NatsError):
            await asyncio.sleep(0.05)


async def _quiet(_: Exception) -> None:
    """Servers that are killed are what this is about."""


@contextmanager
def cluster(folder: Path) -> Generator[Cluster]:
    """Three servers that have found each other."""
    three = Cluster(folder)
    try:
        for name in three.ports:
            three.start(name)
        three.ready()
        yield three
    finally:
        three.stop()
