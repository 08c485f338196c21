"""Publishing the orders of one lane: each one, in order, whatever the broker does."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

import psycopg
import structlog
from psycopg import Connection
from psycopg_pool import ConnectionPool

from projections.backoff import backoff
from projections.fanout import outbox
from projections.fanout.outbox import RELAY_DDL, meet_stream, rewind
from projections.listen import dedicated
from projections.projection import Row
from schemas.content import Lane
from schemas.dispatch import Dispatch

__all__ = ["RELAY_DDL", "Publish", "Relay", "meet_stream", "rewind"]

log = structlog.get_logger(__name__)

Publish = Callable[[Sequence[Dispatch]], Awaitable[None]]
"""Publishes all, each under its id; returns once the broker holds them, raises where that is in doubt."""

P = ParamSpec("P")
T = TypeVar("T")


class Relay:
    """Publishes what fanout ordered on one lane, and notes how far it came.

    It publishes first and notes afterwards, so an order may be published twice (the broker knows it
    by its id) and none is skipped. Of several relays of a lane one works, the others stand by.
    """

    def __init__(
        self,
        lane: Lane,
        pool: ConnectionPool[Any],
        publish: Publish,
        *,
        batch: int = 1000,
        poll: float = 0.5,
    ) -> None:
        """`batch` is the most orders in one publish; `poll` (seconds) the net below NOTIFY fanout."""
        self._lane, self._pool, self._publish = lane, pool, publish
        self._batch, self._poll = batch, poll
        self._stopped, self._wake = asyncio.Event(), asyncio.Event()
        # Its own thread, so that an emergency waits for no thread that others use.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"relay-{lane}")

    async def run(self) -> None:
        """Relays until `stop`. Once only."""
        failures = 0
        try:
            while not self._stopped.is_set():
                try:
                    await self._session()
                except psycopg.Error as error:
                    failures += 1
                    log.warning("relay_lost_database", lane=self._lane, error=str(error))
                    await self._pause(backoff(failures, most=2.0))
        finally:
            self._thread.shutdown(wait=False)

    def stop(self) -> None:
        """Ends `run` after the batch under way; again is harmless. From the loop's thread only."""
        self._stopped.set()
        self._wake.set()

    async def _session(self) -> None:
        """One connection's life. It holds the lane's lock, so reading by it proves the lock."""
        connection = await self._in_thread(self._connect)
        try:
            while not self._stopped.is_set() and not await self._in_thread(
                outbox.claim, connection, self._lane
            ):
                await self._wait(connection)
            while not self._stopped.is_set():
                if not await self._forward(connection):
                    await self._wait(connection)
        finally:
            await self._in_thread(connection.close)

    def _connect(self) -> Connection[Row]:
        connection = dedicated(self._pool, f"relay {self._lane}")
        # What it says is read off the socket by `_wait`; unheard, psycopg would keep it for ever.
        connection.add_notify_handler(lambda _: None)
        connection.execute("LISTEN fanout")
        return connection

    async def _forward(self, connection: Connection[Row]) -> bool:
        """One batch. False: nothing is left."""
        batch = await self._in_thread(outbox.next_batch, connection, self._lane, self._batch)
        if not batch.dispatches:
            return False
        if await self._published(batch.dispatches):
            await self._in_thread(outbox.commit, connection, self._lane, batch.before, batch.after)
        return True

    async def _published(self, dispatches: Sequence[Dispatch]) -> bool:
        """Tries until the broker has them. False: stopped before that."""
        failures = 0
        while not self._stopped.is_set():
            try:
                await self._publish(dispatches)
            except Exception as error:  # noqa: BLE001 (whatever is wrong, an order is never skipped)
                failures += 1
                trouble = f"{type(error).__name__}: {error}"
                log.warning("relay_retries", lane=self._lane, failures=failures, error=trouble)
                await self._pause(backoff(failures))
            else:
                return True
        return False

    async def _wait(self, connection: Connection[Row]) -> None:
        """Until PostgreSQL says something (or hangs up), `stop`, or the poll."""
        loop = asyncio.get_running_loop()
        socket = connection.fileno()
        loop.add_reader(socket, self._wake.set)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll):
                    await self._wake.wait()
        finally:
            loop.remove_reader(socket)
            self._wake.clear()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopped.wait()

    async def _in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        work = self._thread.submit(call, *args, **kwargs)
        return await asyncio.wrap_future(work)
