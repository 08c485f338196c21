"""Tells a log in tests, and folds it with one projection in pages of any size."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from psycopg import Connection, Cursor, sql

from projections.projection import Projection, Row
from schemas.areas import Area
from schemas.content import Certainty, Channel, Content, Kind, MsgType, Severity, Text, Urgency
from schemas.events import (
    Actor,
    AlertCancelled,
    AlertExpired,
    AlertIssued,
    AreaRegisterAdopted,
    Event,
    IssuerRegistered,
    Recorded,
    ScreenRegistered,
    ScreenRemoved,
)
from schemas.ids import REGISTER_STREAM, issuer_stream

AT = datetime(2024, 7, 10, 2, 0, tzinfo=UTC)
BY = Actor(account="lan", body="ubnd-tp")
SPACE = UUID(int=5)

CITY = Area(code="01", name="Thành phố Hà Nội", kind="thanh_pho", level=1)
BA_DINH = Area(code="001", name="Quận Ba Đình", kind="quan", level=2, parent_code="01")
HOAN_KIEM = Area(code="002", name="Quận Hoàn Kiếm", kind="quan", level=2, parent_code="01")
PHUC_XA = Area(code="00001", name="Phường Phúc Xá", kind="phuong", level=3, parent_code="001")
TRUC_BACH = Area(code="00004", name="Phường Trúc Bạch", kind="phuong", level=3, parent_code="001")
HANG_BAC = Area(code="00049", name="Phường Hàng Bạc", kind="phuong", level=3, parent_code="002")
AREAS_2020 = (CITY, BA_DINH, HOAN_KIEM, PHUC_XA, TRUC_BACH, HANG_BAC)

# 00004 now names another place; 00049 is the same one.
NEW_BA_DINH = Area(code="00004", name="Phường Ba Đình", kind="phuong", level=3, parent_code="01")
NEW_HANG_BAC = Area(code="00049", name="Phường Hàng Bạc", kind="phuong", level=3, parent_code="01")
AREAS_2025 = (CITY, NEW_BA_DINH, NEW_HANG_BAC)


def content(**changes: Any) -> Content:
    """An alert to the whole city, or what the changes make of it."""
    told: dict[str, Any] = {
        "kind": Kind.ALERT,
        "category": "mua_lon",
        "severity": Severity.SEVERE,
        "urgency": Urgency.EXPECTED,
        "certainty": Certainty.LIKELY,
        "risk_level": 2,
        "texts": {"vi": Text(headline="Mưa lớn, ngập sâu", description="Nước lên nhanh.")},
        "areas": ("01",),
        "channels": (Channel.PUSH, Channel.LED),
    }
    return Content(**(told | changes))


@dataclass
class Story:
    """A log as it grows. `at` is its clock, `edition` the one that alerts are issued under."""

    at: datetime = AT
    edition: str = "2020-03-01"
    log: list[Recorded] = field(default_factory=list[Recorded])
    _versions: Counter[UUID] = field(default_factory=Counter[UUID])
    _rev: Counter[UUID] = field(default_factory=Counter[UUID])

    def wait(self, **time: float) -> None:
        """Lets time pass."""
        self.at += timedelta(**time)

    def tell(self, kind: type[Event], stream: UUID, /, **fields: Any) -> int:
        """Records an event; answers its position."""
        self._versions[stream] += 1
        place = {"originator_id": stream, "originator_version": self._versions[stream]}
        event: Any = kind.model_validate({"by": BY, **place, **fields})
        self.log.append(Recorded(len(self.log) + 1, self.at, event))
        return len(self.log)

    def adopt(self, edition: str = "2020-03-01", areas: Sequence[Area] = AREAS_2020) -> None:
        """Adopts an edition that takes effect on the date it is named after."""
        day = date.fromisoformat(edition)
        self.tell(
            AreaRegisterAdopted, REGISTER_STREAM, edition=edition, effective_on=day, areas=tuple(areas)
        )
        self.edition = edition

    def body(self, issuer_id: str, level: int = 1, **fields: Any) -> None:
        """Registers a body."""
        told: dict[str, Any] = {"name": issuer_id.upper(), "kind": "so", "area": "01", "fields": ("*",)}
        stream = issuer_stream(issuer_id)
        self.tell(IssuerRegistered, stream, issuer_id=issuer_id, level=level, **(told | fields))

    def issue(self, issuer_id: str = "so-y-te", alert_id: UUID | None = None, **changes: Any) -> UUID:
        """Issues an alert, or an update of the one given."""
        stream = alert_id or uuid5(SPACE, str(len(self.log)))
        return self.issue_as(stream, issuer_id, update=alert_id is not None, **changes)

    def issue_as(self, stream: UUID, issuer_id: str, *, update: bool = False, **changes: Any) -> UUID:
        """Issues the alert of that id, or an update of it."""
        self._rev[stream] += 1
        self.tell(
            AlertIssued,
            stream,
            **self._message(stream, issuer_id),
            msg_type=MsgType.UPDATE if update else MsgType.ALERT,
            content=content(**changes),
            edition=self.edition,
            effective_at=self.at,
            expires_at=self.at + timedelta(hours=12),
        )
        return stream

    def cancel(self, alert_id: UUID, *, in_error: bool = False, reason: str = "Nước đã rút") -> None:
        """Withdraws an alert."""
        self._rev[alert_id] += 1
        message = self._message(alert_id, "so-y-te")
        self.tell(AlertCancelled, alert_id, **message, reason=reason, in_error=in_error)

    def expire(self, alert_id: UUID) -> None:
        """Ends an alert."""
        self.tell(AlertExpired, alert_id, version=self._rev[alert_id])

    def screen(self, area: str, profile: str = "m96x32-1", name: str = "Ngã tư", **fields: Any) -> UUID:
        """Puts up a screen."""
        screen_id = uuid5(SPACE, f"screen {len(self.log)}")
        place = {"name": name, "area": area, "profile": profile}
        self.tell(ScreenRegistered, screen_id, screen_id=screen_id, **place, **fields)
        return screen_id

    def take_down(self, screen_id: UUID) -> None:
        """Takes a screen down."""
        self.tell(ScreenRemoved, screen_id)

    def _message(self, stream: UUID, issuer_id: str) -> dict[str, Any]:
        version = self._rev[stream]
        return {
            "issuer_id": issuer_id,
            "version": version,
            "identifier": f"hn.{stream}.{version}",
            "sender": f"{issuer_id}@canhbao.hanoi.gov.vn",
            "sent": self.at.replace(microsecond=0),
            "references": (),
        }


@dataclass
class PageTransaction:
    """The transaction of one page; a view has nothing to say to the log."""

    cursor: Cursor[Row]
    at: datetime

    def emit(self, events: Sequence[Event]) -> None:
        raise AssertionError(f"a view emitted {events}")


def fold(conn: Connection[Row], projection: Projection, log: Sequence[Recorded], page: int = 1000) -> None:
    """Gives a projection those events it wants, a transaction a page."""
    wanted = [recorded for recorded in log if recorded.event.TOPIC in projection.topics]
    for start in range(0, len(wanted), page):
        with conn.transaction(), conn.cursor() as cursor:
            projection.apply(PageTransaction(cursor, AT), wanted[start : start + page])


def rebuild(
    conn: Connection[Row], projection: Projection, log: Sequence[Recorded], page: int
) -> dict[str, list[Row]]:
    """Empties a projection's tables, folds the log again and answers every row of them."""
    with conn.transaction():
        for table in projection.tables:
            conn.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table)))
    fold(conn, projection, log, page)
    return dump(conn, projection)


def dump(conn: Connection[Row], projection: Projection) -> dict[str, list[Row]]:
    """Every row of a projection."""
    query = sql.SQL("SELECT * FROM {} AS t ORDER BY t::text")
    return {
        table: conn.execute(query.format(sql.Identifier(table))).fetchall() for table in projection.tables
    }


def opened(database: str, projection: Projection) -> Connection[Row]:
    """A connection to a database with the projection's tables."""
    conn = Connection[Row].connect(database, autocommit=True)
    conn.execute(projection.ddl.encode())
    conn.execute(projection.ddl.encode())
    return conn
