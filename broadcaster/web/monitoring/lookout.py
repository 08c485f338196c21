"""Questions to what may be silent: asked in a thread of their own, so that a page waits but a moment."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger(__name__)

PATIENCE = 0.1
"""Seconds that a page waits for an answer."""
GOOD_FOR = 10.0
"""Seconds that an answer stands while the next question is out: a busy engine is not yet a silent one."""


T = TypeVar("T")


class Lookout(Generic[T]):
    """One question, put by whoever looks, at most once at a time.

    `ask` must itself end in time. What it raises is logged, and is no answer.
    """

    def __init__(
        self,
        ask: Callable[[], T],
        *,
        patience: float = PATIENCE,
        good_for: float = GOOD_FOR,
        ticking: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._patience, self._good_for, self._ticking = ask, patience, good_for, ticking
        self._lock = threading.Lock()
        self._out: threading.Event | None = None
        self._known: tuple[float, T | None] | None = None

    def get(self) -> T | None:
        """The answer of now; the last one where this is not there in time; None where that is old too."""
        with self._lock:
            out = self._out
            if out is None:
                out = self._out = threading.Event()
                threading.Thread(target=self._put, args=(out,), name="lookout", daemon=True).start()
        answered = out.wait(self._patience)
        with self._lock:
            known = self._known
        if known is None or (not answered and self._ticking() - known[0] > self._good_for):
            return None
        return known[1]

    def _put(self, out: threading.Event) -> None:
        answer: T | None = None
        try:
            answer = self._ask()
        except Exception as error:
            # Whoever looks is told that nothing is known; a thread that died unseen would never ask again.
            log.exception("lookout_failed", error=type(error).__name__)
        with self._lock:
            self._known, self._out = (self._ticking(), answer), None
        out.set()
