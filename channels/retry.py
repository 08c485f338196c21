"""When to try again: a pure function, so that every schedule can be read off and tested."""

from datetime import datetime, timedelta

from schemas.content import Lane

MAX_ATTEMPTS = 6
"""For alerts and bulletins; an emergency is tried until it expires."""
FIRST_DELAY = 0.5
LONGEST_DELAY = 60.0
JITTER = 0.25
MAX_CLAIMS = 5
"""A dispatch whose workers died this often is a dead letter: it may be what kills them."""


def delay(attempt: int, jitter: float, retry_after: float | None = None) -> float:
    """Seconds to wait after this attempt (from 1): doubling, capped, spread by `jitter` in [0, 1).

    A provider's Retry-After is a floor, never shortened.
    """
    backoff = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(attempt, 16))
    return max(backoff, retry_after or 0.0) * (1.0 + JITTER * jitter)


def next_try(
    attempt: int,
    lane: Lane,
    *,
    at: datetime,
    expires_at: datetime,
    jitter: float,
    retry_after: float | None = None,
) -> datetime | None:
    """When to try again, or None: out of attempts, or the alert ends first."""
    if lane is not Lane.EMERGENCY and attempt >= MAX_ATTEMPTS:
        return None
    due = at + timedelta(seconds=delay(attempt, jitter, retry_after))
    return due if due < expires_at else None
