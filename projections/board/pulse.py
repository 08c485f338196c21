"""What has changed on the board, without what it says."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

_RUNNING = """
SELECT alert_id, status, coalesce(stage, ''), position FROM board_alerts
WHERE status = 'live' OR (status IN ('cancelled', 'expired') AND changed_at > %s)
ORDER BY status = 'live' DESC, position DESC LIMIT %s
"""
_ONE = "SELECT alert_id, status, coalesce(stage, ''), position FROM board_alerts WHERE alert_id = %s"
_WORK = """
SELECT issuer_id, md5(string_agg(alert_id || ':' || position, ',' ORDER BY position)) FROM board_alerts
WHERE stage IS NOT NULL GROUP BY issuer_id
"""


@dataclass(frozen=True)
class Beat:
    """An alert as the board has it; `position` is that of its latest event."""

    alert_id: UUID
    status: str
    stage: str
    position: int


def running(conn: Connection[Any], since: datetime, limit: int) -> list[Beat]:
    """Those that are live, then those that ended after `since`; the newest first, at most `limit`."""
    return [Beat(*row) for row in conn.execute(_RUNNING, (since, limit))]


def one(conn: Connection[Any], alert_id: UUID) -> Beat | None:
    """This alert; None where the board does not have it yet."""
    row = conn.execute(_ONE, (alert_id,)).fetchone()
    return Beat(*row) if row else None


def work_marks(conn: Connection[Any]) -> dict[str, str]:
    """For each body with alerts in work a mark, which is another one whenever any of them changes."""
    return dict(conn.execute(_WORK).fetchall())
