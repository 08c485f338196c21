"""What carriers took and said, and what bodies spent."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from psycopg import Connection


@dataclass(frozen=True)
class Carried:
    """One version of an alert through one provider.

    `accepted` is what it took; the others are what it said later, of a part of those.
    """

    version: int
    provider: str
    accepted: int
    delivered: int
    failed: int
    expired: int


_OF_ALERT = """
SELECT version, provider, accepted, delivered, failed, expired FROM sms_carried
WHERE alert_id = %s ORDER BY version, provider
"""
_SPENT = """
SELECT s.alert_id, s.version, s.segments, s.vnd FROM sms_spent s JOIN sms_issuers i USING (alert_id)
WHERE s.day = %s AND i.issuer_id = %s
"""


def of_alert(conn: Connection[Any], alert_id: UUID) -> list[Carried]:
    """Every version and provider of an alert."""
    return [Carried(*row) for row in conn.execute(_OF_ALERT, (alert_id,))]


def spent(conn: Connection[Any], issuer_id: str, day: date) -> dict[tuple[UUID, int], tuple[int, int]]:
    """Segments and VND that a body's versions took on a day of Hanoi's calendar."""
    rows = conn.execute(_SPENT, (day, issuer_id))
    return {(alert_id, version): (segments, vnd) for alert_id, version, segments, vnd in rows}
