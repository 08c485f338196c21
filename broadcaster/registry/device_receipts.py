"""What phones report of an alert: shown, opened. Rows of the registry, erased with their subscriber."""

from datetime import datetime
from typing import Any, Literal, LiteralString, NamedTuple
from uuid import UUID

from psycopg_pool import ConnectionPool

DEVICE_RECEIPTS_DDL: LiteralString = """
CREATE TABLE IF NOT EXISTS device_receipts (
    alert_id uuid NOT NULL,
    version int NOT NULL CHECK (version >= 1),
    subscriber_id bigint NOT NULL REFERENCES subscribers ON DELETE CASCADE,
    shown_at timestamptz NOT NULL,
    opened_at timestamptz,
    PRIMARY KEY (alert_id, version, subscriber_id)
);
CREATE INDEX IF NOT EXISTS device_receipts_subscriber ON device_receipts (subscriber_id);
"""

# What was opened was shown. The first report of each stands, whatever comes after it.
_NOTE: LiteralString = """
INSERT INTO device_receipts AS noted (alert_id, version, subscriber_id, shown_at, opened_at)
SELECT %(alert_id)s, %(version)s, id, %(at)s, CASE WHEN %(opened)s THEN %(at)s END
FROM subscribers WHERE device_id = %(device_id)s FOR KEY SHARE
ON CONFLICT (alert_id, version, subscriber_id)
DO UPDATE SET opened_at = coalesce(noted.opened_at, excluded.opened_at)
"""

DeviceEvent = Literal["shown", "opened"]


class DeviceCounts(NamedTuple):
    """Phones that showed any version of an alert, and that were tapped to open it."""

    shown: int
    opened: int


class DeviceReceipts:
    """Notes and counts what phones report."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool

    def note(self, device_id: UUID, alert_id: UUID, version: int, event: DeviceEvent, at: datetime) -> bool:
        """Notes a report; a repeat changes nothing. False where the device is not registered."""
        facts = {"device_id": device_id, "alert_id": alert_id, "version": version, "at": at}
        with self._pool.connection() as connection:
            return connection.execute(_NOTE, facts | {"opened": event == "opened"}).rowcount == 1

    def device_counts(self, alert_id: UUID) -> DeviceCounts:
        """How many phones showed and opened the alert, each once for all versions."""
        query = (
            "SELECT count(DISTINCT subscriber_id),"
            " count(DISTINCT subscriber_id) FILTER (WHERE opened_at IS NOT NULL)"
            " FROM device_receipts WHERE alert_id = %s"
        )
        with self._pool.connection() as connection:
            row = connection.execute(query, (alert_id,)).fetchone()
        assert row is not None
        return DeviceCounts(*row)
