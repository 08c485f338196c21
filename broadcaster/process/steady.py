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
_PACE = 10.0
"""Seconds over which its pace is judged: one that stops is believed for less than that."""


class SteadyClock:
    """`wall` as long as it goes with `ticks`, seconds of a clock that nobody sets.

    After a step of `wall` it goes on by `ticks`, until the step has lasted `LASTING` seconds or is undone.
    One that grows is none: beside a `wall` that stands still or runs wild it goes on by `ticks` for good.
    Thread-safe.
    """

    def __init__(self, wall: Callable[[], datetime], ticks: Callable[[], float]) -> None:
        self._wall, self._ticks = wall, ticks
        self._lock = threading.Lock()
        self._anchor = (wall(), ticks())
        """What was believed, and the ticks at that instant. Swapped whole: it is read without the lock."""
        self._base = self._anchor
        """The same of some time ago: a clock that stands still never differs much from a second before."""
        self._strayed: tuple[float, timedelta] | None = None
        """Since which ticks there is a step, and of how much."""

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
            astray = abs(wall - expected) > SLACK
            if (astray or self._runs_wild(wall, now)) and not self._lasts(wall - expected, now):
                return expected
            if astray or now - self._base[1] >= _PACE:
                self._base = (wall, now)
            self._anchor, self._strayed = (wall, now), None
            return wall

    def _runs_wild(self, wall: datetime, now: float) -> bool:
        """Whether it went at less than half its pace since the base, or more than one and a half."""
        instant, at = self._base
        passed = timedelta(seconds=now - at)
        return abs(wall - instant - passed) > max(SLACK, passed / 2)

    def _lasts(self, step: timedelta, now: float) -> bool:
        """Whether a step has been there so long that it is the truth."""
        if self._strayed is None:
            self._strayed = (now, step)
            log.warning("clock_stepped", seconds=round(step.total_seconds(), 1))
        since, first = self._strayed
        if abs(step - first) > SLACK:
            # Another step: a clock that follows one which stands still would go back again and again, and
            # nothing would ever end.
            self._strayed = (now, step)
            return False
        if now - since < LASTING:
            return False
        log.warning("clock_followed", seconds=round(step.total_seconds(), 1))
        return True
