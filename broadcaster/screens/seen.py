"""When each screen was last heard, and what it said of itself: kept in memory, written every 30 seconds.

A poll writes nothing. `X-Screen-State` is kept as it came and read here, off the road of polls.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import structlog
from psycopg_pool import ConnectionPool

from projections.own_thread import OwnThread

log = structlog.get_logger(__name__)

SEEN_DDL = """
CREATE TABLE IF NOT EXISTS screen_seen (
    screen_id uuid PRIMARY KEY,
    last_seen timestamptz NOT NULL,
    state text NOT NULL DEFAULT '',
    offline_since timestamptz
);
CREATE INDEX IF NOT EXISTS screen_seen_last ON screen_seen (last_seen);
CREATE TABLE IF NOT EXISTS screen_hearing (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    since timestamptz NOT NULL,
    until timestamptz NOT NULL
);
"""

EVERY = 30.0
"""Seconds between writes."""
DEAF_AFTER = 90
"""Seconds without a write by any web process, after which silence says nothing of screens."""
LONGEST = 200
"""Bytes of a state; a longer one is passed over."""

_WRITE = """
INSERT INTO screen_seen AS s (screen_id, last_seen, state)
SELECT * FROM unnest(%s::uuid[], %s::timestamptz[], %s::text[])
ON CONFLICT (screen_id) DO UPDATE SET last_seen = excluded.last_seen,
    state = CASE WHEN excluded.state = '' THEN s.state ELSE excluded.state END
WHERE s.last_seen < excluded.last_seen
"""
_HEARING = """
INSERT INTO screen_hearing AS h (since, until) VALUES (%(at)s, %(at)s)
ON CONFLICT (one) DO UPDATE SET until = greatest(h.until, excluded.until), since =
    CASE WHEN excluded.until > h.until + %(deaf)s * interval '1 second' THEN excluded.since ELSE h.since END
"""
_COUNTS = """
SELECT count(*) FILTER (WHERE offline_since IS NULL), count(*) FILTER (WHERE offline_since IS NOT NULL)
FROM screen_seen
"""
_STATE = re.compile(r"[a-z]{1,8}=[0-9A-Za-z_./-]{0,60}(;[a-z]{1,8}=[0-9A-Za-z_./-]{0,60}){0,9}")


class Heard(Protocol):
    """What is kept of the polls of one screen."""

    @property
    def last_seen(self) -> datetime | None:
        """When it last polled."""
        ...

    @property
    def state(self) -> bytes:
        """Its last X-Screen-State."""
        ...


class Counts(NamedTuple):
    """Screens that were ever heard."""

    online: int = 0
    offline: int = 0


def read_state(said: bytes) -> dict[str, str]:
    """What a screen says of itself: `seq=1841;show=<alert>/<version>;err=0`; nothing where it is no state.

    `seq` is the feed's it shows, `show` the alert that is on, `err` how many faults it has, `up` the
    seconds it runs; other words are kept as they are.
    """
    text = said.decode("latin-1")
    if len(said) > LONGEST or _STATE.fullmatch(text) is None:
        return {}
    return dict(part.split("=", 1) for part in text.split(";"))


class Seen(OwnThread):
    """Writes what was heard, from a thread of its own; a last time when it is stopped."""

    def __init__(
        self,
        pool: ConnectionPool[Any],
        served: Mapping[UUID, Heard],
        clock: Callable[[], datetime],
        every: float = EVERY,
    ) -> None:
        super().__init__("screens-seen")
        self._pool, self._served, self._clock, self._every = pool, served, clock, every
        self._written: dict[UUID, datetime] = {}
        self.counts = Counts()
        """As of the last write."""

    def flush(self) -> int:
        """Writes whom it heard since the last time; answers how many. Raises psycopg's errors."""
        new = [
            (screen_id, heard.last_seen, ";".join("=".join(one) for one in read_state(heard.state).items()))
            for screen_id, heard in list(self._served.items())
            if heard.last_seen is not None and heard.last_seen != self._written.get(screen_id)
        ]
        with self._pool.connection() as conn:
            if new:
                # In one order everywhere, so that two processes never wait for each other in a ring.
                new.sort()
                conn.execute(_WRITE, [list(column) for column in zip(*new, strict=True)])
            conn.execute(_HEARING, {"at": self._clock(), "deaf": DEAF_AFTER})
            self.counts = Counts(*(conn.execute(_COUNTS).fetchone() or (0, 0)))
        self._written.update((screen_id, seen) for screen_id, seen, _ in new)
        return len(new)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._stop.wait(self._every)
            try:
                self.flush()
            except Exception as error:
                # A lost database, say; the next write has all that this one had.
                log.exception("screens_seen_stumbled", error=type(error).__name__)
