"""Waking up when PostgreSQL says that there is something new."""

from collections.abc import Callable
from typing import Any

import psycopg
import structlog
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool

from projections.backoff import backoff
from projections.own_thread import OwnThread
from projections.projection import Row

log = structlog.get_logger(__name__)

TICK = 0.2
"""Seconds until a stop is noticed."""


def dedicated(pool: ConnectionPool[Any], name: str) -> Connection[Row]:
    """A connection beside the pool, to the same database, autocommit; `name` shows in pg_stat_activity.

    For what lives as long as its connection does: LISTEN and session locks.
    """
    conninfo = pool.conninfo() if callable(pool.conninfo) else pool.conninfo
    settings = {"application_name": f"broadcaster {name}", "connect_timeout": 5, "keepalives_idle": 30}
    return psycopg.connect(make_conninfo(conninfo, **settings), autocommit=True)


class Listener(OwnThread):
    """Calls `heard` from its own thread with what each notification on a channel says.

    Also after each connect, with nothing, for what was said while nobody listened. A broken connection
    is replaced.
    """

    def __init__(self, pool: ConnectionPool[Any], channel: str, heard: Callable[[str], None]) -> None:
        super().__init__(f"listen-{channel}")
        self._pool, self._channel, self._heard = pool, channel, heard

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                with dedicated(self._pool, f"listen {self._channel}") as connection:
                    connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
                    failures = 0
                    self._heard("")
                    self._follow(connection)
            except psycopg.Error as error:
                failures += 1
                log.warning("listen_lost", channel=self._channel, failures=failures, error=str(error))
                self._stop.wait(backoff(failures))

    def _follow(self, connection: Connection[Row]) -> None:
        while not self._stop.is_set():
            for said in connection.notifies(timeout=TICK, stop_after=1):
                self._heard(said.payload)
