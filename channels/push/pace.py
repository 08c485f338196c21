"""How fast may be sent: the project's quota, in places taken a window at a time."""

from time import monotonic
from typing import Protocol

from schemas.content import Lane

BURST = 0.05
"""Seconds' worth of messages that may go at once after a pause."""


class Quota(Protocol):
    """Who hands out places to send."""

    async def take(self, count: int, lane: Lane) -> float:
        """Takes so many places; seconds until they come, not positive where they are there."""
        ...


class Pace:
    """A quota of one's own: at most `rate` messages a second in any stretch, plus a burst and a window."""

    def __init__(self, rate: float) -> None:
        self._interval = 1.0 / rate
        self._next = float("-inf")

    def reserve(self, now: float, count: int = 1) -> float:
        """Takes the next places; seconds until the first comes, not positive when it is there already."""
        place = max(self._next, now - BURST)
        self._next = place + self._interval * count
        return place - now

    async def take(self, count: int, lane: Lane) -> float:  # noqa: ARG002 (others tell lanes apart)
        """See Quota. The lanes are alike."""
        return self.reserve(monotonic(), count)
