"""Keeps what the duty is judged by: facts about bodies and terms, and every item that went out."""

from collections.abc import Sequence
from typing import Any, LiteralString
from uuid import UUID

from projections.cadence.ledger import FACTS
from projections.projection import Transaction
from projections.rows import storable
from schemas.content import Mode, MsgType
from schemas.events import AlertCancelled, AlertIssued, AreaRegisterAdopted, Event, Recorded

# Rows of an earlier make hold too little: the log is folded again.
DDL = """
DO $$ BEGIN
    IF to_regclass('cadence_items') IS NOT NULL THEN
        DROP TABLE cadence_items, cadence_bodies;
        DELETE FROM projection_positions WHERE name = 'cadence';
    END IF;
END $$;
CREATE TABLE IF NOT EXISTS cadence_facts (
    position bigint PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    topic text NOT NULL,
    stream uuid NOT NULL,
    version bigint NOT NULL,
    payload bytea NOT NULL
);
CREATE TABLE IF NOT EXISTS cadence_sends (
    alert_id uuid NOT NULL,
    version int NOT NULL,
    issuer_id text NOT NULL,
    issued_at timestamptz NOT NULL,
    first boolean NOT NULL,
    actual boolean NOT NULL,
    kind text NOT NULL,
    mode text NOT NULL,
    headline text NOT NULL,
    edition text NOT NULL,
    areas text[] NOT NULL,
    position bigint NOT NULL,
    taken_back bigint,
    PRIMARY KEY (alert_id, version)
);
CREATE INDEX IF NOT EXISTS cadence_sends_all ON cadence_sends (issuer_id, issued_at);
CREATE INDEX IF NOT EXISTS cadence_sends_items ON cadence_sends (issuer_id, issued_at)
    INCLUDE (kind, alert_id) WHERE first AND actual AND taken_back IS NULL;
"""

_FACT = "INSERT INTO cadence_facts VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
_COLUMNS = """
(alert_id, version, issuer_id, issued_at, first, actual, kind, mode, headline, edition, areas,
    position)
"""
_COPY: LiteralString = f"COPY cadence_sends {_COLUMNS} FROM STDIN"
_TAKE_BACK = """
UPDATE cadence_sends s SET taken_back = t.position
FROM unnest(%s::uuid[], %s::bigint[]) t (alert_id, position) WHERE s.alert_id = t.alert_id
"""


class Cadence:
    """The rows behind "at least one item every 3 days". What they mean for a body is told in view.py.

    An item is the first issue of an alert, of either kind; its updates are the same item. One that
    was withdrawn because it should never have been issued is taken back, and so is not counted.
    """

    name = "cadence"
    topics = frozenset({AlertIssued.TOPIC, AlertCancelled.TOPIC, *(fact.TOPIC for fact in FACTS)})
    ddl = DDL
    tables: tuple[str, ...] = ("cadence_facts", "cadence_sends")

    def apply(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        """Folds a page. An item is always issued before it is taken back, so the order of writes holds."""
        facts: list[tuple[Any, ...]] = []
        sends: list[tuple[Any, ...]] = []
        taken_back: list[tuple[UUID, int]] = []
        for recorded in page:
            match recorded.event:
                case AlertIssued() as event:
                    sends.append(_send(recorded, event))
                case AlertCancelled(originator_id=alert_id, in_error=True):
                    taken_back.append((alert_id, recorded.position))
                case AlertCancelled():
                    pass
                case event if isinstance(event, FACTS):
                    facts.append(_fact(recorded))
                case _:
                    pass
        if facts:
            tx.cursor.executemany(_FACT, facts)
        if sends:
            with tx.cursor.copy(_COPY) as copy:
                for row in sends:
                    copy.write_row(row)
        if taken_back:
            tx.cursor.execute(_TAKE_BACK, tuple(map(list, zip(*taken_back, strict=True))))


def _send(recorded: Recorded, event: AlertIssued) -> tuple[Any, ...]:
    content = event.content
    return (
        event.originator_id,
        event.version,
        # The body that spoke: what a body left open its successor issues, and counts.
        event.sender.partition("@")[0],
        recorded.recorded_at,
        event.msg_type is MsgType.ALERT,
        content.mode is Mode.ACTUAL,
        content.kind,
        content.mode,
        storable(content.text("vi").headline),
        event.edition,
        list(content.areas),
        recorded.position,
    )


def _fact(recorded: Recorded) -> tuple[Any, ...]:
    event: Event = recorded.event
    if isinstance(event, AreaRegisterAdopted):
        # Only its date matters here, and it is half a megabyte.
        event = event.model_copy(update={"areas": (), "successions": ()})
    stream, version = event.originator_id, event.originator_version
    return (recorded.position, recorded.recorded_at, event.TOPIC, stream, version, event.payload())
