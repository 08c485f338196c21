"""The thread of the follow role that keeps FCM topics in step with the registry, where that is wanted."""

import asyncio
import random
from time import monotonic

import structlog

from broadcaster.providers.push import subscriptions
from broadcaster.runtime import House, clock
from broadcaster.topics.keeper import Round, TopicKeeper
from channels.retry import delay
from projections.own_thread import OwnThread

log = structlog.get_logger(__name__)

LOOK = 5.0
"""Seconds between looks that find nothing, at the least."""
SHARE = 20.0
"""A look that took long is rested from so many times as long: it compares the whole registry."""


class TopicThread(OwnThread):
    """Beside another one it waits: one at a time keeps the topics.

    Where the settings want none, it ends once nobody is in any.
    """

    def __init__(self, house: House, look: float = LOOK) -> None:
        super().__init__("topics")
        self._house, self._look = house, look
        self._failures = 0

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._house.topics.is_idle():
                    return
                with self._house.topics.alone() as mine:
                    if mine:
                        asyncio.run(self._keep())
            except Exception:
                # A lost database, say; what was under way is called about again.
                log.exception("topics_stumbled")
            self._stop.wait(self._look)

    async def _keep(self) -> None:
        async with subscriptions(self._house.settings, clock) as service:
            keeper = TopicKeeper(self._house.topics, service, clock)
            while not self._stop.is_set() and not self._house.topics.is_idle():
                began = monotonic()
                seen = await keeper.round()
                rest = self._rest(seen, monotonic() - began)
                await asyncio.to_thread(self._stop.wait, rest)

    def _rest(self, seen: Round, took: float) -> float:
        """Seconds until the next look."""
        if seen.halted or seen.unknown:
            self._failures += 1
            return max(self._look, delay(self._failures, random.random()))  # noqa: S311 (spread, no secret)
        self._failures = 0
        return 0.0 if seen.done else max(self._look, SHARE * took)
