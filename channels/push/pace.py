"""How fast this process may send: a token bucket, and the provider's own word to stop."""

import asyncio
from time import monotonic

BURST = 0.05
"""Seconds' worth of messages that may go at once after a pause."""


class Pace:
    """At most `rate` messages a second, in any stretch of time, plus one burst."""

    def __init__(self, rate: float) -> None:
        self._interval = 1.0 / rate
        self._next = float("-inf")
        self._opens = float("-inf")

    def reserve(self, now: float) -> float:
        """Takes the next place; seconds until it comes, not positive when it is there already."""
        place = max(self._next, now - BURST)
        self._next = place + self._interval
        return place - now

    async def take(self) -> None:
        """Waits for the next place."""
        wait = self.reserve(monotonic())
        if wait > 0:
            await asyncio.sleep(wait)

    def stop(self, seconds: float, now: float) -> None:
        """The provider's quota is spent: nothing goes for so long."""
        self._opens = max(self._opens, now + seconds)

    def stopped(self, now: float) -> float:
        """Seconds until the quota is whole again; not positive when it is."""
        return self._opens - now
