"""How every screen was last heard of, by whichever web process; read once in a while, for people."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from psycopg_pool import ConnectionPool

from broadcaster.screens.hours import Hours
from broadcaster.screens.seen import Heard, read_state

FRESH = 2.0
"""Seconds for which what was read is good enough."""
_ALL = "SELECT screen_id, last_seen, state, offline_since FROM screen_seen"


class Contact(StrEnum):
    """How a screen stands with us."""

    ONLINE = "online"
    LATE = "late"
    """Unheard of for a while; not long enough for the alarm."""
    OFFLINE = "offline"
    """The alarm was raised: silent for more than five minutes of its hours."""
    CLOSED = "closed"
    """Unheard of beyond its hours: that is night, not a fault."""
    NEVER = "never"


@dataclass(frozen=True)
class Sighting:
    """The last word of a screen."""

    last_seen: datetime | None = None
    state: str = ""
    """Its last X-Screen-State."""
    offline_since: datetime | None = None

    @property
    def says(self) -> dict[str, str]:
        """The state, word by word."""
        return read_state(self.state.encode())

    @property
    def faults(self) -> int:
        """How many it says it has."""
        said = self.says.get("err", "0")
        return int(said) if said.isdigit() else 0

    @property
    def showing(self) -> tuple[UUID, int] | None:
        """The alert and version that it says is on; None where it says none."""
        alert, _, version = self.says.get("show", "").partition("/")
        try:
            return UUID(alert), int(version)
        except ValueError:
            return None


UNSEEN = Sighting()


def contact(sighting: Sighting, hours: Hours, late_after: float, at: datetime) -> Contact:
    """How the screen stands; late after so many seconds without a word."""
    if sighting.last_seen is None:
        return Contact.NEVER
    if (at - sighting.last_seen).total_seconds() <= late_after:
        return Contact.ONLINE
    if sighting.offline_since is not None:
        return Contact.OFFLINE
    return Contact.LATE if hours.opened(at) else Contact.CLOSED


class Sightings:
    """Of all web processes, by the table they share; this one's own are fresh."""

    def __init__(self, pool: ConnectionPool[Any], served: Mapping[UUID, Heard]) -> None:
        self._pool, self._served = pool, served
        self._lock = threading.Lock()
        self._until = 0.0
        self._read: dict[UUID, Sighting] = {}

    def of(self, screen_id: UUID) -> Sighting:
        """One screen."""
        return self._newest(screen_id, self._table())

    def every(self) -> Mapping[UUID, Sighting]:
        """Every screen that was ever heard."""
        table = self._table()
        heard = [one for one, count in list(self._served.items()) if count.last_seen is not None]
        return table | {screen_id: self._newest(screen_id, table) for screen_id in heard}

    def forget(self) -> None:
        """Reads anew when next asked."""
        self._until = 0.0

    def _newest(self, screen_id: UUID, table: Mapping[UUID, Sighting]) -> Sighting:
        written, heard = table.get(screen_id, UNSEEN), self._served.get(screen_id)
        if heard is None or heard.last_seen is None:
            return written
        if written.last_seen is not None and written.last_seen >= heard.last_seen:
            return written
        said = ";".join("=".join(one) for one in read_state(heard.state).items())
        return Sighting(heard.last_seen, said or written.state, written.offline_since)

    def _table(self) -> dict[UUID, Sighting]:
        if self._until < time.monotonic():
            with self._lock:
                # Of all who waited only the first reads.
                if self._until < time.monotonic():
                    self._read = self._from_table()
                    self._until = time.monotonic() + FRESH
        return self._read

    def _from_table(self) -> dict[UUID, Sighting]:
        with self._pool.connection() as conn:
            return {
                screen_id: Sighting(seen.astimezone(UTC), state, offline and offline.astimezone(UTC))
                for screen_id, seen, state, offline in conn.execute(_ALL)
            }
