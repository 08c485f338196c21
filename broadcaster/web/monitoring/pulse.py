"""Whether the engines answer, for as many as ask at once: one question, in a thread of its own."""

import asyncio
from collections.abc import Callable, Mapping

from anyio import CapacityLimiter
from anyio.to_thread import run_sync


class Pulse:
    """A question that whoever comes while it is out waits for too. To be asked in the loop's thread.

    Not in the threads of the pages: they may all wait for a lock, and a monitor would give us up. Nor once
    for each who asks: anyone may, and thousands at once would keep the monitor waiting.
    """

    def __init__(self, ask: Callable[[], Mapping[str, bool]]) -> None:
        self._ask = ask
        self._thread = CapacityLimiter(1)
        self._out: asyncio.Task[Mapping[str, bool]] | None = None

    async def get(self) -> Mapping[str, bool]:
        """By engine, whether it answers."""
        if self._out is None or self._out.done():
            self._out = asyncio.create_task(self._put())
        # Shielded: one who hangs up takes the answer from nobody else.
        return await asyncio.shield(self._out)

    async def _put(self) -> Mapping[str, bool]:
        return await run_sync(self._ask, limiter=self._thread)
