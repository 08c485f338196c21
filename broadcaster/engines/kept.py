"""A unit that is kept running: when it started, how often it failed, when it is due again."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

_FIRST_PAUSE, _LONGEST_PAUSE, _HEALTHY = 0.2, 5.0, 30.0  # seconds

log = structlog.get_logger(__name__)


def pause_before_restart(failures: int) -> float:
    """Seconds to wait after so many failures in a row (1 or more): 0.2, doubling to 5."""
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(failures - 1, 10))


class Unit(Protocol):
    """What is kept running: an engine or a child."""

    @property
    def name(self) -> str:
        """In logs and in pids.json."""
        ...

    @property
    def pid(self) -> int | None:
        """Of the process, from its start until it was stopped."""
        ...

    @property
    def code(self) -> int | None:
        """How it ended, as subprocess has it; None while it runs."""
        ...

    def alive(self) -> bool:
        """Whether it runs."""
        ...

    def stuck(self) -> bool:
        """Whether it runs, and will not work again until it is started anew."""
        ...

    def start(self, wanted: Callable[[], bool]) -> None:
        """Starts it unless it runs; gives up when it is no longer wanted. Raises EngineError."""
        ...

    def stop(self) -> None:
        """Ends it; safe to repeat."""
        ...


@dataclass
class Kept:
    """A unit and its history. Times are of the monotonic clock."""

    unit: Unit
    watch: int | None = None
    """A pidfd while it runs: readable once it has ended."""
    started: float = 0.0
    failures: int = 0
    due: float = 0.0

    def begin(self, wanted: Callable[[], bool]) -> None:
        """Starts it and watches it. Raises EngineError."""
        self.unit.start(wanted)
        if (pid := self.unit.pid) is not None and self.watch is None:
            self.watch = os.pidfd_open(pid)
            self.started = time.monotonic()
            log.info("started", unit=self.unit.name, pid=pid)

    def unwatch(self) -> None:
        """It runs no more, or is about to be stopped."""
        if self.watch is not None:
            os.close(self.watch)
            self.watch = None

    def ended(self) -> bool:
        """Whether it ran, as far as was known, and runs no more."""
        return self.watch is not None and not self.unit.alive()

    def failed(self) -> float:
        """Notes a failure and answers the pause before the next start, in seconds."""
        now = time.monotonic()
        healthy = self.watch is not None and now - self.started >= _HEALTHY
        self.unwatch()
        self.failures = 1 if healthy else self.failures + 1
        pause = pause_before_restart(self.failures)
        self.due = now + pause
        return pause
