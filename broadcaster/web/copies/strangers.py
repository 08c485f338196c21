"""Whether an alert exists at all: everyone who asks in one moment is answered by one question."""

import asyncio
from typing import Any
from uuid import UUID

from psycopg_pool import ConnectionPool

_MOST = 2_000
"""Ids in one question."""
_KNOWN = """
SELECT id FROM unnest(%s::uuid[]) AS asked (id)
WHERE EXISTS (SELECT FROM events WHERE originator_id = id)
"""


class Strangers:
    """Belongs to the event loop."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool
        self._waiting: dict[UUID, asyncio.Future[bool]] = {}
        self._task: asyncio.Task[None] | None = None
        self.questions = 0
        """How often the database was asked."""

    async def knows(self, alert_id: UUID) -> bool:
        """Whether the log has such a stream, whatever it holds. Raises psycopg's errors."""
        answer = self._waiting.get(alert_id)
        if answer is None:
            answer = self._waiting[alert_id] = asyncio.get_running_loop().create_future()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._ask())
        return await asyncio.shield(answer)

    async def _ask(self) -> None:
        while self._waiting:
            ids = list(self._waiting)[:_MOST]
            asked = {each: self._waiting.pop(each) for each in ids}
            try:
                known = await asyncio.to_thread(self._known, ids)
            except Exception as error:  # noqa: BLE001 (each who waits is told; whoever awaits raises it)
                for answer in asked.values():
                    if not answer.done():
                        answer.set_exception(error)
                        answer.exception()  # Who waited may have left.
                continue
            for alert_id, answer in asked.items():
                if not answer.done():
                    answer.set_result(alert_id in known)

    def _known(self, ids: list[UUID]) -> set[UUID]:
        self.questions += 1
        with self._pool.connection() as conn:
            return {row[0] for row in conn.execute(_KNOWN, (ids,))}
