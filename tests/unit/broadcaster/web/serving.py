"""The town's feeds on a real socket: by the web role's front, or by the edge."""

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from broadcaster.screens.book import ScreenBook
from broadcaster.web.directory import Directory
from broadcaster.web.edge.desk import Desk
from broadcaster.web.edge.limits import Limits
from broadcaster.web.edge.server import EdgeServer
from broadcaster.web.feeds.cache import FeedCache
from broadcaster.web.feeds.forms import FeedForms
from broadcaster.web.feeds.protocol import FeedProtocol
from broadcaster.web.server import WebServer
from tests import calls
from tests.unit.broadcaster.web.town import FEED_KEY, Town
from tests.waiting import PATIENCE, until


@dataclass
class Serving:
    """Where the feeds are served, and what a test asks of it."""

    name: str
    port: int
    refresh: Callable[[], None]
    """Has the feeds taken in now."""
    waiting: Callable[[], int]
    """How many polls wait."""
    stop: Callable[[], None]
    """Ends it, as a signal would."""
    loop: asyncio.AbstractEventLoop

    def refused(self, reason: str) -> float:
        """As its metrics tell."""
        name = f'broadcaster_screen_refusals_total{{reason="{reason}"}} '
        lines = calls.get(f"http://127.0.0.1:{self.port}/metrics").text.splitlines()
        return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


@contextmanager
def held(loop: asyncio.AbstractEventLoop) -> Generator[None]:
    """The server does nothing in the block. Who calls and asks meanwhile has done both before it looks:

    then no deadline of its own is over in between, however slow the test is.
    """
    stands, go = threading.Event(), threading.Event()

    def stand() -> None:
        stands.set()
        go.wait(PATIENCE)

    loop.call_soon_threadsafe(stand)
    assert stands.wait(PATIENCE)
    try:
        yield
    finally:
        go.set()


@contextmanager
def front(
    town: Town, protocol: type[HttpToolsProtocol] = FeedProtocol, *, beside: bool = False
) -> Generator[Serving]:
    """The web role's application under its server; `beside` another one that serves the same."""
    config = uvicorn.Config(
        town.app,
        http=protocol,
        lifespan="off" if beside else "on",
        server_header=False,
        port=0,
        log_level="warning",
        access_log=False,
    )
    server = WebServer(config, town.app.release)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()

    def stop() -> None:
        server.should_exit = True
        thread.join(PATIENCE)

    try:
        until(lambda: server.started)
        listener = server.servers[0]
        port, loop = listener.sockets[0].getsockname()[1], listener.get_loop()
        yield Serving("front", port, town.app.cache.refresh, lambda: len(town.app.waiters), stop, loop)
    finally:
        stop()


@dataclass
class RunningEdge:
    """An edge, and the loop it runs in."""

    server: EdgeServer
    loop: asyncio.AbstractEventLoop
    desk: Desk

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.server.stop(1.0), self.loop).result(PATIENCE)


@contextmanager
def running_edge(town: Town, limits: Limits) -> Generator[RunningEdge]:
    """An edge on the town's database, in a thread of its own."""
    book = ScreenBook(town.log)
    cache = FeedCache(town.pool, town.key_store, Directory(town.log), FEED_KEY.sign, lambda: town.now, book)
    cache.refresh()
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def begin() -> RunningEdge:
        forms = FeedForms(town.pool, FEED_KEY.sign)
        desk = Desk(cache, forms, lambda: town.now, {}, limits.slow_jobs)
        server = EdgeServer(desk, limits, loop)
        await server.start("127.0.0.1", 0)
        return RunningEdge(server, loop, desk)

    edge = asyncio.run_coroutine_threadsafe(begin(), loop).result(PATIENCE)
    try:
        yield edge
    finally:
        edge.stop()
        asyncio.run_coroutine_threadsafe(loop.shutdown_default_executor(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


@contextmanager
def edge(town: Town) -> Generator[Serving]:
    """The edge, as a contract sees it."""
    with running_edge(town, Limits()) as running:
        server, cache = running.server, running.desk.cache
        waiting, loop = server.waiting, running.loop
        yield Serving("edge", server.port, cache.refresh, lambda: len(waiting), running.stop, loop)
