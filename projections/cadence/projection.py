"""Keeps each obliged body, and each item it issued that counts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from projections.projection import Transaction
from projections.rows import storable
from schemas.content import MsgType
from schemas.events import (
    AlertCancelled,
    AlertIssued,
    IssuerClosed,
    IssuerMoved,
    IssuerRegistered,
    Recorded,
)

DDL = """
CREATE TABLE IF NOT EXISTS cadence_bodies (
    issuer_id text PRIMARY KEY,
    name text NOT NULL,
    level int NOT NULL,
    area text NOT NULL,
    parent text,
    duty_since timestamptz NOT NULL
);
ALTER TABLE cadence_bodies ADD COLUMN IF NOT EXISTS duty_until timestamptz;
CREATE TABLE IF NOT EXISTS cadence_items (
    alert_id uuid PRIMARY KEY,
    issuer_id text NOT NULL,
    issued_at timestamptz NOT NULL,
    taken_back boolean NOT NULL DEFAULT false
);
CREATE INDEX IF NOT EXISTS cadence_items_counted ON cadence_items (issuer_id, issued_at)
    WHERE NOT taken_back;
"""

# A body whose record is written anew keeps the day its duty began.
_BODY = """
INSERT INTO cadence_bodies (issuer_id, name, level, area, parent, duty_since)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (issuer_id) DO UPDATE
SET name = excluded.name, level = excluded.level, area = excluded.area, parent = excluded.parent
"""
_MOVED = "UPDATE cadence_bodies SET name = %s, level = %s, area = %s, parent = %s WHERE issuer_id = %s"
_CLOSED = "UPDATE cadence_bodies SET duty_until = %s WHERE issuer_id = %s"
_ITEM = """
INSERT INTO cadence_items (alert_id, issuer_id, issued_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""
_TAKE_BACK = "UPDATE cadence_items SET taken_back = true WHERE alert_id = ANY(%s)"


class Cadence:
    """The rows behind "at least one item every 3 days".

    An item is the first issue of an alert, of either kind; its updates are the same item. One that
    was withdrawn because it should never have been issued is taken back, and so is not counted. It is
    of the body that spoke, CAP's sender: what a body left open its successor issues, and counts.
    The duty of a body ends with it; its successors have theirs.
    """

    name = "cadence"
    topics = frozenset(
        {
            IssuerRegistered.TOPIC,
            IssuerMoved.TOPIC,
            IssuerClosed.TOPIC,
            AlertIssued.TOPIC,
            AlertCancelled.TOPIC,
        }
    )
    ddl = DDL
    tables: tuple[str, ...] = ("cadence_bodies", "cadence_items")

    def apply(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        """Folds a page. An item is always issued before it is taken back, so the order of writes holds."""
        bodies: list[tuple[str, str, int, str, str | None, datetime]] = []
        items: list[tuple[UUID, str, datetime]] = []
        taken_back: list[UUID] = []
        changed: list[IssuerMoved | IssuerClosed] = []
        for _, recorded_at, event in page:
            match event:
                case IssuerRegistered(issuer_id=body, name=name, level=level, area=area, parent=parent):
                    bodies.append((body, storable(name), level, area, parent, recorded_at))
                case IssuerMoved() | IssuerClosed():
                    changed.append(event)
                case AlertIssued(originator_id=alert_id, sender=sender, msg_type=MsgType.ALERT):
                    items.append((alert_id, sender.partition("@")[0], recorded_at))
                case AlertCancelled(originator_id=alert_id, in_error=True):
                    taken_back.append(alert_id)
                case _:
                    pass
        if bodies:
            tx.cursor.executemany(_BODY, bodies)
        _change(tx, changed)
        if items:
            tx.cursor.executemany(_ITEM, items)
        if taken_back:
            tx.cursor.execute(_TAKE_BACK, (taken_back,))


def _change(tx: Transaction, changed: Sequence[IssuerMoved | IssuerClosed]) -> None:
    moved = [one for one in changed if isinstance(one, IssuerMoved)]
    closed = [one for one in changed if isinstance(one, IssuerClosed)]
    if moved:
        rows = [(storable(one.name), one.level, one.area, one.parent, one.issuer_id) for one in moved]
        tx.cursor.executemany(_MOVED, rows)
    if closed:
        tx.cursor.executemany(_CLOSED, [(one.effective_at, one.issuer_id) for one in closed])
