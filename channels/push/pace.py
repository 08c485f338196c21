"""How fast may be sent: the project's quota, in places taken a window at a time."""

import time
from collections.abc import Callable
from typing import Protocol

from channels.pace import Pace
from schemas.content import Lane

BURST = 0.05
"""Seconds' worth of messages that may go at once after a pause."""


class Quota(Protocol):
    """Who hands out places to send."""

    async def take(self, count: int, lane: Lane) -> float:
        """Takes so many places; seconds until they come, not positive where they are there."""
        ...

    async def hold(self, seconds: float) -> None:
        """Nobody gets a place for so long: the provider says that the quota is spent."""
        ...


class OwnQuota:
    """A quota of one's own: at most `rate` messages a second in any stretch, plus a burst and a window."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = Pace(rate, 1 + BURST * rate, clock)

    async def take(self, count: int, lane: Lane) -> float:  # noqa: ARG002 (others tell lanes apart)
        """See Quota. The lanes are alike."""
        return self._pace.book(count)

    async def hold(self, seconds: float) -> None:
        """See Quota."""
        self._pace.hold(seconds)
