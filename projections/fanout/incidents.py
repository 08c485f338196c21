"""One push for each device and incident: who is spared an alert because a graver one of it is theirs.

Alerts that name the same incident are about the same thing. Who is in the audience of a live one that
is graver is not sent the lesser one on that channel. Of two as grave the first one out is theirs, but
not on the emergency lane: a second emergency is worth a second push. Nobody is spared an update of what
they got. The rule is asked once, when an audience is fixed, and how many it spared is a fact of it. Once
the graver one is withdrawn, runs out or is graver no more, those it spared get the lesser one after all,
if that still holds (waves.py).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg import Connection, Cursor

from projections.projection import Row
from schemas.content import Content, Lane, Mode, Severity
from schemas.events import AlertCancelled, AlertExpired, AlertIssued, Event

INCIDENTS_DDL = """
CREATE TABLE IF NOT EXISTS fanout_incidents (
    alert_id uuid PRIMARY KEY,
    incident text NOT NULL,
    version int NOT NULL,
    severity text NOT NULL,
    mode text NOT NULL,
    expires_at timestamptz NOT NULL,
    issue bytea NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS fanout_incidents_incident ON fanout_incidents (incident);
"""
_OF = """
SELECT alert_id, incident, version, severity, mode, expires_at, issue FROM fanout_incidents
WHERE incident = %s
"""
_ITS = "SELECT incident FROM fanout_incidents WHERE alert_id = %s"
_WRITE = """
INSERT INTO fanout_incidents (alert_id, incident, version, severity, mode, expires_at, issue)
VALUES (%s, %s, %s, %s, %s, %s, %s)
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
    issue: bytes = b""
    """The event of the version, as the log keeps it; empty in rows of an older house."""

    def issued(self) -> AlertIssued | None:
        """That event."""
        if not self.issue:
            return None
        event = Event.load(AlertIssued.TOPIC, self.alert_id, 1, self.issue)
        assert isinstance(event, AlertIssued)
        return event

    def spares(self, alert_id: UUID, content: Content, at: datetime) -> bool:
        """Whether its recipients need not be sent this content of another alert, going out at `at`."""
        return at < self.expires_at and self.outranks(alert_id, content)

    def outranks(self, alert_id: UUID, content: Content) -> bool:
        """Whether it spares its recipients this content as long as it holds."""
        if alert_id == self.alert_id or content.incident != self.incident or content.mode is not self.mode:
            return False
        here, there = _GRAVITY[content.severity], _GRAVITY[self.severity]
        return there > here or (there == here and content.lane is not Lane.EMERGENCY)


class Relief(NamedTuple):
    """A version of an alert spares no more what it spared."""

    alert_id: UUID
    version: int
    at: datetime
    lesser: tuple[AlertIssued, ...] = ()
    """What it spared its recipients, and holds still; the gravest first."""


def of(conn: Connection[Row] | Cursor[Row], incident: str) -> list[Standing]:
    """The alerts of the incident that were not withdrawn, as far as the view has followed."""
    return [
        Standing(alert, name, version, Severity(severity), Mode(mode), expires, bytes(issue))
        for alert, name, version, severity, mode, expires, issue in conn.execute(
            _OF, (incident,)
        ).fetchall()
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

    def issued(self, event: AlertIssued) -> Relief | None:
        """A version of an alert stands, and of no incident where it names none.

        Answers what the version before it spared, and this one does not.
        """
        incident, content = event.content.incident, event.content
        stood = self._standing(event.originator_id) if event.version > 1 else None
        stands = self._changed[event.originator_id] = (
            incident
            and Standing(
                event.originator_id,
                incident,
                event.version,
                content.severity,
                content.mode,
                event.expires_at,
                event.payload(),
            )
        ) or None
        return stood and self._relief(stood, event.sent, stands)

    def cancelled(self, event: AlertCancelled) -> Relief | None:
        """It stands no more. Answers what it spared; None where it was of no incident."""
        stood = self._standing(event.originator_id)
        self._changed[event.originator_id] = None
        return stood and self._relief(stood, event.sent)

    def expired(self, event: AlertExpired) -> Relief | None:
        """It stands no more since its time was up. Answers what it spared; None where of no incident."""
        stood = self._standing(event.originator_id)
        self._changed[event.originator_id] = None
        return stood and self._relief(stood, stood.expires_at)

    def _relief(self, stood: Standing, at: datetime, stands: Standing | None = None) -> Relief:
        others = (each.issued() for each in self._of(stood.incident) if at < each.expires_at)
        found = [
            each
            for each in others
            if each
            and stood.outranks(each.originator_id, each.content)
            and not (stands and stands.spares(each.originator_id, each.content, at))
        ]
        found.sort(key=lambda each: (-_GRAVITY[each.content.severity], each.originator_id))
        return Relief(stood.alert_id, stood.version, at, tuple(found))

    def sparing(self, event: AlertIssued, at: datetime | None = None) -> Iterable[Standing]:
        """The alerts whose recipients are spared this one when it goes out, or `at`, the gravest first."""
        incident = event.content.incident
        if incident is None:
            return ()
        return sparing(
            self._of(incident), event.originator_id, event.content, event.effective_at if at is None else at
        )

    def _standing(self, alert_id: UUID) -> Standing | None:
        if alert_id in self._changed:
            return self._changed[alert_id]
        row = self._cursor.execute(_ITS, (alert_id,)).fetchone()
        found = of(self._cursor, row[0]) if row else ()
        return next((each for each in found if each.alert_id == alert_id), None)

    def _of(self, incident: str) -> list[Standing]:
        known = {each.alert_id: each for each in of(self._cursor, incident)} | self._changed
        return [each for each in known.values() if each and each.incident == incident]

    def write(self) -> None:
        """The page's changes."""
        if not self._changed:
            return
        self._cursor.execute(
            "DELETE FROM fanout_incidents WHERE alert_id = ANY(%s)", (list(self._changed),)
        )
        self._cursor.executemany(
            _WRITE,
            [tuple(each) for each in self._changed.values() if each],
        )
