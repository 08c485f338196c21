"""Polls that wait for news of their feed, by the pair of the feed."""

import asyncio
from collections import defaultdict
from typing import Protocol
from uuid import UUID

from broadcaster.web.feeds.known_screens import Pair


class Waiter(Protocol):
    """A connection whose poll waits."""

    def news(self) -> None:
        """Answers it."""
        ...


class WaitingPolls:
    """One waiting poll for each screen, the newest. `told` is safe from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        self._loop, self._most = loop, most
        self._by_pair: defaultdict[Pair, dict[UUID, Waiter]] = defaultdict(dict)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def join(self, pair: Pair, screen: UUID, waiter: Waiter) -> bool:
        """Whether it may wait. Who waited for that screen before is answered."""
        former = self._by_pair[pair].pop(screen, None)
        if former is not None:
            self._count -= 1
            former.news()
        if self._count >= self._most:
            return False
        # Looked up anew: the former's answer may have let a pair go.
        self._by_pair[pair][screen] = waiter
        self._count += 1
        return True

    def leave(self, pair: Pair, screen: UUID, waiter: Waiter) -> None:
        """Ends a wait; harmless where it has ended."""
        waiting = self._by_pair.get(pair)
        if waiting is not None and waiting.get(screen) is waiter:
            del waiting[screen]
            self._count -= 1
            if not waiting:
                del self._by_pair[pair]

    def told(self, pairs: set[Pair]) -> None:
        """There is news of these feeds."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._answer, pairs)

    def release(self) -> None:
        """Answers everyone."""
        self._answer(set(self._by_pair))

    def _answer(self, pairs: set[Pair]) -> None:
        for pair in pairs:
            for waiter in list(self._by_pair.get(pair, {}).values()):
                waiter.news()
