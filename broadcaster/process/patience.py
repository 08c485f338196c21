"""Asking the database again while it is away: a restart of it costs a worker moments, not its dispatch."""

import time
from collections.abc import Callable
from typing import TypeVar

import structlog

from projections.page import transient

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

PAUSES = (0.1, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between the tries."""


def patiently(ask: Callable[[], Answer]) -> Answer:
    """Asks for a while, 15 s at least, and then raises what the database said. Blocks.

    Only for what is safe to repeat, as the answer may be what was lost.
    """
    for pause in PAUSES:
        try:
            return ask()
        except Exception as error:
            if not transient(error):
                raise
            log.warning("database_awaited", error=type(error).__name__)
            time.sleep(pause)
    return ask()
