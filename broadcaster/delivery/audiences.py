"""The audiences that were fixed, for whoever sends to them or reckons what that costs."""

from typing import Any
from uuid import UUID

from psycopg import Cursor
from psycopg_pool import ConnectionPool

from broadcaster.log import AlertLog
from projections.fanout import view as fanout
from projections.fanout.order import RankOrder
from projections.projection import Row
from schemas.events import AudienceFrozen


class Audiences:
    """Read from the log where that is at hand, and from fanout's view."""

    def __init__(self, pool: ConnectionPool[Any], log: AlertLog) -> None:
        self._pool, self._log = pool, log

    def frozen(self, cursor: Cursor[Row], stream: UUID) -> AudienceFrozen | None:
        """The event that fixed it; None where there is none."""
        event = self._log.event(cursor, stream, 1)
        assert event is None or isinstance(event, AudienceFrozen)
        return event

    def count(self, audience_id: UUID) -> int:
        """Of its recipients. Raises LookupError."""
        return self._kept(audience_id).count

    def ranks(self, audience_id: UUID) -> RankOrder:
        """The order of its recipients. Raises LookupError."""
        return self._kept(audience_id).order

    def _kept(self, audience_id: UUID) -> fanout.FrozenAudience:
        with self._pool.connection() as conn:
            found = fanout.audience(conn, audience_id)
        if found is None:
            raise LookupError(f"no audience {audience_id} is known yet")
        return found
