"""When to try again: a pure function, so that every schedule can be read off and tested."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from schemas.content import Lane
from schemas.dispatch import Dispatch

MAX_ATTEMPTS = 66
"""For alerts and bulletins, an hour's worth: an outage may take that long. An emergency is tried until it
expires."""
FIRST_DELAY = 0.5
LONGEST_DELAY = 60.0
LONGEST_WISH = 86_400.0
"""Seconds: a provider closed for the night is waited for until it opens; more is a slip."""
JITTER = 0.25
GROUPS = 4
"""Follow-ups of one dispatch, at most: each is a message, a claim and a receipt."""
NEAR = 1.5
"""Waits of which the longest is at most so many times the shortest share a follow-up."""
MAX_CLAIMS = 5
"""A dispatch whose workers died this often is a dead letter: it may be what kills them."""


def wait(dispatch: Dispatch, at: datetime, rest: float = 0.0) -> float:
    """Seconds until the dispatch is to be carried out; 0 where it is now.

    `rest` is how long its provider is not to be asked: what has expired by then is not sent, so it is
    closed when it expires.
    """
    early = (dispatch.not_before - at).total_seconds() if dispatch.not_before else 0.0
    if early > LONGEST_WISH * (1.0 + JITTER):
        early = 0.0  # nobody asked for so much: a clock was wrong when this was written, or was set back
    left = (dispatch.expires_at - at).total_seconds()
    return max(0.0, min(max(early, rest), left))


def delay(attempt: int, jitter: float, retry_after: float | None = None) -> float:
    """Seconds to wait after this attempt (from 1): doubling, capped, spread by `jitter` in [0, 1).

    A provider's Retry-After is a floor, never shortened.
    """
    backoff = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(attempt, 16))
    return max(backoff, min(retry_after or 0.0, LONGEST_WISH)) * (1.0 + JITTER * jitter)


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


def next_tries(
    attempt: int,
    lane: Lane,
    wishes: Mapping[int, float],
    *,
    at: datetime,
    expires_at: datetime,
    jitter: float,
) -> list[tuple[datetime, tuple[int, ...]]]:
    """When to try which ranks again, the soonest first, in at most GROUPS groups.

    `wishes` tells the Retry-After of each rank, 0 where there was none. Nobody is tried sooner than by
    it, nobody gives up because another waits longer; who is absent from the answer is out of attempts,
    or the alert ends before their time.
    """
    found = {
        wish: next_try(attempt, lane, at=at, expires_at=expires_at, jitter=jitter, retry_after=wish)
        for wish in set(wishes.values())
    }
    due = {rank: when for rank in sorted(wishes) if (when := found[wishes[rank]]) is not None}
    groups = _grouped(sorted(set(due.values())), at)
    return [(max(group), tuple(rank for rank, when in due.items() if when in group)) for group in groups]


def _grouped(times: Sequence[datetime], at: datetime) -> list[frozenset[datetime]]:
    """Neighbours together: each group spans a factor of NEAR in waiting, or as much as GROUPS need."""
    if not times:
        return []
    waits = [(time - at).total_seconds() for time in times]
    # A hair more, so that rounding does not leave the last one a group of its own.
    span = max(NEAR, (waits[-1] / waits[0]) ** (1 / GROUPS) * (1 + 1e-9))
    groups: list[set[datetime]] = []
    shortest = 0.0
    for time, wait in zip(times, waits, strict=True):
        if not groups or wait > shortest * span:
            groups.append(set())
            shortest = wait
        groups[-1].add(time)
    return [frozenset(group) for group in groups]
