"""How fast, and how soon again: the provider's rate, and the wait before another connection."""

import asyncio
import random
import time
from collections.abc import Callable


class Pace:
    """A token bucket: `rate` messages a second on average, up to `burst` of them at once after a pause.

    Whoever waits is served in order. Several places may be taken together: those who take them are
    answered once, and spread their messages or not. Raises ValueError for a rate that is not positive.
    """

    def __init__(
        self, rate: float, burst: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if rate <= 0:
            raise ValueError(f"rate: {rate} messages a second is not a rate")
        self._each, self._clock = 1 / rate, clock
        # A tenth of a second's worth: carriers count by the second.
        self._slack = self._each * ((max(1.0, rate / 10) if burst is None else burst) - 1)
        self._next = self._held = float("-inf")

    def book(self, count: int = 1) -> float:
        """Takes the next places; seconds until the first comes, not positive when it is there already."""
        now = self._clock()
        place = max(self._next, now - self._slack)
        self._next = place + self._each * count
        return place - now

    def hold(self, seconds: float) -> None:
        """Nothing goes out for so long, not even what has its place: the provider said it is too much."""
        self._held = max(self._held, self._clock() + seconds)
        self._next = max(self._next, self._held)

    async def turn(self) -> None:
        """Waits for the next place."""
        while True:
            if (wait := self.book()) > 0:
                await asyncio.sleep(wait)
            if self._clock() >= self._held:
                return


def backoff(attempt: int, first: float, longest: float) -> float:
    """Seconds before connecting again, after so many failures in a row (from 0): doubling, spread."""
    ceiling = min(longest, first * 2.0 ** min(attempt, 16))
    return ceiling * (0.5 + random.random() / 2)  # noqa: S311 (spread, no secret)
