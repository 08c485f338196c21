"""A provider's quota of messages a minute, shared by every worker of the house.

One row holds how many places are left. A worker takes a window's worth in one statement; what comes
back says how long to wait for them. The last part of the bucket is the emergencies' own.
"""

import asyncio
from typing import Any

from psycopg_pool import ConnectionPool

from broadcaster.log import at_once
from schemas.content import Lane

# Not logged: after a crash of the database the bucket is full again, and that is all.
QUOTAS_DDL = """
CREATE UNLOGGED TABLE IF NOT EXISTS quotas (
    name text PRIMARY KEY,
    level double precision NOT NULL,
    at timestamptz NOT NULL,
    held_from timestamptz,
    held_until timestamptz
);
ALTER TABLE quotas ADD COLUMN IF NOT EXISTS held_from timestamptz;
ALTER TABLE quotas ADD COLUMN IF NOT EXISTS held_until timestamptz;
"""
# The database's clock: workers on different machines must agree. It may be set back: never a refund.
_TAKE = """
INSERT INTO quotas (name, level, at) VALUES (%(name)s, %(full)s - %(count)s, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET
    level = least(%(full)s, quotas.level
        + %(rate)s * greatest(0, extract(epoch FROM clock_timestamp() - quotas.at)))
        - CASE WHEN clock_timestamp() >= quotas.held_from AND clock_timestamp() < quotas.held_until
            THEN 0 ELSE %(count)s END,
    at = clock_timestamp()
RETURNING level, CASE WHEN clock_timestamp() >= held_from
    THEN extract(epoch FROM held_until - clock_timestamp())::float ELSE 0 END
"""
# A hold is never cut short, except by a clock set back to before it.
_HOLD = """
INSERT INTO quotas (name, level, at, held_from, held_until) VALUES (%(name)s, %(full)s,
    clock_timestamp(), clock_timestamp(), clock_timestamp() + make_interval(secs => %(seconds)s))
ON CONFLICT (name) DO UPDATE SET
    held_from = excluded.held_from, held_until = greatest(quotas.held_until, excluded.held_until)
"""
BURST = 0.005
"""The share of a minute's quota that may go at once after a pause, beside the reserve."""


class SharedQuota:
    """At most `quota` messages in any minute, by all who share the name.

    `reserve`, a share of the quota, is what an emergency finds there whatever else is under way: other
    lanes wait while no more than that is left. Raises ValueError where the numbers make no bucket.
    """

    def __init__(self, pool: ConnectionPool[Any], name: str, quota: float, reserve: float) -> None:
        if quota <= 0 or not 0 <= reserve < 1 - BURST:
            raise ValueError("quota: must be positive; reserve: a share from 0 to below 1")
        self._pool, self._name = pool, name
        self._reserve = quota * reserve
        self._full = quota * (reserve + BURST)
        # A full bucket and a minute's refill are together what the provider allows in a minute.
        self.rate = (quota - self._full) / 60
        """Messages a second that go for as long as one likes."""

    async def take(self, count: int, lane: Lane) -> float:
        """Takes so many places; seconds until they come, not positive where they are there."""
        return await asyncio.to_thread(self.take_now, count, lane)

    def take_now(self, count: int, lane: Lane) -> float:
        """As `take`, in this thread."""
        given = {"name": self._name, "full": self._full, "rate": self.rate, "count": count}
        with at_once(self._pool) as conn:
            row = conn.execute(_TAKE, given).fetchone()
        assert row is not None
        level, held = row
        if held > 0:
            return held
        floor = 0.0 if lane is Lane.EMERGENCY else self._reserve
        return (floor - level) / self.rate

    async def hold(self, seconds: float) -> None:
        """Nobody gets a place for so long, in no worker: the provider says that the quota is spent."""
        await asyncio.to_thread(self.hold_now, seconds)

    def hold_now(self, seconds: float) -> None:
        """As `hold`, in this thread."""
        given = {"name": self._name, "full": self._full, "seconds": seconds}
        with at_once(self._pool) as conn:
            conn.execute(_HOLD, given)
