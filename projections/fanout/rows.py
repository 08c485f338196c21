"""The tables of fanout, and a page's worth of writing to them."""

from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from psycopg import Cursor
from pydantic_core import to_json

from projections.projection import Row
from schemas.dispatch import Dispatch, Receipt
from schemas.events import AudienceFrozen, Route

FANOUT_DDL = """
CREATE TABLE IF NOT EXISTS fanout_audiences (
    audience_id uuid PRIMARY KEY,
    alert_id uuid NOT NULL,
    version int NOT NULL,
    channel text NOT NULL,
    lane text NOT NULL,
    bitmap bytea NOT NULL,
    count int NOT NULL,
    position bigint NOT NULL,
    homes text[] NOT NULL DEFAULT '{}',
    home_bitmaps bytea[] NOT NULL DEFAULT '{}',
    first_rank int NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS fanout_dispatches (
    position bigint NOT NULL,
    seq int NOT NULL,
    dispatch_id uuid NOT NULL,
    lane text NOT NULL,
    channel text NOT NULL,
    alert_id uuid NOT NULL,
    version int NOT NULL,
    expires_at timestamptz NOT NULL,
    body jsonb NOT NULL,
    outcome jsonb,
    PRIMARY KEY (position, seq)
);
CREATE INDEX IF NOT EXISTS fanout_dispatches_lane ON fanout_dispatches (lane, position, seq);
CREATE INDEX IF NOT EXISTS fanout_dispatches_id ON fanout_dispatches (dispatch_id);
CREATE INDEX IF NOT EXISTS fanout_dispatches_undone ON fanout_dispatches (lane, position, seq)
    WHERE outcome IS NULL;
CREATE TABLE IF NOT EXISTS fanout_route (route text NOT NULL);
"""

_AUDIENCE = """
INSERT INTO fanout_audiences (audience_id, alert_id, version, channel, lane, bitmap, count, position, homes,
    home_bitmaps, first_rank) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_COPY = """
COPY fanout_dispatches
    (position, seq, dispatch_id, lane, channel, alert_id, version, expires_at, body, outcome)
FROM STDIN
"""
_END = """
UPDATE fanout_dispatches d SET outcome = ended.outcome::jsonb
FROM unnest(%s::uuid[], %s::text[]) AS ended (id, outcome) WHERE d.dispatch_id = ended.id
"""


@dataclass
class _Order:
    position: int
    seq: int
    dispatch: Dispatch
    outcome: str | None = None

    def row(self) -> Row:
        d = self.dispatch
        place = (self.position, self.seq, d.id, d.lane, d.channel, d.alert_id, d.version)
        return (*place, d.expires_at, d.model_dump_json(exclude_none=True), self.outcome)


@dataclass
class PageRows:
    """What a page adds. A replayed page holds both orders and their receipts, so those meet here."""

    _audiences: list[Row] = field(default_factory=list[Row])
    _orders: dict[UUID, _Order] = field(default_factory=dict[UUID, _Order])
    _outcomes: dict[UUID, str] = field(default_factory=dict[UUID, str])

    def audience(self, position: int, event: AudienceFrozen) -> None:
        """A frozen audience."""
        place = (event.originator_id, event.alert_id, event.version, event.channel, event.lane)
        homes = [group.area for group in event.groups]
        bitmaps = [b64decode(group.bitmap) for group in event.groups]
        who = (b64decode(event.bitmap), event.count, position, homes, bitmaps, event.first)
        self._audiences.append((*place, *who))

    def orders(self, position: int, dispatches: Iterable[Dispatch]) -> None:
        """Dispatches that the event at this position ordered."""
        for seq, dispatch in enumerate(dispatches):
            self._orders[dispatch.id] = _Order(position, seq, dispatch)

    def done(self, receipt: Receipt) -> None:
        """The end of a dispatch."""
        outcome = to_json(dict(sorted(receipt.counts.items()))).decode()
        if order := self._orders.get(receipt.dispatch.id):
            order.outcome = outcome
        else:
            self._outcomes[receipt.dispatch.id] = outcome

    def write(self, cursor: Cursor[Row]) -> None:
        """Writes it all, and wakes the relays when the transaction commits."""
        cursor.executemany(_AUDIENCE, self._audiences)
        if self._outcomes:
            cursor.execute(_END, (list(self._outcomes), list(self._outcomes.values())))
        if self._orders:
            with cursor.copy(_COPY) as copy:
                for order in self._orders.values():
                    copy.write_row(order.row())
            cursor.execute("SELECT pg_notify('fanout', '')")


class Routes:
    """The road of push that the operator chose last, as the log goes by."""

    def __init__(self, cursor: Cursor[Row]) -> None:
        self._cursor = cursor

    def chosen(self, route: Route) -> None:
        """From here on, by this."""
        self._cursor.execute("DELETE FROM fanout_route")
        self._cursor.execute("INSERT INTO fanout_route VALUES (%s)", (route,))

    @property
    def now(self) -> Route:
        """Tokens, where nothing was chosen."""
        row = self._cursor.execute("SELECT route FROM fanout_route").fetchone()
        return row[0] if row else "tokens"
