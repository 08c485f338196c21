"""The web of a furnished city on loopback, with accounts, for a real browser. Its clock can be moved."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import uvicorn
from argon2 import PasswordHasher

from broadcaster.account import Role
from broadcaster.accounts import codes
from broadcaster.accounts.desk import Desk
from broadcaster.accounts.passwords import Passwords
from broadcaster.accounts.sealing import Sealer
from broadcaster.roles.web import web_ports
from broadcaster.runtime import SYSTEM, House, clock
from broadcaster.settings import Settings
from broadcaster.web.app import create_app
from broadcaster.web.server import WebServer
from projections.follower import Follower
from tests.ports import own_port
from tests.waiting import PATIENCE, until

PASSWORD, SECRET = "correct horse battery", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
CITY, PHUC_XA = "ubnd-tp", "ubnd-00001"
ACCOUNTS = (
    ("lan", PHUC_XA, Role.AUTHOR),
    ("minh", PHUC_XA, Role.APPROVER),
    ("hoa", PHUC_XA, Role.MANAGER),
    ("vinh", PHUC_XA, Role.MANAGER),
    ("ha", CITY, Role.AUTHOR),
    ("ly", CITY, Role.AUTHOR),
    ("son", CITY, Role.APPROVER),
    ("kiem", CITY, Role.AUDITOR),
    ("quan", CITY, Role.MANAGER),
)


@dataclass
class Site:
    """A running web."""

    house: House
    port: int
    ahead: timedelta = timedelta()
    more: dict[str, Any] = field(default_factory=dict[str, Any])
    """Ports that are otherwise than the settings have them, from the next start."""
    server: Any = field(default=None, repr=False)
    hub: Any = field(default=None, repr=False)
    """Who listens."""
    _thread: Any = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def now(self) -> datetime:
        return clock() + self.ahead

    def code(self) -> str:
        """A code that nobody has given yet: half a minute goes by."""
        self.ahead += timedelta(seconds=codes.STEP)
        return codes.code(SECRET, self.now())

    @property
    def desk(self) -> Desk:
        """As of a process that has just started: nothing is remembered but the database."""
        passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        return Desk.of(self.house.pool, self.house.log, Sealer(lambda: bytes(32)), passwords=passwords)

    def start(self) -> None:
        """Begins to serve."""
        desk = self.desk
        for account, body, role in ACCOUNTS:
            if desk.accounts.create(account, PASSWORD, SECRET, "system:setup", clock()):
                self.house.setup.grant(SYSTEM, account, body, role, at=clock())
        ports = replace(web_ports(self.house), desk=desk, clock=self.now, health=lambda: {"database": True})
        ports = replace(ports, **self.more)
        front = create_app(ports)
        config = uvicorn.Config(
            front,
            host="127.0.0.1",
            port=self.port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        self.server = WebServer(config, front.release)
        self.hub = front.app._app.state.services.hub  # type: ignore[attr-defined]  # behind the guard
        self._thread = threading.Thread(target=self.server.run, name="site", daemon=True)
        self._thread.start()
        until(lambda: self.server.started)

    def stop(self) -> None:
        """Ends serving."""
        self.server.should_exit = True
        self._thread.join(PATIENCE)

    def follow(self) -> None:
        """Lets every view see the log to its end."""
        for projection in self.house.projections:
            Follower(
                self.house.pool,
                projection,
                read=self.house.log.read,
                append_in=self.house.log.append_in,
                head=self.house.log.head,
                clock=clock,
            ).catch_up()


@contextmanager
def site(database: str, **more: Any) -> Generator[Site]:
    """A site on a furnished database; `more` are ports that are otherwise than the settings have them."""
    port = own_port()
    env = {"BROADCASTER_DATABASE_URL": database, "BROADCASTER_LISTEN": f"127.0.0.1:{port}"}
    with House.open(Settings.from_env(env)) as house:
        running = Site(house, port, more=more)
        running.start()
        running.follow()
        try:
            yield running
        finally:
            running.stop()
