"""The ledger of dispatches under way, and the desk that hands a worker what it needs.

A row stands from the first claim of a dispatch to its receipt. It holds what is known of each rank, and
who is in doubt: written before they are sent to, so that a worker that dies leaves no other in doubt.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

from broadcaster.alert import Alert
from broadcaster.delivery.canary import CanaryPhone
from broadcaster.delivery.noted import packed, unpacked
from broadcaster.delivery.recent import Recent
from broadcaster.issuer import Issuer
from broadcaster.lifecycle import Life
from broadcaster.log import AlertLog, at_once
from broadcaster.office import Office
from broadcaster.process.patience import patiently
from broadcaster.registry.subscribers import Registry
from channels.desk import Claim, HoldLostError
from channels.gateway import TOPIC, Message, Recipient, Result
from projections.fanout.order import RankOrder
from schemas.content import MsgType
from schemas.dispatch import Dispatch, Outcome, Receipt
from schemas.events import Actor, ReceiptRecorded
from schemas.ids import audience_id, dispatch_id, issuer_stream

LEDGER_DDL = """
CREATE TABLE IF NOT EXISTS ledger (
    dispatch_id uuid PRIMARY KEY,
    claims int NOT NULL,
    claimed_at timestamptz NOT NULL,
    noted jsonb NOT NULL DEFAULT '[]',
    sending int[] NOT NULL DEFAULT '{}',
    via text NOT NULL DEFAULT '',
    alert_id uuid,
    version int,
    channel text
);
ALTER TABLE ledger ADD COLUMN IF NOT EXISTS via text NOT NULL DEFAULT '';
ALTER TABLE ledger ADD COLUMN IF NOT EXISTS alert_id uuid;
ALTER TABLE ledger ADD COLUMN IF NOT EXISTS version int;
ALTER TABLE ledger ADD COLUMN IF NOT EXISTS channel text;
"""
_CLAIM = """
INSERT INTO ledger (dispatch_id, claims, claimed_at, alert_id, version, channel)
VALUES (%s, 1, %s, %s, %s, %s)
ON CONFLICT (dispatch_id) DO UPDATE SET claims = ledger.claims + 1, claimed_at = excluded.claimed_at
RETURNING claims, noted, sending, via
"""
_AHEAD = """
SELECT EXISTS (SELECT 1 FROM ledger WHERE alert_id = %s AND version < %s AND channel = %s)
"""
_PROGRESS = """
UPDATE ledger SET noted = noted || %s, sending = %s, via = %s WHERE dispatch_id = %s AND claims = %s
"""
_FORGET = "DELETE FROM ledger WHERE dispatch_id = %s"
_END = "DELETE FROM ledger WHERE dispatch_id = %s AND claims = %s RETURNING claims"
_NOTE = "UPDATE ledger SET noted = noted || %s WHERE dispatch_id = %s"
AUDIENCES_KEPT = 16
"""A city's takes some 2 MB."""
ALERTS_KEPT = 256

ReadAudience = Callable[[UUID], RankOrder]
"""Who has which rank in a frozen audience. Raises LookupError."""


def _what(dispatch: Dispatch) -> tuple[UUID, int, str]:
    return dispatch.alert_id, dispatch.version, dispatch.channel.value


