"""A clock that does not jump with the machine's: a step is believed once it has lasted."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

log = structlog.get_logger(__name__)

SLACK = timedelta(seconds=2)
"""What the machine's clock may differ by without a word: time servers correct it by such steps."""
LASTING = 60.0
"""Seconds that a step must last. An alert that expired by mistake has expired for ever; one that is a
minute late to expire has not harmed."""


_SLACK = SLACK.total_seconds()
_YOUNG = 1.0
"""Seconds after which the anchor is made anew, so that a slow drift is followed."""


class SteadyClock:
    """`wall` as long as it goes with `ticks`, seconds of a clock that nobody sets.

    After a step of `wall` it goes on by `ticks`, until the step has lasted `LASTING` seconds or is undone.
    Thread-safe.
    """

    def __init__(self, wall: Callable[[], datetime], ticks: Callable[[], float]) -> None:
        self._wall, self._ticks = wall, ticks
        self._lock = threading.Lock()
        self._anchor = (wall(), ticks())
        """What was believed, and the ticks at that instant. Swapped whole: it is read without the lock."""
        self._strayed: float | None = None

    def __call__(self) -> datetime:
        """Now."""
        wall, now = self._wall(), self._ticks()
        instant, at = self._anchor
        passed = now - at
        # Asked with every poll: while the two go together, and the anchor is young, there is no more to it.
        if (
            passed < _YOUNG
            and self._strayed is None
            and -_SLACK <= (wall - instant).total_seconds() - passed <= _SLACK
        ):
            return wall
        return self._judged()

    def _judged(self) -> datetime:
        with self._lock:
            wall, now = self._wall(), self._ticks()
            instant, at = self._anchor
            expected = instant + timedelta(seconds=now - at)
            if abs(wall - expected) > SLACK and not self._lasts(wall - expected, now):
                return expected
            self._anchor, self._strayed = (wall, now), None
            return wall

    def _lasts(self, step: timedelta, now: float) -> bool:
        """Whether a step has been there so long that it is the truth."""
        if self._strayed is None:
            self._strayed = now
            log.warning("clock_stepped", seconds=round(step.total_seconds(), 1))
        if now - self._strayed < LASTING:
            return False
        log.warning("clock_followed", seconds=round(step.total_seconds(), 1))
        return True
