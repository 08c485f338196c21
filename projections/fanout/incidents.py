"""One push for each device and incident: who is spared an alert because a graver one of it is theirs.

Alerts that name the same incident are about the same thing. Who is in the audience of a live one that
is graver is not sent the lesser one on that channel. Of two as grave the first one out is theirs, but
not on the emergency lane: a second emergency is worth a second push. Nobody is spared an update of what
they got. The rule is asked once, when an audience is fixed, and how many it spared is a fact of it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg import Connection, Cursor

from projections.projection import Row
from schemas.content import Content, Lane, Mode, Severity
from schemas.events import AlertCancelled, AlertIssued

INCIDENTS_DDL = """
CREATE TABLE IF NOT EXISTS fanout_incidents (
    alert_id uuid PRIMARY KEY,
    incident text NOT NULL,
    version int NOT NULL,
    severity text NOT NULL,
    mode text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS fanout_incidents_incident ON fanout_incidents (incident);
"""
_OF = """
SELECT alert_id, incident, version, severity, mode, expires_at FROM fanout_incidents WHERE incident = %s
"""
_GRAVITY = {
    severity: gravity
    for gravity, severity in enumerate(
        (Severity.UNKNOWN, Severity.MINOR, Severity.MODERATE, Severity.SEVERE, Severity.EXTREME)
    )
}


class Standing(NamedTuple):
    """An alert of an incident: its latest version, and until when it holds."""

    alert_id: UUID
    incident: str
    version: int
    severity: Severity
    mode: Mode
    expires_at: datetime

    def spares(self, alert_id: UUID, content: Content, at: datetime) -> bool:
        """Whether its recipients need not be sent this content of another alert, going out at `at`."""
        if alert_id == self.alert_id or content.incident != self.incident or content.mode is not self.mode:
            return False
        if at >= self.expires_at:
            return False
        here, there = _GRAVITY[content.severity], _GRAVITY[self.severity]
        return there > here or (there == here and content.lane is not Lane.EMERGENCY)


def of(conn: Connection[Row] | Cursor[Row], incident: str) -> list[Standing]:
    """The alerts of the incident that were not withdrawn, as far as the view has followed."""
    return [
        Standing(alert, name, version, Severity(severity), Mode(mode), expires)
        for alert, name, version, severity, mode, expires in conn.execute(_OF, (incident,)).fetchall()
    ]


def sparing(
    standings: Iterable[Standing], alert_id: UUID, content: Content, at: datetime
) -> list[Standing]:
    """Those whose recipients are spared the content, the gravest first."""
    found = [each for each in standings if each.spares(alert_id, content, at)]
    return sorted(found, key=lambda each: (-_GRAVITY[each.severity], each.alert_id))


class Incidents:
    """The alerts of incidents as a page leaves them; asked meanwhile, it knows the page so far."""

    def __init__(self, cursor: Cursor[Row]) -> None:
        self._cursor = cursor
        self._changed: dict[UUID, Standing | None] = {}

    def issued(self, event: AlertIssued) -> None:
        """A version of an alert stands, and of no incident where it names none."""
        incident, content = event.content.incident, event.content
        self._changed[event.originator_id] = (
            incident
            and Standing(
                event.originator_id,
                incident,
                event.version,
                content.severity,
                content.mode,
                event.expires_at,
            )
        ) or None

    def cancelled(self, event: AlertCancelled) -> None:
        """It stands no more."""
        self._changed[event.originator_id] = None

    def sparing(self, event: AlertIssued) -> Iterable[Standing]:
        """The alerts whose recipients are spared this one, the gravest first."""
        incident = event.content.incident
        if incident is None:
            return ()
        known = {each.alert_id: each for each in of(self._cursor, incident)} | self._changed
        return sparing(filter(None, known.values()), event.originator_id, event.content, event.effective_at)

    def write(self) -> None:
        """The page's changes."""
        if not self._changed:
            return
        self._cursor.execute(
            "DELETE FROM fanout_incidents WHERE alert_id = ANY(%s)", (list(self._changed),)
        )
        self._cursor.executemany(
            "INSERT INTO fanout_incidents VALUES (%s, %s, %s, %s, %s, %s)",
            [tuple(each) for each in self._changed.values() if each],
        )
