"""For tests of what follows the log: a database with the real log, and alerts with a history."""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import Connection, Cursor
from psycopg_pool import ConnectionPool
from pyroaring import BitMap64

from broadcaster.log import LOG_DDL, AlertLog
from projections.follower import POSITIONS_DDL, Follower
from projections.projection import Projection, Row
from schemas.content import Channel, Content, Lane, MsgType
from schemas.dispatch import Dispatch, Outcome, Receipt
from schemas.events import (
    Actor,
    AlertApproved,
    AlertCancelled,
    AlertDrafted,
    AlertExpired,
    AlertIssued,
    AlertRejected,
    AlertReturned,
    AlertRevised,
    AlertSubmitted,
    AlertUpdateProposed,
    AudienceFrozen,
    Event,
    ReceiptRecorded,
)
from schemas.ids import audience_id
from tests.unit.schemas.examples import CONTENT
from tests.waiting import PATIENCE, until

AT = datetime(2026, 7, 10, 2, 0, tzinfo=UTC)
END = AT + timedelta(hours=6)
BY = Actor(account="lan", body="ubnd-00001")


@dataclass
class World:
    """A database with the log in it."""

    pool: ConnectionPool[Any]
    log: AlertLog
    conn: Connection[Row]
    """Beside the pool, for looking on."""
    at: datetime = AT

    def append(self, *events: Event) -> int:
        return self.log.append(events, at=self.at)

    def follower(self, projection: Projection, page: int = 2000) -> Follower:
        """A follower, its tables made."""
        with self.pool.connection() as conn:
            conn.execute(projection.ddl)
        return Follower(
            self.pool,
            projection,
            read=self.log.pages,
            append_in=self.log.append_in,
            head=self.log.head,
            clock=lambda: self.at,
            page=page,
        )

    def rows(self, query: str, *params: object) -> list[Row]:
        return self.conn.execute(query.encode(), params).fetchall()

    def dump(self, projection: Projection) -> dict[str, list[Row]]:
        """Every row of the projection's tables."""
        return {table: sorted(self.rows(f"SELECT * FROM {table}"), key=repr) for table in projection.tables}


@contextmanager
def world(database: str) -> Generator[World]:
    with (
        psycopg.connect(database, autocommit=True, application_name="test") as conn,
        ConnectionPool[Any](database, min_size=2, max_size=16, open=True) as pool,
    ):
        conn.execute(LOG_DDL)
        conn.execute(POSITIONS_DDL)
        yield World(pool, AlertLog(pool), conn)


def backends(database: str, application: str) -> list[int]:
    """The server processes of our connections of this name."""
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"
    with psycopg.connect(database) as conn:
        return [pid for (pid,) in conn.execute(query, (application,))]


def kill(database: str, pids: list[int]) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        for pid in pids:
            conn.execute("SELECT pg_terminate_backend(%s)", (pid,))


