"""An event loop without waiting: where nothing is left to do but to wait, its time jumps to the next timer.

For what is a matter of timers alone: no sockets, no threads. Then a second is a second on any machine.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Timeless(asyncio.SelectorEventLoop):
    """Its time begins at 0."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0

    def time(self) -> float:
        """Seconds that are over."""
        return self._now

    def _run_once(self) -> None:
        timers: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]  # asyncio's own
        if timers and not self._ready:  # type: ignore[attr-defined]
            self._now = max(self._now, timers[0].when())
        super()._run_once()  # type: ignore[misc]


def play(story: Coroutine[Any, Any, T]) -> T:
    """As asyncio.run, without waiting."""
    with asyncio.Runner(loop_factory=Timeless) as runner:
        return runner.run(story)
