"""How fast may be sent: the project's quota, in places taken a window at a time."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from channels.pace import Pace
from schemas.content import Lane

log = structlog.get_logger(__name__)

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


class Holding:
    """Tells the quota that it is spent, for all workers to hear, while the one who was told goes on."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._telling: set[asyncio.Task[None]] = set()

    def __call__(self, seconds: float) -> None:
        """Nobody gets a place for so long."""
        task = asyncio.get_running_loop().create_task(self._quota.hold(seconds))
        self._telling.add(task)
        task.add_done_callback(self._told)

    async def told(self) -> None:
        """Until all of it was said."""
        await asyncio.gather(*self._telling, return_exceptions=True)

    def _told(self, task: asyncio.Task[None]) -> None:
        self._telling.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.warning("push.quota_not_told", error=type(error).__name__)
