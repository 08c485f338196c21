"""What screens say they showed, and how often: rows, not events, for a screen shows an alert all day."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from psycopg_pool import ConnectionPool

from schemas.screen_requests import PlayCount

PLAYS_DDL = """
CREATE TABLE IF NOT EXISTS screen_plays (
    alert_id uuid NOT NULL,
    version int NOT NULL,
    screen_id uuid NOT NULL,
    plays bigint NOT NULL,
    seconds bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (alert_id, version, screen_id)
);
CREATE INDEX IF NOT EXISTS screen_plays_screen ON screen_plays (screen_id, last_at);
CREATE TABLE IF NOT EXISTS screen_play_batches (
    screen_id uuid NOT NULL,
    batch uuid NOT NULL,
    taken_at timestamptz NOT NULL,
    PRIMARY KEY (screen_id, batch)
);
CREATE INDEX IF NOT EXISTS screen_play_batches_taken ON screen_play_batches (taken_at);
"""

REMEMBERED = timedelta(days=7)
"""How long a batch is known by its id: a screen that was offline longer counts it anew."""

_ADD = """
INSERT INTO screen_plays AS p VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (alert_id, version, screen_id) DO UPDATE SET
    plays = p.plays + excluded.plays,
    seconds = p.seconds + excluded.seconds,
    first_at = least(p.first_at, excluded.first_at),
    last_at = greatest(p.last_at, excluded.last_at)
"""


class Played(NamedTuple):
    """How often a version was on at one screen."""

    alert_id: UUID
    version: int
    plays: int
    seconds: int
    first_at: datetime
    last_at: datetime


class Plays:
    """The counts, in their table."""

    def __init__(self, pool: ConnectionPool[Any], is_alert: Callable[[UUID], bool]) -> None:
        self._pool, self._is_alert = pool, is_alert

    def take(self, screen_id: UUID, batch: UUID, plays: Sequence[PlayCount], at: datetime) -> int | None:
        """Adds a batch; answers how many lines were of alerts we know, None where it was taken before."""
        known = {alert_id for alert_id in {one.alert_id for one in plays} if self._is_alert(alert_id)}
        rows = [
            (one.alert_id, one.version, screen_id, one.plays, one.seconds, one.first_at, one.last_at)
            for one in plays
            if one.alert_id in known
        ]
        with self._pool.connection() as conn:
            conn.execute("DELETE FROM screen_play_batches WHERE taken_at < %s", (at - REMEMBERED,))
            taken = conn.execute(
                "INSERT INTO screen_play_batches VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (screen_id, batch, at),
            )
            if taken.rowcount != 1:
                return None
            conn.cursor().executemany(_ADD, rows)
        return len(rows)

    def of_alert(self, alert_id: UUID) -> dict[int, tuple[int, int]]:
        """By version: how often it was shown in all, and for how many seconds."""
        query = (
            "SELECT version, sum(plays)::bigint, sum(seconds)::bigint FROM screen_plays"
            " WHERE alert_id = %s GROUP BY version"
        )
        with self._pool.connection() as conn:
            return {
                version: (plays, seconds) for version, plays, seconds in conn.execute(query, (alert_id,))
            }

    def of_screen(self, screen_id: UUID, most: int = 20) -> list[Played]:
        """The versions that were on there, the last one first."""
        query = (
            "SELECT alert_id, version, plays, seconds, first_at, last_at FROM screen_plays"
            " WHERE screen_id = %s ORDER BY last_at DESC LIMIT %s"
        )
        with self._pool.connection() as conn:
            return [
                Played(alert_id, version, plays, seconds, first.astimezone(UTC), last.astimezone(UTC))
                for alert_id, version, plays, seconds, first, last in conn.execute(query, (screen_id, most))
            ]
