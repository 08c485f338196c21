"""Reminders from decision to outcome: an event, a claim before the send, an event of what became of it.

A crash at any step leaves one of these behind, and what follows is:

    decided, not claimed        sent by whoever looks next
    claimed, no data sent       claimed again once the lease is over
    data begun, no answer kept  `unknown`: it may have been accepted, and is never sent again
    answer kept                 nothing left to do

So the mail server sees each id once, or, after a crash in the one moment between the data and its
answer, at most once; that moment is in the log as `unknown`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg import errors
from psycopg_pool import ConnectionPool

from broadcaster.duty.notices import REMINDER, notices
from broadcaster.log import AlertLog, Ground, racing
from channels.pace import backoff
from projections.cadence.view import BodyCadence, CadenceBook
from schemas.events import Event, ReminderDue, ReminderSent

REMINDERS_DDL = """
CREATE TABLE IF NOT EXISTS reminder_mail (
    id uuid PRIMARY KEY,
    position bigint NOT NULL,
    decided_at timestamptz NOT NULL,
    payload bytea NOT NULL,
    next_at timestamptz NOT NULL,
    attempts int NOT NULL DEFAULT 0,
    claim uuid,
    claimed_at timestamptz,
    sending boolean NOT NULL DEFAULT false,
    outcome text
);
CREATE INDEX IF NOT EXISTS reminder_mail_open ON reminder_mail (next_at) WHERE outcome IS NULL;
"""

LEASE = timedelta(minutes=10)
"""After so long a claim is that of a sender who died: a try takes three minutes at the most."""
GIVE_UP = timedelta(days=3)
"""A mail server that refuses for so long is not going to take it."""
FIRST, LONGEST = 30.0, 900.0
"""Seconds between tries."""

_INSERT = """
INSERT INTO reminder_mail (id, position, decided_at, payload, next_at) VALUES (%s, %s, %s, %s, %s)
"""
_CLAIM = """
UPDATE reminder_mail SET claim = %(claim)s, claimed_at = %(at)s, sending = false
WHERE id IN (
    SELECT id FROM reminder_mail
    WHERE outcome IS NULL AND claim IS NULL AND next_at <= %(at)s
    ORDER BY position LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
RETURNING id, position, decided_at, payload, attempts
"""
_SENDING = "UPDATE reminder_mail SET sending = true WHERE id = %s AND claim = %s AND outcome IS NULL"
_LATER = """
UPDATE reminder_mail SET claim = NULL, sending = false, attempts = attempts + 1, next_at = %s
WHERE id = %s AND claim = %s AND outcome IS NULL
"""
_DONE = "UPDATE reminder_mail SET outcome = %s WHERE id = %s AND claim = %s AND outcome IS NULL"
_RELEASE = """
UPDATE reminder_mail SET claim = NULL
WHERE outcome IS NULL AND NOT sending AND claimed_at < %(old)s AND claim IS NOT NULL
"""
_DEAD = "SELECT id, claim FROM reminder_mail WHERE outcome IS NULL AND sending AND claimed_at < %(old)s"


class LostClaimError(Exception):
    """Another sender took the reminder over: nothing may be sent."""


@dataclass(frozen=True)
class Claim:
    """A reminder that is ours to send."""

    id: UUID
    token: UUID
    decided_at: datetime
    notice: ReminderDue
    attempts: int


class Reminders:
    """Of one log. Any number may run, in any process: each notice is decided once and claimed by one."""

    def __init__(self, pool: ConnectionPool[Any], log: AlertLog, book: CadenceBook, office: str) -> None:
        self._pool, self._log, self._book = pool, log, book
        self.office = office

    def standing(self, at: datetime) -> list[BodyCadence]:
        """How all bodies stand, by the view."""
        with self._pool.connection() as conn:
            return self._book.standing(conn, at)

    def decide(self, at: datetime) -> int:
        """Writes down every notice whose time has come and that is not written yet; answers how many.

        The view must have come to the log's end, or a body that has just issued is told it has not.
        """
        wanted = notices(self.standing(at), self.office, at)
        return self.write(wanted, at)

    def known(self, notices: Sequence[ReminderDue]) -> list[ReminderDue]:
        """Those that are written."""
        with self._pool.connection() as conn:
            ids = [one.originator_id for one in notices]
            found = conn.execute("SELECT id FROM reminder_mail WHERE id = ANY(%s)", (ids,)).fetchall()
        written = {row[0] for row in found}
        return [one for one in notices if one.originator_id in written]

    def write(self, wanted: Sequence[ReminderDue], at: datetime, ground: Ground | None = None) -> int:
        """Writes down those of the notices that are not written yet; answers how many.

        Raises ConflictError where an event was added to the `ground` on which a person asked for them.
        """
        with racing(), self._pool.connection() as conn, conn.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM reminder_mail WHERE id = ANY(%s)", ([one.originator_id for one in wanted],)
            )
            known = {row[0] for row in cursor}
            new = [one for one in wanted if one.originator_id not in known]
            if not new:
                return 0
            try:
                last = self._log.append_in(cursor, new, at, ground)
                first = last - len(new) + 1
                rows = [
                    (one.originator_id, position, at, one.payload(), at)
                    for position, one in enumerate(new, first)
                ]
                cursor.executemany(_INSERT, rows)
            except errors.UniqueViolation:
                conn.rollback()  # Another instance was faster; what is left is found at the next look.
                return 0
        return len(new)

    def claim(self, at: datetime, most: int = 20) -> list[Claim]:
        """Takes reminders that are due to be sent, the oldest first."""
        token = uuid4()
        with self._pool.connection() as conn:
            rows = conn.execute(_CLAIM, {"claim": token, "at": at, "most": most}).fetchall()
        claims: list[Claim] = []
        for id_, _, decided_at, payload, attempts in sorted(rows, key=lambda row: row[1]):
            event = Event.load(ReminderDue.TOPIC, id_, 1, payload)
            assert isinstance(event, ReminderDue)
            claims.append(Claim(id_, token, decided_at, event, attempts))
        return claims

    def sending(self, claim: Claim) -> None:
        """Notes that the data is about to go. Raises LostClaimError."""
        with self._pool.connection() as conn:
            if conn.execute(_SENDING, (claim.id, claim.token)).rowcount != 1:
                raise LostClaimError(str(claim.id))

    def later(self, claim: Claim, at: datetime) -> None:
        """Puts it back for another try."""
        wait = timedelta(seconds=backoff(claim.attempts, FIRST, LONGEST))
        with self._pool.connection() as conn:
            conn.execute(_LATER, (at + wait, claim.id, claim.token))

    def done(
        self, claim: Claim, outcome: str, at: datetime, *, recipients: int = 0, detail: str = ""
    ) -> None:
        """Writes down what became of it, in one transaction with the event."""
        self._finish(claim.id, claim.token, outcome, at, recipients, detail)

    def recover(self, at: datetime) -> int:
        """Takes care of what senders left behind that died; answers how many became `unknown`."""
        old = {"old": at - LEASE}
        with self._pool.connection() as conn:
            conn.execute(_RELEASE, old)
            dead = conn.execute(_DEAD, old).fetchall()
        for id_, token in dead:
            self._finish(id_, token, "unknown", at, 0, "the sender died before it noted the answer")
        return len(dead)

    def _finish(  # noqa: PLR0917 (the outcome, whole)
        self, id_: UUID, token: UUID, outcome: str, at: datetime, recipients: int, detail: str
    ) -> None:
        event = ReminderSent(
            originator_id=id_,
            originator_version=2,
            by=REMINDER,
            outcome=outcome,
            recipients=recipients,
            detail=detail,
        )
        with self._pool.connection() as conn, conn.cursor() as cursor:
            if cursor.execute(_DONE, (outcome, id_, token)).rowcount == 1:
                self._log.append_in(cursor, [event], at)