async def becomes(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """As `until`, while the event loop runs on."""
    await asyncio.to_thread(until, condition, seconds)


def frozen(cursor: Cursor[Row], stream: UUID) -> AudienceFrozen | None:
    """The audience in the log under this id."""
    query = "SELECT topic, originator_version, state FROM events WHERE originator_id = %s"
    row = cursor.execute(query, (stream,)).fetchone()
    if row is None:
        return None
    event = Event.load(row[0], stream, row[1], row[2])
    assert isinstance(event, AudienceFrozen)
    return event


@dataclass(eq=False)
class Alert:
    """Writes the history of one alert, event after event."""

    content: Content = CONTENT
    issuer_id: str = "ubnd-00001"
    id: UUID = field(default_factory=uuid4)
    events: int = 0
    version: int = 1

    def drafted(self) -> AlertDrafted:
        return AlertDrafted(**self._next(), issuer_id=self.issuer_id, content=self.content)

    def revised(self, content: Content) -> AlertRevised:
        self.content = content
        return AlertRevised(**self._next(), version=self.version, content=content)

    def submitted(self) -> AlertSubmitted:
        return AlertSubmitted(**self._next(), version=self.version)

    def returned(self) -> AlertReturned:
        return AlertReturned(**self._next(), version=self.version, reason="Thiếu giờ")

    def rejected(self) -> AlertRejected:
        return AlertRejected(**self._next(), version=self.version, reason="Không đúng thẩm quyền")

    def approved(self) -> AlertApproved:
        return AlertApproved(**self._next(), version=self.version)

    def issued(self, expires_at: datetime = END) -> AlertIssued:
        return AlertIssued(
            **self._next(),
            **self._message(AT),
            version=self.version,
            msg_type=MsgType.ALERT if self.version == 1 else MsgType.UPDATE,
            content=self.content,
            edition="2020-03-01",
            effective_at=AT,
            expires_at=expires_at,
        )

    def proposed(self, content: Content) -> AlertUpdateProposed:
        self.version += 1
        self.content = content
        return AlertUpdateProposed(**self._next(), version=self.version, content=content)

    def cancelled(self, sent: datetime = AT) -> AlertCancelled:
        self.version += 1
        return AlertCancelled(**self._next(), **self._message(sent), version=self.version, reason="Đã rút")

    def expired(self) -> AlertExpired:
        return AlertExpired(**self._next(), version=self.version)

    def issue(self) -> list[Event]:
        """From draft to issue."""
        return [self.drafted(), self.submitted(), self.approved(), self.issued()]

    def update(self, content: Content) -> list[Event]:
        """From proposal to issue."""
        return [self.proposed(content), self.submitted(), self.approved(), self.issued()]

    def _next(self) -> dict[str, Any]:
        self.events += 1
        return {"originator_id": self.id, "originator_version": self.events, "by": BY}

    def _message(self, sent: datetime) -> dict[str, Any]:
        return {
            "issuer_id": self.issuer_id,
            "identifier": f"hn.{self.id}.{self.version}",
            "sender": "ubnd-00001@canhbao.hanoi.gov.vn",
            "sent": sent,
            "references": (),
        }


def audience(
    count: int, slice_size: int = 500, *, channel: Channel = Channel.PUSH, lane: Lane = Lane.ALERT
) -> AudienceFrozen:
    """A frozen audience of subscribers 0, 1, 2..."""
    alert = uuid4()
    bitmap = BitMap64(range(count)).serialize()
    return AudienceFrozen(
        originator_id=audience_id(alert, 1, channel),
        originator_version=1,
        by=BY,
        alert_id=alert,
        version=1,
        channel=channel,
        lane=lane,
        count=count,
        sha256=sha256(bitmap).hexdigest(),
        bitmap=b64encode(bitmap).decode(),
        by_area={"00001": count} if count else {},
        slice_size=slice_size,
        expires_at=END,
    )


def receipt(dispatch: Dispatch, deferred: tuple[int, ...] = ()) -> ReceiptRecorded:
    """All accepted, but for the deferred ranks."""
    counts = {Outcome.ACCEPTED: len(dispatch.ranks) - len(deferred), Outcome.DEFERRED: len(deferred)}
    return ReceiptRecorded(
        originator_id=dispatch.id,
        originator_version=1,
        by=BY,
        receipt=Receipt(
            dispatch=dispatch,
            counts={outcome: count for outcome, count in counts.items() if count},
            deferred=deferred,
            retry_at=AT if deferred else None,
        ),
    )


Census = Callable[[AlertIssued, Channel], tuple[bytes, dict[str, int], int]]


@dataclass
class Registry:
    """Subscribers by area and channel, and how often they were asked for."""

    homes: dict[str, set[int]]
    asked: int = 0

    def census(self, event: AlertIssued, channel: Channel) -> tuple[bytes, dict[str, int], int]:
        self.asked += 1
        odd = channel is Channel.SMS
        found = {
            area: {n for n in self.homes.get(area, ()) if not odd or n % 2} for area in event.content.areas
        }
        everyone = BitMap64(n for who in found.values() for n in who)
        return everyone.serialize(), {area: len(who) for area, who in found.items() if who}, len(everyone)
