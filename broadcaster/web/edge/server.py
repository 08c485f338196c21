"""The edge as a server: who is connected, whose time is up, and how it ends."""

import asyncio
import resource
import socket
import traceback
from collections import Counter

import structlog

from broadcaster.web.edge.answers import Reply
from broadcaster.web.edge.connection import Connection
from broadcaster.web.edge.deadlines import STEP, Deadlines
from broadcaster.web.edge.desk import Desk
from broadcaster.web.edge.figures import EdgeFigures
from broadcaster.web.edge.limits import Limits
from broadcaster.web.edge.link import Link
from broadcaster.web.edge.waiting import WaitingPolls
from broadcaster.web.edge.wire import head
from broadcaster.web.feeds.known_screens import Pair

log = structlog.get_logger(__name__)

BACKLOG = 8_192
SEND_BUFFER = 256 * 1024
SPARE_FILES = 64
"""For the database, logs and such."""


class EdgeServer:
    """Makes a connection for each client and holds what they share."""

    def __init__(self, desk: Desk, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        self.desk, self.limits, self.loop = desk, limits, loop
        self.time = loop.time
        self.waiting = WaitingPolls(loop, limits.waiting)
        self.deadlines = Deadlines()
        self.closing = False
        self.port = 0
        """Where it listens."""
        self._most = min(limits.connections, open_files() - SPARE_FILES)
        self._connections: set[Link] = set()
        self._by_address: Counter[str] = Counter()
        self._figures = EdgeFigures(self)
        self._empty = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None
        desk.cache.heard = self._heard

    def __len__(self) -> int:
        return len(self._connections)

    async def start(self, host: str, port: int) -> None:
        """Listens. Several processes may share a port: the kernel spreads clients over them."""
        self._server = await self.loop.create_server(
            lambda: Connection(self), host, port, backlog=BACKLOG, reuse_port=True
        )
        for listening in self._server.sockets:
            # What it accepts has the same: a slow client holds so much of the kernel's memory, no more.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            self.port = int(listening.getsockname()[1])
        self._sweeper = self.loop.create_task(self._sweep())

    async def stop(self, seconds: float = 5.0) -> None:
        """Takes nobody in, answers who waits, and ends what is left after so long."""
        self.closing = True
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.shut()
        if not await self._emptied(seconds):
            log.warning("edge_cuts", connections=len(self._connections))
            for connection in list(self._connections):
                connection.abort()
            await self._emptied(1.0)
        if self._sweeper is not None:
            self._sweeper.cancel()

    async def _emptied(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while self._connections:
                    self._empty.clear()
                    await self._empty.wait()
        except TimeoutError:
            return False
        return True

    def enter(self, connection: Link) -> str | None:
        """Takes a connection in; answers why not, as a word to count by."""
        self._connections.add(connection)
        self._by_address[connection.address] += 1
        if len(self._connections) > self._most:
            return "connections"
        if 0 < self.limits.per_address < self._by_address[connection.address]:
            return "connections_of_address"
        connection.deadline = self.time() + self.limits.head_seconds
        self.deadlines.watch(connection)
        return None

    def leave(self, connection: Link) -> None:
        """It is gone."""
        self.deadlines.forget(connection)
        if connection in self._connections:
            self._connections.discard(connection)
            self._by_address[connection.address] -= 1
            if not self._by_address[connection.address]:
                del self._by_address[connection.address]
        if self.closing and not self._connections:
            self._empty.set()

    def report(self, kind: str, method: str) -> Reply:
        """For monitors: how the edge is. The proxy keeps the public from it."""
        del method
        if kind == "metrics":
            body, media = self._figures.render(), b"text/plain; version=0.0.4; charset=utf-8"
        else:
            # Who answers has read the feeds once, before it listened; a city without screens has none.
            body, media = b'{"status":"ok"}', b"application/json"
        size = (b"content-length", str(len(body)).encode())
        return Reply(head(200, [(b"content-type", media), (b"cache-control", b"no-store"), size]), body)

    def trouble(self, error: Exception) -> None:
        """A bug of ours: where, and which kind; texts may quote what a client sent."""
        where = "".join(traceback.format_tb(error.__traceback__)[-8:])
        log.error("edge_failed", error=type(error).__qualname__, where=where)

    def _heard(self, pairs: set[Pair]) -> None:
        self.desk.frames.changed()
        self.waiting.told(pairs)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(STEP)
            for connection in self.deadlines.due(self.time()):
                connection.expired()
                if connection in self._connections:
                    self.deadlines.watch(connection)


def open_files() -> int:
    """How many files this process may open; raised to what the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else 1_000_000
