"""PostgreSQL and nats-server as children: the engines of a deployment on one machine."""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from broadcaster.engines.children import EngineError, at_work_in, end_leftovers, size, spawn, tail
from broadcaster.engines.datafolder import DataFolder, kept, write_private
from broadcaster.engines.engine import Engine, Steps, bare_environment
from broadcaster.engines.natshome import find_binary, free_port
from broadcaster.engines.pghome import ELSEWHERE, PostgresHome, find_home

__all__ = ["DataFolder", "Engine", "EngineError", "NatsServer", "PostgresServer"]

STORE_BYTES = 8 * 1024**3
"""What JetStream may promise to streams: more than channels.topology declares. Left to itself it promises
three quarters of what the disk has free as it starts, and one that is nearly full then has no streams."""

ROOM = 8 * 1024**2
"""Bytes that a store must have free for its server to be started anew: a block of its files."""
_MOST_HEARD = 1_000_000
_WRITE_FAILED = re.compile(rb"critical write error|failed to store a msg|out of .*resources", re.IGNORECASE)


class PostgresServer(Engine):
    """PostgreSQL on a unix socket that only its own account (and root) can open; no TCP.

    `durable=False` (tests) turns fsync off: data then outlives a crash of any process, not of the
    machine. `elsewhere` is for data folders that cannot hold a cluster; see `find_home`.
    """

    name = "postgres"
    # SIGINT is PostgreSQL's fast stop: it ends sessions and writes a checkpoint. SIGQUIT ends at once.
    ending: ClassVar[Steps] = ((signal.SIGINT, 60), (signal.SIGQUIT, 10))
    ready_within: ClassVar[float] = 600
    _USER = "broadcaster"

    def __init__(
        self, folder: Path, *, durable: bool = True, max_connections: int = 100, elsewhere: Path = ELSEWHERE
    ) -> None:
        super().__init__(folder, passable=True)
        self._durable = durable
        self._max_connections = max_connections
        self._elsewhere = elsewhere

    @cached_property
    def home(self) -> PostgresHome:
        """Where the cluster and the socket are."""
        self._data.make()
        return find_home(self.folder, self._elsewhere)

    @property
    def url(self) -> str:
        """For psycopg; known before the start and always the same."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """As `url`, of another database of this server."""
        return f"postgresql://{self._USER}@/{quote(database)}?host={quote(str(self.home.socket), safe='')}"

    def _launch(self, wanted: Callable[[], bool]) -> None:
        home = self.home
        if home.cluster.exists():
            # Of a server that was killed, sessions may still be at work; it cannot start before they end.
            end_leftovers(
                lambda: at_work_in(home.cluster, "postgres"),
                (signal.SIGINT, 5),
                (signal.SIGQUIT, 3),
                (signal.SIGKILL, 3),
            )
        else:
            self._initialise()
        argv = [str(home.binaries / "postgres"), "-D", str(home.cluster)]
        for name, value in self._settings().items():
            argv += ["-c", f"{name}={value}"]
        self._run(argv, wanted, cwd=Path("/"), death=signal.SIGINT, account=home.account)

    def _settings(self) -> dict[str, str]:
        safe = "on" if self._durable else "off"
        return {
            "listen_addresses": "",
            "unix_socket_directories": str(self.home.socket),
            "unix_socket_permissions": "0700",
            "max_connections": str(self._max_connections),
            "fsync": safe,
            "full_page_writes": safe,
            "synchronous_commit": "on",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] ",
        }

    def _initialise(self) -> None:
        """Makes the cluster beside its place, then moves it there: whole or not at all."""
        home, since = self.home, size(self.log)
        for unfinished in home.cluster.parent.glob("cluster.new-*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix="cluster.new-", dir=home.cluster.parent))
        if home.account is not None:
            os.chown(draft, home.account.uid, home.account.gid)
        argv = [str(home.binaries / "initdb"), "-D", str(draft), "-U", self._USER, "-A", "trust"]
        argv += ["-E", "UTF8", "--locale=C.UTF-8", *([] if self._durable else ["--no-sync"])]
        process = spawn(
            argv,
            cwd=Path("/"),
            env=bare_environment(),
            log=self.log,
            death=signal.SIGTERM,
            account=home.account,
        )
        if process.wait() != 0:
            raise EngineError(f"initdb failed; its log {self.log} ends:\n{tail(self.log, since)}")
        draft.rename(home.cluster)

    def _serves(self, pid: int) -> bool:
        """As pg_ctl knows it: line 1 of postmaster.pid is the pid, line 8 the state."""
        try:
            lines = (self.home.cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return lines[:1] == [str(pid)] and [line.strip() for line in lines[7:8]] == ["ready"]


class NatsServer(Engine):
    """nats-server with JetStream on loopback, each write synced to disk before it is acknowledged.

    The port and the token are chosen once and kept in the folder, so that the clients of a server
    that comes back find it. `port` and `token` take the place of what is kept.
    """

    name = "nats"
    ending: ClassVar[Steps] = ((signal.SIGTERM, 20),)
    ready_within: ClassVar[float] = 300

    def __init__(self, folder: Path, *, port: int | None = None, token: str | None = None) -> None:
        super().__init__(folder)
        if token is not None and not re.fullmatch(r"[A-Za-z0-9_.-]{16,}", token):
            raise EngineError("the NATS token must be 16 or more of the characters A-Z a-z 0-9 _ . -")
        self._given = (port, token)
        self._server_name = ""
        self._heard, self._failed = 0, False

    @cached_property
    def port(self) -> int:
        """The TCP port on 127.0.0.1."""
        if self._given[0] is not None:
            return self._given[0]
        self._data.make()
        path = self.folder / "port"
        stored = kept(path, lambda: str(free_port()))
        if not stored.isdecimal():
            raise EngineError(f"{path} must hold the number of a port: remove it to have one chosen")
        return int(stored)

    @cached_property
    def token(self) -> str:
        """What a client must present. A secret."""
        if self._given[1] is not None:
            return self._given[1]
        self._data.make()
        return kept(self.folder / "token", lambda: secrets.token_urlsafe(32))

    @property
    def url(self) -> str:
        """For clients, without the token; known before the start and always the same."""
        return f"nats://127.0.0.1:{self.port}"

    def stuck(self) -> bool:
        """Whether a write failed, on a full disk say, and there is room now.

        A stream whose write failed takes no message more until the server is started anew, and does not
        say so to who publishes: only the server's log tells. While there is no room it is left alone, for
        it would have to recover its streams without any.
        """
        if not self.alive():
            return False
        try:
            with self.log.open("rb") as said:
                said.seek(self._heard)
                fresh = said.read(_MOST_HEARD)
            self._heard += len(fresh)
            self._failed |= _WRITE_FAILED.search(fresh) is not None
            return self._failed and shutil.disk_usage(self.folder).free >= ROOM
        except OSError:
            return False

    def _launch(self, wanted: Callable[[], bool]) -> None:
        self._heard, self._failed = size(self.log), False
        binary = find_binary()
        end_leftovers(
            lambda: at_work_in(self.folder, "nats-server"), (signal.SIGTERM, 5), (signal.SIGKILL, 3)
        )
        self._server_name = f"broadcaster-{secrets.token_hex(8)}"
        # The store's path is relative to the working directory. Monitoring asks for no password: it is off.
        write_private(
            self.folder / "nats.conf",
            f'server_name: "{self._server_name}"\n'
            f'listen: "127.0.0.1:{self.port}"\n'
            f'authorization {{\n  token: "{self.token}"\n}}\n'
            "jetstream {\n"
            f'  store_dir: "store"\n  max_file_store: {STORE_BYTES}\n  sync_interval: always\n'
            "}\n",
        )
        self._run([str(binary), "-c", "nats.conf"], wanted, cwd=self.folder, death=signal.SIGTERM)

    def _serves(self, pid: int) -> bool:  # noqa: ARG002 - the server's name tells ours from another's
        """Whether it is our server that greets. Clients that come before print tracebacks."""
        try:
            with socket.socket() as line:
                line.settimeout(0.3)
                line.connect(("127.0.0.1", self.port))
                with line.makefile("rb") as reader:
                    greeting = reader.readline()
        except OSError:
            return False
        if not greeting.startswith(b"INFO "):
            return False
        info = json.loads(greeting.removeprefix(b"INFO "))
        return info.get("server_name") == self._server_name and info.get("jetstream") is True

    def _explain(self, last: str) -> str:
        if "address already in use" not in last:
            return super()._explain(last)
        return (
            f"port {self.port} of 127.0.0.1 is taken by another process: end that process, "
            f"or remove {self.folder / 'port'} to have another port chosen"
        )