class Ledger:
    """The desk of the workers (channels/desk.py), on the database. Thread-safe.

    While the database is away it asks again for a while: who gives up has a dispatch begun for nothing, or
    answers that are nowhere written, and sends again.
    """

    def __init__(
        self,
        pool: ConnectionPool[Any],
        log: AlertLog,
        office: Office,
        registry: Registry,
        audience: ReadAudience,
        *,
        canary: CanaryPhone | None = None,
    ) -> None:
        self._pool, self._log, self._office, self._registry = pool, log, office, registry
        self._read_audience = audience
        self._canary = canary or CanaryPhone({})
        self._audiences = Recent[UUID, RankOrder](AUDIENCES_KEPT)
        self._alerts = Recent[UUID, Alert](ALERTS_KEPT)
        self._issuers = Recent[str, Issuer](ALERTS_KEPT)

    def claim(self, dispatch: Dispatch, at: datetime) -> Claim:
        """Holds the dispatch; done where its receipt is in the log."""
        return patiently(lambda: self._claim(dispatch, at))

    def _claim(self, dispatch: Dispatch, at: datetime) -> Claim:
        with at_once(self._pool) as conn, conn.cursor() as cursor:
            row = cursor.execute(_CLAIM, (dispatch.id, at, *_what(dispatch))).fetchone()
            # Asked behind the claim: who closed it before that took away what is noted, but left this.
            if self._log.has(dispatch.id, cursor):
                cursor.execute(_FORGET, (dispatch.id,))
                return Claim(done=True, claims=0, noted=(), in_doubt=frozenset())
        assert row is not None
        noted = unpacked(row[1])
        known = {result.rank for result in noted}
        return Claim(done=False, claims=row[0], noted=noted, in_doubt=frozenset(row[2]) - known, via=row[3])

    def message(self, dispatch: Dispatch) -> Message | None:
        """What the dispatch's version says; None where it is no longer the alert's latest word."""
        if self._canary.knows(dispatch.alert_id):
            return self._canary.message(dispatch)
        return patiently(lambda: self._latest(dispatch))

    def _latest(self, dispatch: Dispatch) -> Message | None:
        alert = self._alert(dispatch.alert_id)
        if alert.life is Life.CANCELLED:
            withdrawn = alert.withdrawn
            if withdrawn is None or dispatch.version != withdrawn.version:
                return None
            return self._message(dispatch, alert, MsgType.CANCEL, withdrawn.sent, withdrawn.reason)
        if alert.issued is None or dispatch.version != alert.issued.version:
            return None
        kind = MsgType.UPDATE if dispatch.version > 1 else MsgType.ALERT
        return self._message(dispatch, alert, kind, alert.issued.sent, "")

    def _message(
        self, dispatch: Dispatch, alert: Alert, kind: MsgType, sent: datetime, reason: str
    ) -> Message:
        assert alert.issued is not None
        return Message(
            alert_id=alert.id,
            version=dispatch.version,
            msg_type=kind,
            lane=dispatch.lane,
            issuer_name=self._issuer_name(alert.issuer_id),
            content=alert.issued.content,
            sent=sent,
            expires_at=dispatch.expires_at,
            reason=reason,
        )

    def ahead(self, dispatch: Dispatch) -> bool:
        """Whether an earlier version is under way. The ledger is short: it holds what is."""

        def read() -> bool:
            with at_once(self._pool) as conn:
                row = conn.execute(_AHEAD, _what(dispatch)).fetchone()
            return row is not None and row[0]

        return patiently(read)

    def withdraws_nothing(self, dispatch: Dispatch) -> bool:
        """A withdrawal of a first version: its slices are those of that version, rank for rank.

        Of later versions, and of one with a further wave, the slices differ, so then everyone is told:
        better once too often.
        """
        if dispatch.version != 2:  # noqa: PLR2004
            return False
        return patiently(lambda: self._was_nothing(dispatch))

    def _was_nothing(self, dispatch: Dispatch) -> bool:
        first = dispatch_id(dispatch.alert_id, 1, dispatch.channel, dispatch.first, 1)
        wave = audience_id(dispatch.alert_id, 1, dispatch.channel, 1)
        with at_once(self._pool) as conn, conn.cursor() as cursor:
            if self._log.has(wave, cursor):
                return False
            ended = self._log.event(cursor, first, 1)
            if ended is None:
                # Not claimed: when it is, it will be found to be superseded.
                row = cursor.execute("SELECT 1 FROM ledger WHERE dispatch_id = %s", (first,)).fetchone()
                return row is None and not self._log.has(first, cursor)
        assert isinstance(ended, ReceiptRecorded)
        unsent = ended.receipt.counts.keys() <= {Outcome.SUPERSEDED, Outcome.EXPIRED}
        return unsent and not ended.receipt.unknown

    def recipients(self, dispatch: Dispatch, ranks: Sequence[int]) -> list[Recipient]:
        """The addresses of these ranks; who left since is absent."""
        if self._canary.knows(dispatch.alert_id):
            return self._canary.recipients(dispatch)
        if dispatch.topic:
            topic = dispatch.topic
            return [Recipient(rank, 0, topic.name, TOPIC, "", topic.language) for rank in ranks]
        return patiently(lambda: self._present(dispatch, ranks))

    def _present(self, dispatch: Dispatch, ranks: Sequence[int]) -> list[Recipient]:
        ids = self._audience(dispatch.audience_id).ids(dispatch.first, dispatch.last)
        rank_of = {ids[rank - dispatch.first]: rank for rank in ranks}
        found = self._registry.addresses(dispatch.channel, list(rank_of))
        return sorted(
            Recipient(rank_of[a.id], a.id, a.address, a.kind, a.platform, a.locale) for a in found
        )

    def progress(
        self, dispatch: Dispatch, hold: int, noted: Sequence[Result], sending: Sequence[int], via: str = ""
    ) -> None:
        """Notes results, and who is in doubt from now on, and through whom. Raises HoldLostError."""

        def write() -> int:
            with at_once(self._pool) as conn:
                given = (Jsonb(packed(noted)), list(sending), via, dispatch.id, hold)
                return conn.execute(_PROGRESS, given).rowcount

        if not patiently(write):
            raise HoldLostError(f"claim {hold} of {dispatch.id}")

    def note(self, some: Sequence[tuple[Dispatch, Sequence[Result]]]) -> None:
        """Notes results of dispatches under way; those with a receipt meanwhile need none."""
        with self._pool.connection() as conn, conn.cursor() as cursor:
            cursor.executemany(_NOTE, [(Jsonb(packed(noted)), dispatch.id) for dispatch, noted in some])

    def close(self, receipt: Receipt, hold: int, gone: Sequence[Recipient], at: datetime) -> None:
        """Appends the receipt, clears the row, then forgets the addresses that are gone.

        Raises HoldLostError where another worker claimed it meanwhile: the receipt is that one's to write.
        """
        dispatch = receipt.dispatch
        event = ReceiptRecorded(
            originator_id=dispatch.id,
            originator_version=1,
            by=Actor(account=f"system:worker:{dispatch.channel}"),
            receipt=receipt,
        )

        def write() -> bool:
            if self._log.append_where(_END, (dispatch.id, hold), [event], at):
                return True
            # What was lost may have been the answer: asked again, the row is gone for our own receipt.
            with at_once(self._pool) as conn, conn.cursor() as cursor:
                return self._log.event(cursor, dispatch.id, 1) == event

        if not patiently(write):
            raise HoldLostError(f"claim {hold} of {dispatch.id}")
        if gone:
            addresses = [(recipient.id, recipient.address) for recipient in gone]
            patiently(lambda: self._registry.erase_addresses(dispatch.channel, addresses))

    def _alert(self, alert_id: UUID) -> Alert:
        """The alert as it is now; of one seen before only what is new is read."""
        known = self._alerts.get(alert_id)
        if known is None:
            now = self._office.alert(alert_id)
        else:
            now = self._log.forward(alert_id, Alert.fold, known)
        self._alerts.put(alert_id, now)
        return now

    def _issuer_name(self, issuer_id: str) -> str:
        known = self._issuers.get(issuer_id)
        if known is None:
            known = self._office.issuer(issuer_id)
        else:
            known = self._log.forward(issuer_stream(issuer_id), Issuer.fold, known)
        self._issuers.put(issuer_id, known)
        return known.name

    def _audience(self, audience_id: UUID) -> RankOrder:
        order = self._audiences.get(audience_id)
        if order is None:
            order = self._read_audience(audience_id)
            self._audiences.put(audience_id, order)
        return order
