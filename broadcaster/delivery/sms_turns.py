"""A carrier's rate, shared by every SMS worker of the house; emergencies come first.

The bucket of places is a row of `quotas`. A worker takes a few at a time, and only while they are there:
so a crowd that waits takes nothing ahead, and what other lanes must leave is there when an emergency comes.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import psycopg
import structlog
from psycopg_pool import ConnectionPool, PoolTimeout

from broadcaster.log import at_once
from channels.sms.turns import OwnTurns
from schemas.content import Lane

log = structlog.get_logger(__name__)

FULL, LEASE = 0.1, 0.05
"""Seconds' worth of places: that the bucket holds, and that a worker takes at once."""
RESERVED = 0.5
"""The share of the bucket that only emergencies take: while they go on they have the whole rate."""
STALE = 1.0
"""Seconds after which a place that was taken and not used is void: carriers count by the second."""
LONGEST_LOOK = 0.5

_MAKE = """
INSERT INTO quotas (name, level, at) VALUES (%(name)s, %(full)s, clock_timestamp()) ON CONFLICT DO NOTHING
"""
# The database's clock, which may be set back: never a refund, and a hold from the future is none.
_TAKE = """
WITH seen AS (
    SELECT name,
        least(%(full)s, level
            + %(rate)s * greatest(0, extract(epoch FROM clock_timestamp() - at))) AS level,
        CASE WHEN clock_timestamp() >= held_from
            THEN greatest(0, extract(epoch FROM held_until - clock_timestamp())) ELSE 0 END AS held
    FROM quotas WHERE name = %(name)s FOR UPDATE
), given AS (
    SELECT *, CASE WHEN held > 0 OR level - %(count)s < %(floor)s THEN 0 ELSE %(count)s END AS granted
    FROM seen
)
UPDATE quotas SET level = given.level - given.granted, at = clock_timestamp()
FROM given WHERE quotas.name = given.name
RETURNING given.granted::int, given.level::float, given.held::float
"""
_HOLD = """
UPDATE quotas SET held_from = clock_timestamp(), held_until = greatest(
    CASE WHEN held_from <= clock_timestamp() THEN held_until END,
    clock_timestamp() + make_interval(secs => %(seconds)s))
WHERE name = %(name)s
"""


class Taken(NamedTuple):
    """What a try brought: so many places, or how many seconds until it is worth another."""

    places: int
    wait: float


class _Purse:
    """Places taken and not yet used."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.left, self.until = 0, 0.0


class SharedTurns:
    """At most `rate` parts a second by all who share the name, plus the bucket's after a pause.

    While the database is away, each worker keeps the rate by itself. Raises ValueError for a rate that is
    not positive.
    """

    def __init__(
        self,
        pool: ConnectionPool[Any],
        name: str,
        rate: float,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool, self._name, self._ticks = pool, name, ticks
        self._own = OwnTurns(rate)
        self.rate = rate
        self._full = max(2.0, rate * FULL)
        self._lease = max(1, int(rate * LEASE))
        self._purses = {True: _Purse(), False: _Purse()}

    async def turn(self, lane: Lane) -> None:
        """See Turns."""
        purse = self._purses[lane is Lane.EMERGENCY]
        async with purse.lock:
            while not purse.left or self._ticks() > purse.until:
                try:
                    taken = await asyncio.to_thread(self.take, lane)
                except (psycopg.Error, PoolTimeout) as error:
                    log.warning("sms.rate_unshared", error=type(error).__name__)
                    await self._own.turn(lane)
                    return
                purse.left, purse.until = taken.places, self._ticks() + STALE
                if not taken.places:
                    await asyncio.sleep(min(taken.wait, LONGEST_LOOK))
            purse.left -= 1

    def take(self, lane: Lane) -> Taken:
        """A few places, if they are there now. Blocks."""
        floor = 0.0 if lane is Lane.EMERGENCY else self._full * RESERVED
        given = {
            "name": self._name,
            "full": self._full,
            "rate": self.rate,
            "floor": floor,
            "count": self._lease,
        }
        with at_once(self._pool) as conn:
            row = conn.execute(_TAKE, given).fetchone()
            if row is None:  # new, or the database crashed: the table is not logged
                conn.execute(_MAKE, given)
                row = conn.execute(_TAKE, given).fetchone()
        assert row is not None
        granted, level, held = row
        return Taken(granted, max(held, (floor + self._lease - level) / self.rate, 0.001))

    async def hold(self, seconds: float) -> None:
        """See Turns: for every worker."""
        for purse in self._purses.values():
            purse.left = 0
        await self._own.hold(seconds)
        try:
            await asyncio.to_thread(self.hold_now, seconds)
        except (psycopg.Error, PoolTimeout) as error:
            log.warning("sms.rate_unshared", error=type(error).__name__)

    def hold_now(self, seconds: float) -> None:
        """As `hold`, in this thread and for the others alone."""
        with at_once(self._pool) as conn:
            conn.execute(_HOLD, {"name": self._name, "seconds": seconds})
