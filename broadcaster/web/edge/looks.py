"""Looks at the database for keys that memory does not know, shared by all who wait for one."""

import asyncio
from collections.abc import Mapping

from broadcaster.web.feeds.cache import FeedCache

_ASKED_AT_ONCE, _LONGEST_ID = 1_000, 32
BETWEEN_LOOKS = 0.25
"""Seconds between looks: ten thousand unknown keys cost four a second in all."""


class Looks:
    """Belongs to the event loop."""

    def __init__(self, cache: FeedCache) -> None:
        self._cache = cache
        self._next: asyncio.Future[Mapping[str, bytes]] | None = None
        self._asked: set[str] = set()
        """Ids of keys that the next look asks for, since no screen that is known has them."""
        self._last = -BETWEEN_LOOKS

    def ask_for(self, key_id: str) -> None:
        """Has the next look ask whose key that is."""
        if len(key_id) <= _LONGEST_ID and len(self._asked) < _ASKED_AT_ONCE:
            self._asked.add(key_id)

    async def refreshed(self) -> Mapping[str, bytes]:
        """Memory as it is after now, and the keys asked for that are not of screens, by what verifies them.

        Who comes while a look is about to begin shares it. Raises psycopg's errors.
        """
        if self._next is None:
            self._next = asyncio.ensure_future(self._look_soon())
        return await asyncio.shield(self._next)

    async def _look_soon(self) -> Mapping[str, bytes]:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._last + BETWEEN_LOOKS - loop.time()))
        self._next = None  # Who comes from now on might be too late for this one.
        self._last = loop.time()
        asked, self._asked = self._asked, set()
        await asyncio.to_thread(self._cache.refresh)
        return await asyncio.to_thread(self._cache.screens.of_others, asked) if asked else {}
