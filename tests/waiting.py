"""Waiting in tests: until something is so, or the deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


PATIENCE = 120.0
"""Seconds to wait for what is sure to come: a machine with much else to do is slow, and not at fault."""


def until(condition: Callable[[], T | None], seconds: float = PATIENCE) -> T:
    """The first answer that is true. Raises TimeoutError naming the last answer at the deadline."""
    deadline = time.monotonic() + seconds
    pause = 0.002
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise TimeoutError(f"after {seconds} s the answer was still {answer!r}")
        time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
        pause = min(pause * 1.5, 0.05)
