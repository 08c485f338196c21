"""What the clock brings about: alerts that end, and versions whose time to go out has come."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg_pool import ConnectionPool

from broadcaster.alert_commands import AlertCommands
from broadcaster.log import ConflictError, StaleError
from broadcaster.office import Office
from broadcaster.rules import RefusedError
from projections.board import view as board
from schemas.events import Actor

TIMEKEEPER = Actor(account="system:timekeeper")


class Due:
    """Asks the board what is due and the aggregate whether it is: the board may lag. Safe to repeat."""

    def __init__(self, pool: ConnectionPool[Any], office: Office, alerts: AlertCommands) -> None:
        self._pool, self._office, self._alerts = pool, office, alerts

    def expire(self, at: datetime) -> int:
        """Ends the live alerts whose time is up; answers how many."""
        ended = 0
        for alert_id in self._asked(board.due, at):
            alert = self._office.alert(alert_id)
            try:
                self._office.log.append([alert.expire(TIMEKEEPER, at)], at=at)
            except (RefusedError, ConflictError):
                continue  # The board lags, or someone was faster: an update gave it time, or it ended.
            ended += 1
        return ended

    def issue(self, at: datetime) -> int:
        """Sends out the versions whose time has come; answers how many left the clock."""
        done = 0
        for alert_id in self._asked(board.scheduled, at):
            try:
                self._alerts.issue_due(TIMEKEEPER, alert_id, at=at)
            except (RefusedError, StaleError, ConflictError):
                continue  # The board lags, or someone was faster; what is due still is seen again.
            done += 1
        return done

    def _asked(
        self, question: Callable[[Connection[Any], datetime], list[UUID]], at: datetime
    ) -> list[UUID]:
        with self._pool.connection() as conn:
            return question(conn, at)
