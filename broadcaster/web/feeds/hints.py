"""Server-sent events that say no more than that a feed has changed; the screen then polls it.

A hint is worth what a poll's answer is not: nothing. So none is queued, signed or repeated: who was away
is told the present number when it comes back.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from pydantic_core import to_json
from starlette.types import Receive, Send

from broadcaster.web.feeds.cache import FeedCache
from broadcaster.web.feeds.known_screens import KnownScreen
from broadcaster.web.feeds.polls import ServedCount, hear
from broadcaster.web.feeds.served import Served
from broadcaster.web.feeds.waiters import Waiters, gone

MOST = 5_000
"""Streams that may be open in one process; more are refused with 503, and the screen polls."""
ALIVE_EVERY = 20.0
"""Seconds of silence at most: proxies cut idle connections after 60."""
LONGEST = 3600.0
"""Seconds that a stream lasts; then the screen opens another, so that no process keeps them all."""
SLOW = 20.0
"""Seconds for a client to take a few bytes."""
RETRY_MS = 5000

_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


class Hints:
    """The open streams, one for each screen, the newest."""

    def __init__(
        self,
        cache: FeedCache,
        clock: Callable[[], datetime],
        served: dict[UUID, ServedCount],
        *,
        most: int = MOST,
        alive_every: float = ALIVE_EVERY,
        longest: float = LONGEST,
    ) -> None:
        self._cache, self._clock, self._served = cache, clock, served
        self._alive_every, self._longest = alive_every, longest
        self.waiters = Waiters(most)

    async def stream(self, screen: KnownScreen, key_id: str, receive: Receive, send: Send) -> bool:
        """Tells of the screen's feed until the client or the key is gone; False where it cannot begin."""
        news = self.waiters.join(screen.pair, screen.screen_id)
        if news is None or self._cache.feed_of(screen) is None:
            return False
        left = asyncio.ensure_future(gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await _say(send, b"retry: %d\n\n" % RETRY_MS)
            await self._tell(screen, key_id, news, left, send)
            await send({"type": "http.response.body"})
        except TimeoutError:
            pass  # It takes nothing: the connection goes with its task, and it comes back or it does not.
        finally:
            left.cancel()
        return True

    async def _tell(
        self,
        screen: KnownScreen,
        key_id: str,
        news: asyncio.Future[None],
        left: asyncio.Future[None],
        send: Send,
    ) -> None:
        until, is_news = time.monotonic() + self._longest, True
        while True:
            try:
                feed = self._cache.feed_of(screen)
                await _say(send, _hint(feed) if is_news and feed else b": alive\n\n")
                hear(self._served, screen.screen_id, self._clock())
                await asyncio.wait(
                    {news, left}, timeout=self._alive_every, return_when=asyncio.FIRST_COMPLETED
                )
                is_newest = self.waiters.holds(screen.pair, screen.screen_id, news)
            finally:
                self.waiters.leave(screen.pair, screen.screen_id, news)
            now = self._cache.screens.screen_by(key_id)
            if left.done() or not is_newest or now is None or time.monotonic() >= until:
                return
            is_news, screen = news.done() or now.pair != screen.pair, now
            again = self.waiters.join(screen.pair, screen.screen_id)
            if again is None:
                return
            news = again


def _hint(feed: Served) -> bytes:
    told = to_json({"seq": feed.seq, "etag": feed.etag.decode()})
    return b"id: %d\nevent: feed\ndata: %b\n\n" % (feed.seq, told)


async def _say(send: Send, words: bytes) -> None:
    async with asyncio.timeout(SLOW):
        await send({"type": "http.response.body", "body": words, "more_body": True})
