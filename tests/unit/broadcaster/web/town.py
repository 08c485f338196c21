"""A small city with its web, for tests: the real log, registry and views on a fresh database."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher
from psycopg_pool import ConnectionPool

from broadcaster import reference
from broadcaster.account import Role
from broadcaster.accounts.desk import DESK_DDL, Desk
from broadcaster.accounts.oidc import Oidc
from broadcaster.accounts.passwords import Passwords
from broadcaster.accounts.sealing import Sealer
from broadcaster.boundaries.store import BOUNDARIES_DDL
from broadcaster.cap.signing import CAP_SIGNED_DDL
from broadcaster.commands.alerts import AlertCommands
from broadcaster.commands.setup import SetupCommands
from broadcaster.drafting.drafts import DRAFTS_DDL, Drafts
from broadcaster.duty.asking import Asking
from broadcaster.duty.commands import CadenceCommands
from broadcaster.duty.reminders import REMINDERS_DDL, Reminders
from broadcaster.duty.reports import Reports
from broadcaster.keys import Keys
from broadcaster.keys.feed import FeedKey
from broadcaster.keys.rows import KEYS_DDL, KeyKind
from broadcaster.log import LOG_DDL, AlertLog
from broadcaster.office import Office
from broadcaster.office.attachments import ATTACHMENTS_DDL, Attachments
from broadcaster.proof.handing_out import Seals
from broadcaster.reference import IssuerRecord
from broadcaster.registry.subscribers import SUBSCRIBERS_DDL, Registry
from broadcaster.screens.tables import SCREENS_DDL
from broadcaster.topics.tables import TOPICS_DDL
from broadcaster.web.app import create_app
from broadcaster.web.feeds.front import Front
from broadcaster.web.ports import WebPorts
from channels.led.draw import Artist
from projections.attachments.projection import Attachments as AttachmentUses
from projections.audience.projection import Audience
from projections.audit.projection import Audit
from projections.board.projection import Board
from projections.cadence.projection import Cadence
from projections.cadence.view import CadenceBook
from projections.canary.projection import Canary
from projections.fanout.projection import Fanout
from projections.fanout.relay import RELAY_DDL
from projections.feeds.projection import Feeds
from projections.follower import POSITIONS_DDL, Follower
from projections.positions import Positions, Standing
from projections.projection import Projection
from projections.reach.projection import Reach
from projections.sms.projection import Sms
from schemas.areas import Area
from schemas.events import Actor, AttemptRefused

AT = datetime(2024, 7, 10, 2, 0, tzinfo=UTC)
SYSTEM = Actor(account="system:setup")
EDITION = "2020-03-01"
PASSWORD, SECRET = "correct horse battery", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
"""Of every account, to sign in at the console."""
BASE = "http://town"
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
"""Hashes that cost nothing."""
FEED_KEY = FeedKey.fresh()

AREAS = (
    Area(code="01", name="Thành phố Hà Nội", kind="thanh_pho", level=1),
    Area(code="001", name="Quận Ba Đình", kind="quan", level=2, parent_code="01"),
    Area(code="002", name="Quận Hoàn Kiếm", kind="quan", level=2, parent_code="01"),
    Area(
        code="00001",
        name="Phường Phúc Xá",
        kind="phuong",
        level=3,
        parent_code="001",
        latitude=21.047,
        longitude=105.8478,
    ),
    Area(code="00004", name="Phường Trúc Bạch", kind="phuong", level=3, parent_code="001"),
    Area(code="00049", name="Phường Hàng Bạc", kind="phuong", level=3, parent_code="002"),
)


def body(issuer_id: str, name: str, level: int, area: str, fields: tuple[str, ...]) -> IssuerRecord:
    return IssuerRecord(
        issuer_id=issuer_id,
        name=name,
        kind="ubnd",
        level=level,
        area=area,
        fields=fields,
        parent=None if level == 1 else "ubnd-tp",
        source="test",
    )


CITY = "ubnd-tp"
PHUC_XA = "ubnd-00001"
HANG_BAC = "ubnd-00049"
BODIES = (
    body(CITY, "UBND thành phố Hà Nội", 1, "01", ("*",)),
    body(PHUC_XA, "UBND phường Phúc Xá", 3, "00001", ("*",)),
    body(HANG_BAC, "UBND phường Hàng Bạc", 3, "00049", ("mua_lon",)),
)
STAFF = (
    ("lan", PHUC_XA, Role.AUTHOR),
    ("minh", PHUC_XA, Role.APPROVER),
    ("hoa", PHUC_XA, Role.MANAGER),
    ("tuan", HANG_BAC, Role.AUTHOR),
    ("city-author", CITY, Role.AUTHOR),
    ("city-approver", CITY, Role.APPROVER),
    ("kiem", CITY, Role.AUDITOR),
)


def content(**changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "kind": "alert",
        "category": "mua_lon",
        "severity": "Severe",
        "urgency": "Expected",
        "certainty": "Likely",
        "risk_level": 2,
        "texts": {"vi": {"headline": "Mưa lớn, ngập sâu", "description": "Nước lên nhanh."}},
        "areas": ["00001"],
    }
    return told | changes


@dataclass
class Client:
    """Sends requests to the application, each in a loop of its own, with a key if it has one."""

    app: Any
    key: str | None = None

    def __call__(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        sent = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if json is not None:
            more["json"] = json

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
                return await client.request(method, path, headers=sent | (headers or {}), **more)

        return asyncio.run(ask())

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, json: Any = None, **headers: str) -> httpx.Response:
        return self(
            "POST", path, json, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )


@dataclass
class Town:
    """Everything a test of the web needs."""

    pool: ConnectionPool[Any]
    now: datetime = AT
    cadence_public: bool = True
    health: dict[str, bool] = field(default_factory=lambda: {"database": True, "nats": True})
    keys: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    seals: Seals | None = None
    oidc: Oidc | None = None

    def __post_init__(self) -> None:
        self.log = AlertLog(self.pool)
        files = Attachments(self.pool).find
        self.office = Office(self.log, reference.categories(), "canhbao.test", BASE, files)
        self.setup = SetupCommands(self.office)
        self.book = CadenceBook()
        self.registry = Registry(self.pool, lambda: self.office.edition(self.now).tree)
        self.key_store = Keys(self.pool, Sealer(lambda: bytes(32)), log=self.log)
        self.desk = Desk.of(self.pool, self.log, Sealer(lambda: bytes(32)), passwords=QUICK)
        self.drafts = Drafts(self.pool)
        self.reminders = Reminders(self.pool, self.log, self.book, PHUC_XA)
        self.projections: tuple[Projection, ...] = (
            Board(),
            Audience(),
            Cadence(),
            Reach(),
            Canary(),
            Feeds(Artist()),
            Audit(),
            Sms(),
            AttachmentUses(),
        )

    def build(self) -> None:
        """Makes the tables, the areas, the bodies, and accounts with keys."""
        ddl = [
            LOG_DDL,
            SUBSCRIBERS_DDL,
            KEYS_DDL,
            POSITIONS_DDL,
            RELAY_DDL,
            CAP_SIGNED_DDL,
            ATTACHMENTS_DDL,
        ]
        # Nobody orders anything here; a pre-flight reads who has which alert.
        ddl += [Fanout.ddl, *(each.ddl for each in self.projections)]
        ddl += [DESK_DDL, DRAFTS_DDL, SCREENS_DDL, REMINDERS_DDL, BOUNDARIES_DDL, TOPICS_DDL]
        with self.pool.connection() as conn:
            for statements in ddl:
                conn.execute(statements.encode())
        self.setup.adopt_areas(SYSTEM, EDITION, date.fromisoformat(EDITION), AREAS, at=self.now)
        self.setup.register_issuers(SYSTEM, BODIES, at=self.now)
        for account, of, role in STAFF:
            key_id, self.keys[account] = self.key_store.create(account, of, KeyKind.STAFF, self.now)
            self.setup.grant(SYSTEM, account, of, role, at=self.now, key_id=key_id)
            self.desk.accounts.create(account, PASSWORD, SECRET, "system:setup", self.now)

    def open(self) -> None:
        """Opens the web."""
        self.app: Front = create_app(
            WebPorts(
                pool=self.pool,
                log=self.log,
                office=self.office,
                alerts=AlertCommands(self.office),
                setup=self.setup,
                registry=self.registry,
                keys=self.key_store,
                desk=self.desk,
                drafts=self.drafts,
                clock=lambda: self.now,
                cadence=self.book,
                cadence_commands=CadenceCommands(self.office, PHUC_XA),
                cadence_public=self.cadence_public,
                canary_every=timedelta(minutes=5),
                asking=Asking(self.office, self.reminders),
                reports=Reports(
                    self.pool, self.log, self.book, origin="hanoi.example", key_path=Path("/nonexistent")
                ),
                feed_key=FEED_KEY,
                base_url=BASE,
                health=lambda: self.health,
                seals=self.seals,
                oidc=self.oidc,
                projections=[each.name for each in self.projections],
            )
        )

    def client(self, account: str | None = None) -> Client:
        return Client(self.app, self.keys[account] if account else None)

    def catch_up(self) -> None:
        """Lets every view see the log to its end, and the feeds' cache see its view."""
        self.follow()
        self.app.cache.refresh()

    def follow(self) -> None:
        """Lets every view see the log to its end."""
        for projection in self.projections:
            Follower(
                self.pool,
                projection,
                read=self.log.read,
                append_in=self.log.append_in,
                head=self.log.head,
                clock=lambda: self.now,
            ).catch_up()

    def standings(self) -> list[Standing]:
        """Where each view is in the log."""
        return [Positions(self.pool, each.name).get(self.log.head()) for each in self.projections]

    def later(self, **length: float) -> None:
        self.now += timedelta(**length)

    def refusals(self) -> list[AttemptRefused]:
        return [one.event for one in self.log.everything() if isinstance(one.event, AttemptRefused)]

    def draft(self, author: str = "lan", **changes: Any) -> httpx.Response:
        return self.client(author).post("/v1/alerts", {"content": content(**changes)})

    def issue(self, author: str = "lan", approver: str = "minh", **changes: Any) -> str:
        """Through the whole road; answers the alert's id."""
        alert_id = self.draft(author, **changes).raise_for_status().json()["id"]
        self.send_out(alert_id, author, approver)
        return alert_id

    def send_out(self, alert_id: str, author: str = "lan", approver: str = "minh") -> None:
        for who, step in ((author, "submit"), (approver, "approve"), (author, "issue")):
            self.step(alert_id, who, step).raise_for_status()

    def step(self, alert_id: str, who: str, step: str) -> httpx.Response:
        """One command, by who has read the alert."""
        client, path = self.client(who), f"/v1/alerts/{alert_id}"
        return client.post(f"{path}/{step}", If_Match=client.get(path).headers["etag"])


@contextmanager
def town(database: str, keys: dict[str, str] | None = None) -> Generator[Town]:
    """A town in a database: built there, or found there with the keys it was built with."""
    with ConnectionPool[Any](database, min_size=1, max_size=6, open=False) as pool:
        found = Town(pool)
        if keys is None:
            found.build()
        else:
            found.keys |= keys
        found.open()
        yield found
