"""Says when a screen falls silent within its hours, and when it is heard again."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import structlog
from psycopg import Connection, Cursor
from psycopg.errors import UniqueViolation
from psycopg_pool import ConnectionPool

from broadcaster.log import AlertLog
from broadcaster.screens.hours import Hours
from broadcaster.screens.seen import DEAF_AFTER
from schemas.events import Actor, Event, ScreenCameOnline, ScreenWentOffline
from schemas.ids import stream_id

log = structlog.get_logger(__name__)

SILENT = timedelta(minutes=5)
BY = Actor(account="system:timekeeper")
_LOOK = timedelta(seconds=15)
_MOST = 500
"""Events at one look: a dead power line silences a thousand screens, and the log has other work."""

_SUSPECTS = "SELECT screen_id, last_seen, offline_since FROM screen_seen WHERE last_seen < %s"
_BACK = "SELECT screen_id, last_seen, offline_since FROM screen_seen WHERE offline_since < last_seen"


class InService(Protocol):
    """A screen, of which the hours matter."""

    @property
    def hours(self) -> Hours:
        """When it is on."""
        ...


class Contact(NamedTuple):
    """When a screen was last heard, and since when it counts as offline."""

    screen_id: UUID
    last_seen: datetime
    offline_since: datetime | None


def is_silent(last_seen: datetime, hours: Hours, hearing_since: datetime, at: datetime) -> bool:
    """Whether a screen should have been heard: not before it opened, nor while nobody listened."""
    opened = hours.opened(at)
    return opened is not None and at - max(last_seen, opened, hearing_since) > SILENT


class ScreenWatch:
    """Beside another watch it says nothing twice: the log takes each number once."""

    def __init__(
        self,
        pool: ConnectionPool[Any],
        alert_log: AlertLog,
        screens: Callable[[], Mapping[UUID, InService]],
    ) -> None:
        self._pool, self._log, self._screens = pool, alert_log, screens
        self._next = datetime.min.replace(tzinfo=UTC)

    def watch(self, at: datetime) -> int:
        """Answers how many events there were to tell of. Looks every 15 seconds, however often called."""
        if at < self._next:
            return 0
        self._next = at + _LOOK
        with self._pool.connection() as conn:
            hearing = conn.execute("SELECT since, until FROM screen_hearing").fetchone()
            back = [Contact(*row) for row in conn.execute(_BACK)]
            late = [Contact(*row) for row in conn.execute(_SUSPECTS, (at - SILENT,))]
        deaf = hearing is None or at - hearing[1] > timedelta(seconds=DEAF_AFTER)
        screens = self._screens()
        lost = [
            one
            for one in late
            if one.offline_since is None
            and not deaf
            and hearing is not None
            and (screen := screens.get(one.screen_id)) is not None
            and is_silent(one.last_seen, screen.hours, hearing[0], at)
        ]
        told = 0
        for one in (*back, *lost)[:_MOST]:
            told += self._tell(one, at)
        self._drop(screens)
        return told

    def _tell(self, one: Contact, at: datetime) -> bool:
        stream = stream_id("screen-contact", one.screen_id)
        place: dict[str, Any] = {
            "originator_id": stream,
            "originator_version": self._log.length(stream) + 1,
            "by": BY,
            "screen_id": one.screen_id,
        }
        event: Event
        if one.offline_since is not None:
            event = ScreenCameOnline(**place, silent_since=one.offline_since)
        else:
            event = ScreenWentOffline(**place, last_seen=one.last_seen)
        try:
            with self._pool.connection() as conn, conn.cursor() as cursor:
                if not _mark(cursor, one, None if one.offline_since else one.last_seen):
                    return False  # Another watch was quicker.
                self._log.append_in(cursor, [event], at)
        except UniqueViolation:
            return False
        if one.offline_since is None:
            log.warning("screen_offline", screen=str(one.screen_id), last_seen=one.last_seen.isoformat())
        return True

    def _drop(self, screens: Mapping[UUID, InService]) -> None:
        """Forgets the screens that are out of service."""
        with self._pool.connection() as conn:
            known = _known(conn)
            gone = [screen_id for screen_id in known if screen_id not in screens]
            if gone:
                conn.execute("DELETE FROM screen_seen WHERE screen_id = ANY(%s)", (gone,))


def _known(conn: Connection[Any]) -> list[UUID]:
    return [row[0] for row in conn.execute("SELECT screen_id FROM screen_seen")]


def _mark(cursor: Cursor[Any], one: Contact, offline_since: datetime | None) -> bool:
    cursor.execute(
        "UPDATE screen_seen SET offline_since = %s"
        " WHERE screen_id = %s AND offline_since IS NOT DISTINCT FROM %s",
        (offline_since, one.screen_id, one.offline_since),
    )
    return cursor.rowcount == 1
