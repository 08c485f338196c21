"""In front of the framework: the feed that every screen polls, served from memory.

It is raw ASGI because a poll through the framework costs five times as much, and ten thousand
screens poll every ten seconds. Whatever it does not know, it passes on: api/screens.py gives the same
answers from the database.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from starlette.types import ASGIApp, Receive, Scope, Send

from broadcaster.keys import split
from broadcaster.web.feed_cache import FeedCache, Served
from broadcaster.web.polls import FEED_PATH, ServedCount, matches, note, server_time

_METHODS = {"GET", "HEAD"}


class Front:
    """The ASGI application: the feed, then everything else."""

    def __init__(
        self,
        app: ASGIApp,
        cache: FeedCache,
        clock: Callable[[], datetime],
        served: dict[UUID, ServedCount],
    ) -> None:
        self.app, self.cache, self._clock, self.served = app, cache, clock, served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection or the lifespan."""
        is_feed = scope["type"] == "http" and scope["path"] == FEED_PATH and scope["method"] in _METHODS
        if not is_feed or not await self._answer(scope, send):
            await self.app(scope, receive, send)

    async def _answer(self, scope: Scope, send: Send) -> bool:
        authorization, tags = _headers(scope)
        parts = split(authorization[7:].strip()) if authorization[:7].lower() == "bearer " else None
        screen = self.cache.screen(*parts) if parts else None
        feed = self.cache.feed(*screen.pair) if screen else None
        if screen is None or feed is None:
            return False
        now = self._clock()
        unchanged = matches(tags, feed.etag)
        note(self.served, screen.screen_id, now, unchanged=unchanged)
        await _send(send, feed, now, unchanged=unchanged, head=scope["method"] == "HEAD")
        return True


def _headers(scope: Scope) -> tuple[str, bytes]:
    authorization, tags = "", b""
    for name, value in scope["headers"]:
        if name == b"authorization":
            authorization = value.decode("latin-1")
        elif name == b"if-none-match":
            tags = value if not tags else tags + b"," + value
    return authorization, tags


async def _send(send: Send, feed: Served, now: datetime, *, unchanged: bool, head: bool) -> None:
    time = (b"x-server-time", server_time(now).encode())
    headers = feed.unchanged if unchanged else feed.whole
    status = 304 if unchanged else 200
    await send({"type": "http.response.start", "status": status, "headers": [*headers, time]})
    await send({"type": "http.response.body", "body": b"" if unchanged or head else feed.body})
