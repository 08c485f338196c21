"""Testers: the subscribers that exercises and tests are sent to, and no one else."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg import Cursor
from psycopg_pool import ConnectionPool

Note = Callable[[Cursor[Any]], None]
"""What is done in the same transaction where anything was changed: an event, say."""
TESTERS_DDL: LiteralString = """
CREATE TABLE IF NOT EXISTS testers (
    subscriber_id bigint PRIMARY KEY REFERENCES subscribers ON DELETE CASCADE,
    since timestamptz NOT NULL
);
"""
_ADD: LiteralString = """
INSERT INTO testers SELECT id, %s FROM subscribers WHERE device_id = %s ON CONFLICT DO NOTHING
"""
_REMOVE: LiteralString = """
DELETE FROM testers USING subscribers s WHERE s.id = testers.subscriber_id AND s.device_id = %s
"""
_LIST: LiteralString = """
SELECT s.device_id FROM testers t JOIN subscribers s ON s.id = t.subscriber_id
WHERE s.home = ANY(%s) ORDER BY t.since, s.id
"""


class Testers:
    """Who takes part in exercises and tests: staff and volunteers, by the ids of their devices."""

    _pool: ConnectionPool[Any]

    def add_tester(self, device_id: UUID, at: datetime, note: Note | None = None) -> bool:
        """Makes a device a tester; False where it is one, or is unknown."""
        return self._do(_ADD, (at, device_id), note)

    def remove_tester(self, device_id: UUID, note: Note | None = None) -> bool:
        """Makes it an ordinary device again; False where it is."""
        return self._do(_REMOVE, (device_id,), note)

    def _do(self, query: LiteralString, given: tuple[object, ...], note: Note | None) -> bool:
        with self._pool.connection() as conn:
            cursor = conn.execute(query, given)
            done = cursor.rowcount == 1
            if done and note is not None:
                note(cursor)
        return done

    def testers(self, homes: list[str]) -> list[UUID]:
        """The testers who live in these areas, the oldest first."""
        with self._pool.connection() as conn:
            return [row[0] for row in conn.execute(_LIST, (homes,))]
