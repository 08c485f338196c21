"""Screens that wait for news: `Prefer: wait=` keeps a poll open until its feed changes."""

import asyncio
from collections import defaultdict
from uuid import UUID

from starlette.types import Receive

from broadcaster.web.feeds.known_screens import Pair

MOST = 20_000
"""Screens that may wait in one process; more are answered at once, as if they had not asked to wait."""


class Waiters:
    """One waiting poll for each screen, the newest.

    `news` may be told from any thread; the rest belongs to the event loop.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._by_pair: defaultdict[Pair, dict[UUID, asyncio.Future[None]]] = defaultdict(dict)
        self._count = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self.closed = False
        """Whether the process is about to end: nobody waits any more."""

    def __len__(self) -> int:
        return self._count

    def join(self, pair: Pair, screen: UUID) -> asyncio.Future[None] | None:
        """What is done when there is news; None where too many wait, or the process ends.

        Who waited before for this screen is answered.
        """
        if self.closed:
            return None
        self._loop = asyncio.get_running_loop()
        waiting = self._by_pair[pair]
        former = waiting.pop(screen, None)
        if former is not None:
            self._count -= 1
            _finish(former)
        if self._count >= self._most:
            return None
        mine = waiting[screen] = self._loop.create_future()
        self._count += 1
        return mine

    def holds(self, pair: Pair, screen: UUID, mine: asyncio.Future[None]) -> bool:
        """Whether no newer wait of the screen took the place of this one."""
        return self._by_pair.get(pair, {}).get(screen) is mine

    def close(self) -> None:
        """Answers everyone, and lets nobody wait from now on."""
        self.closed = True
        self._answer(set(self._by_pair))

    def leave(self, pair: Pair, screen: UUID, mine: asyncio.Future[None]) -> None:
        """Ends a wait; harmless where it has ended."""
        waiting = self._by_pair.get(pair)
        if waiting is not None and waiting.get(screen) is mine:
            del waiting[screen]
            self._count -= 1
            if not waiting:
                del self._by_pair[pair]

    def news(self, pairs: set[Pair]) -> None:
        """Answers who waits for these."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._answer, pairs)

    def _answer(self, pairs: set[Pair]) -> None:
        for pair in pairs:
            for waiting in self._by_pair.get(pair, {}).values():
                _finish(waiting)


async def until_news(news: asyncio.Future[None], receive: Receive, seconds: float) -> None:
    """Returns at news, when the time is up, or when the client has gone."""
    left = asyncio.ensure_future(gone(receive))
    try:
        await asyncio.wait({news, left}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        left.cancel()


async def gone(receive: Receive) -> None:
    """Returns once the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _finish(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
