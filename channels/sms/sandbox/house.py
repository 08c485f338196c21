"""What the doubles of an SMSC and a mail relay have in common: endpoint, journal, statistics, lifetime."""

import asyncio
import json
import os
import secrets
from abc import ABC, abstractmethod
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Thread
from typing import Any, Self

from channels.gateway import SandboxCount
from channels.sms.sandbox.behaviour import THROTTLED, THROTTLED_ONCE, Behaviour
from channels.sms.sandbox.journal import Journal
from channels.sms.sandbox.stats import Stats

_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Endpoint:
    """Where a double listens and whom it lets in: what its endpoint.json says."""

    host: str
    port: int
    system_id: str
    password: str
    stats_url: str
    stats_port: int
    gone: tuple[int, ...] = ()
    """The statuses it gives for a number no longer in use (SMPP only)."""


class Sandbox(ABC):
    """A double that listens on loopback and keeps its port, password and counts in a folder.

    `with Sandbox(folder):` runs it on a thread of its own, `serve` on the caller's loop until cancelled.
    `stop` and `start` it again: it has the same port, password and counts.
    """

    SYSTEM_ID = "hanoi-alert"
    GONE_STATUSES: tuple[int, ...] = ()

    def __init__(self, folder: Path) -> None:
        self.folder, self.behaviour = folder, Behaviour()
        self.journal: Journal
        self._servers: list[asyncio.Server] = []
        self._lines: set[asyncio.Transport] = set()
        self._throttled: set[str] = set()
        self._share, self._errors, self._taken = 0.0, 0.0, 0

    @abstractmethod
    def texts(self, limit: int) -> list[str]:
        """The last messages it accepted, as people read them, oldest first."""

    @abstractmethod
    def _protocol(self) -> asyncio.Protocol: ...

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens. Raises FileNotFoundError before its first start."""
        return read_endpoint(self.folder)

    def count(self) -> SandboxCount:
        """What it has received since its journal began."""
        return self.journal.count()

    def behave(self, behaviour: Behaviour | None = None) -> None:
        """From now on it misbehaves so; without an argument, well."""
        self.behaviour = behaviour or Behaviour()

    def drop(self) -> None:
        """Breaks every line now."""
        self._loop.call_soon_threadsafe(self._break_lines)

    # --- lifetime ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Listens, at the port of its former life if it had one. Raises OSError if that is taken."""
        started: Future[None] = Future()
        self._thread = Thread(target=lambda: asyncio.run(self._live(started)), daemon=True)
        self._thread.start()
        started.result()

    def stop(self) -> None:
        """Breaks every line and stops listening."""
        self._loop.call_soon_threadsafe(self._living.cancel)
        self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    async def serve(self) -> None:
        """Runs until cancelled. Raises OSError if the port of its former life is taken."""
        await self._open()
        try:
            await self._loop.create_future()
        finally:
            await self._close()

    async def _live(self, started: Future[None]) -> None:
        try:
            await self._open()
        except OSError as error:
            started.set_exception(error)
            return
        self._living = self._loop.create_future()
        started.set_result(None)
        await asyncio.wait({self._living})
        await self._close()

    async def _open(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / "endpoint.json"
        old: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        stats = Stats(self.count, self.behave)
        server = await self._loop.create_server(self._protocol, _HOST, old.get("port", 0))
        self._servers = [server, await asyncio.start_server(stats.answer, _HOST, old.get("stats_port", 0))]
        self.journal = Journal(self.folder / "journal")
        port, stats_port = (server.sockets[0].getsockname()[1] for server in self._servers)
        # SMPP 3.4 §5.2.2: a password has at most eight characters.
        password = old.get("password") or secrets.token_hex(4)
        url = f"http://{_HOST}:{stats_port}/sandbox/count"
        endpoint = Endpoint(_HOST, port, self.SYSTEM_ID, password, url, stats_port, self.GONE_STATUSES)
        _write_private(path, json.dumps(asdict(endpoint)))

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        self._break_lines()
        for server in self._servers:
            await server.wait_closed()
        self.journal.close()

    # --- for the protocols ------------------------------------------------------------------------

    def joined(self, line: asyncio.Transport) -> None:
        """A line came up."""
        self._lines.add(line)

    def left(self, line: asyncio.Transport) -> None:
        """A line is gone."""
        self._lines.discard(line)

    def throttles(self, number: str) -> bool:
        """Whether a message to this number is put off."""
        if number.endswith(THROTTLED_ONCE) and number not in self._throttled:
            self._throttled.add(number)
            return True
        return number.endswith(THROTTLED)

    def throttles_any(self) -> bool:
        """Whether this message is put off to make up the share."""
        self._share += self.behaviour.throttle_share
        if self._share < 1:
            return False
        self._share -= 1
        return True

    def errs(self) -> bool:
        """Whether this message meets an error, to make up the share."""
        self._errors += self.behaviour.error_share
        if self._errors < 1:
            return False
        self._errors -= 1
        return True

    def drops(self) -> bool:
        """Whether the line breaks at this message."""
        self._taken += 1
        every = self.behaviour.drop_every
        return every > 0 and self._taken % every == 0

    def later(self, write: Any, *answers: Any) -> None:
        """Writes answers when the latency says."""
        if latency := self.behaviour.latency_ms:
            self._loop.call_later(latency / 1000, write, *answers)
        else:
            write(*answers)

    def _break_lines(self) -> None:
        for line in tuple(self._lines):
            line.abort()


def read_endpoint(folder: Path) -> Endpoint:
    """Where the double of the folder listens. Raises FileNotFoundError before its first start."""
    stored: dict[str, Any] = json.loads((folder / "endpoint.json").read_text())
    stored["gone"] = tuple(stored["gone"])
    return Endpoint(**stored)


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)
    fresh.replace(path)
