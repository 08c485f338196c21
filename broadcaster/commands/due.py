"""What the clock brings about: alerts that end, and versions whose time to go out has come."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg import Connection
from psycopg_pool import ConnectionPool

from broadcaster.commands.alerts import AlertCommands
from broadcaster.log import ConflictError
from broadcaster.office import Office
from broadcaster.rules import RefusedError
from projections.board import view as board
from schemas.events import Actor

Question = Callable[[Connection[Any], datetime], list[UUID]]
"""What is due at an instant."""

log = structlog.get_logger(__name__)

TIMEKEEPER = Actor(account="system:timekeeper")


class Due:
    """Asks the board what is due and the aggregate whether it is: the board may lag. Safe to repeat."""

    def __init__(self, pool: ConnectionPool[Any], office: Office, alerts: AlertCommands) -> None:
        self._pool, self._office, self._alerts = pool, office, alerts

    def keep(self, at: datetime) -> int:
        """Both. An update goes out before its alert is ended, which it may give more time."""
        return self.issue(at) + self.expire(at)

    def expire(self, at: datetime) -> int:
        """Ends the live alerts whose time is up; answers how many."""

        def end(alert_id: UUID) -> None:
            self._office.log.append([self._office.alert(alert_id).expire(TIMEKEEPER, at)], at=at)

        return self._each(board.due, end, at)

    def issue(self, at: datetime) -> int:
        """Sends out the versions whose time has come; answers how many left the clock."""

        def send(alert_id: UUID) -> None:
            self._alerts.issue_due(TIMEKEEPER, alert_id, at=at)

        return self._each(board.scheduled, send, at)

    def _each(self, question: Question, do: Callable[[UUID], None], at: datetime) -> int:
        done = 0
        with self._pool.connection() as conn:
            asked = question(conn, at)
        for alert_id in asked:
            try:
                do(alert_id)
            except (RefusedError, ConflictError):
                continue  # The board lags, or someone was faster; what is due still is seen again.
            except psycopg.Error:
                raise
            except Exception:
                # One that cannot be read, say, as a newer house wrote it: the others are due too.
                log.exception("due_stumbled", alert=str(alert_id))
                continue
            done += 1
        return done
