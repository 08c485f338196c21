"""Whether anything that the public is shown has changed: looked for at each word of the log, and often.

Two marks are enough. The last position of the log at which anything public happened ends the copies of
pages that read the log; the last public row of the board ends those of lists, a moment later.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg
import structlog
from psycopg import Connection
from psycopg_pool import ConnectionPool

from projections.backoff import backoff
from projections.listen import Listener, dedicated
from projections.own_thread import OwnThread
from schemas.events import TOPICS, AlertCancelled, AlertExpired, AlertIssued

log = structlog.get_logger(__name__)

POLL = 0.5
"""Seconds between looks when nothing is heard."""
PACE = 0.05
"""Seconds between looks however much is heard, and while the board has yet to see what the log says."""
TRUSTED = 5.0
"""Seconds that the last look is good for: without a database nothing can be withdrawn either, by us."""
_NAMES = ("issuer.", "area_register.", "area_boundaries.")
PUBLIC = sorted(
    {each.TOPIC for each in (AlertIssued, AlertCancelled, AlertExpired)}
    | {topic for topic in TOPICS if topic.startswith(_NAMES)}
)
"""Topics of what changes a page of the public's: what goes out, what ends, and names."""
_LOOK = """
SELECT
    (SELECT max(position) FROM events),
    (SELECT max(position) FROM events WHERE position > %(head)s AND topic = ANY(%(topics)s)),
    (SELECT max(last) FROM (
        SELECT max(position) AS last FROM board_alerts WHERE status = 'live'
        UNION ALL SELECT max(position) FROM board_alerts WHERE status = 'cancelled'
        UNION ALL SELECT max(position) FROM board_alerts WHERE status = 'expired') AS ends),
    (SELECT position FROM projection_positions WHERE name = 'board'),
    (SELECT min(expires_at) FROM board_alerts WHERE status = 'live' AND expires_at > %(now)s)
"""


class News(OwnThread):
    """Follows the marks in a thread of its own, on a connection of its own."""

    def __init__(self, pool: ConnectionPool[Any], clock: Callable[[], datetime]) -> None:
        super().__init__("public-news")
        self._pool, self._clock = pool, clock
        self.generation = 0
        """Goes up after anything that the public is shown has changed."""
        self.next_end: datetime | None = None
        """When the next alert ends by the clock, which nobody tells of."""
        self._head = self._seen = 0
        """The log's end at the last look, and the last place of it at which anything public happened."""
        self._behind = False
        self._marks: tuple[int, int] | None = None
        self._looked_at = float("-inf")
        self._wake = threading.Event()
        self._listener = Listener(pool, "event_log", lambda _: self._wake.set())

    @property
    def is_heard(self) -> bool:
        """Whether the last look is young enough to go by."""
        return time.monotonic() - self._looked_at < TRUSTED

    def start(self) -> None:
        """Begins to follow. Once only."""
        self._listener.start()
        super().start()

    def stop(self) -> None:
        """Ends the threads and waits for them; again is harmless."""
        self._stop.set()
        self._wake.set()
        self._listener.stop()
        super().stop()

    def look(self, conn: Connection[Any]) -> None:
        """One look. Raises psycopg's errors."""
        began = time.monotonic()
        asked = {"head": self._head, "topics": PUBLIC, "now": self._clock()}
        # Planned each time, as the log's own questions: it grows by a thousandfold.
        row = conn.execute(_LOOK, asked, prepare=False).fetchone()
        assert row
        head, last, board, passed, next_end = row
        if (head or 0) < self._head:
            self._seen, self._marks = 0, None  # An older copy of the log took over.
        self._head, self._seen = head or 0, max(self._seen, last or 0)
        marks = (self._seen, board or 0)
        self.next_end = next_end
        if marks != self._marks:
            self._marks = marks
            self.generation += 1
        self._behind = (passed or 0) < self._seen
        self._looked_at = began

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                with dedicated(self._pool, "public-news") as conn:
                    while not self._stop.is_set():
                        self._wake.clear()
                        self.look(conn)
                        failures = 0
                        self._stop.wait(PACE)
                        if not self._behind:
                            self._wake.wait(POLL)
            except psycopg.Error as error:
                failures += 1
                log.warning("public_news_lost", failures=failures, error=type(error).__name__)
                self._stop.wait(min(POLL, backoff(failures)))
