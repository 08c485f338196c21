"""A demo city as a process of its own, for end-to-end tests."""

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import httpx
import psycopg

from broadcaster import reference
from broadcaster.engines.embedded import PostgresServer
from tests.processes import begin, end
from tests.waiting import until

BROADCASTER = (sys.executable, "-m", "broadcaster")
STARTED_WITHIN = 240.0


@dataclass
class City:
    """A running demo. `figures` is what it printed once all was delivered."""

    data: Path
    process: subprocess.Popen[str]
    figures: dict[str, Any]
    demo: dict[str, Any]
    web: httpx.Client

    def pid(self, unit: str) -> int:
        return json.loads((self.data / "run" / "pids.json").read_text())[unit]

    def kill(self, unit: str) -> int:
        """kill -9, and waits until the supervisor has another one running."""
        killed = self.pid(unit)
        os.kill(killed, signal.SIGKILL)

        def successor() -> int | None:
            try:
                pid = self.pid(unit)
            except (KeyError, FileNotFoundError, ValueError):
                return None
            return pid if pid != killed else None

        return until(successor)

    def key(self, body: str, role: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.demo['keys'][body][role]}"}

    def post(
        self, path: str, body: str, role: str, content: object | None = None, *, seen: int | None = None
    ) -> httpx.Response:
        """A write that is repeated under one key while the house comes back; `seen` is what was read."""
        headers = self.key(body, role) | {"Idempotency-Key": uuid4().hex}
        if seen is not None:
            headers["If-Match"] = f'"{seen}"'

        def answer() -> httpx.Response | None:
            try:
                got = self.web.post(path, json={} if content is None else content, headers=headers)
            except httpx.TransportError:
                return None
            return None if got.is_server_error else got

        return until(answer)

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        def answer() -> httpx.Response | None:
            try:
                got = self.web.get(path, headers=headers or {})
            except httpx.TransportError:
                return None
            return None if got.is_server_error else got

        return until(answer)

    def issue(self, sample: str = "sample-01") -> str:
        """Issues a sample once more, as a new alert; answers its id."""
        one = next(each for each in reference.sample_alerts() if each.id == sample)
        content = one.content().model_dump(mode="json", exclude_none=True)
        drafted = self.post(
            "/v1/alerts", one.issuer_id, "author", {"issuer": one.issuer_id, "content": content}
        )
        assert drafted.status_code == 201, drafted.text
        return self.send_out(drafted.json(), one.issuer_id)

    def send_out(self, alert: dict[str, Any], body: str) -> str:
        """Submit, approve, issue; answers its id."""
        for step, role in (("submit", "author"), ("approve", "approver"), ("issue", "author")):
            answer = self.post(f"/v1/alerts/{alert['id']}/{step}", body, role, seen=alert["version"])
            assert answer.is_success, answer.text
            alert = answer.json()
        return alert["id"]

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(PostgresServer(self.data / "postgres").url, autocommit=True)

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*BROADCASTER, *argv, "--data", str(self.data)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@contextmanager
def city(data: Path, argv: Sequence[str]) -> Generator[City]:
    """Starts the demo, waits for its figures, and ends it with Ctrl-C."""
    command = [*BROADCASTER, "demo", "--json", "--data", str(data), *argv]
    with (data.parent / "demo.err").open("w") as errors:
        process = begin(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            assert process.stdout is not None
            line = _line(process, process.stdout)
            assert line, (data.parent / "demo.err").read_text()[-3000:]
            demo = json.loads((data / "demo.json").read_text())
            with httpx.Client(base_url=demo["address"], timeout=10) as web:
                yield City(data, process, json.loads(line), demo, web)
        finally:
            try:
                if process.poll() is None:
                    end(process, signal.SIGINT)
            finally:
                if process.stdout is not None:
                    process.stdout.close()


def _line(process: subprocess.Popen[str], stdout: IO[str]) -> str:
    """The first line, or nothing where the process ended without one."""
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        if not selector.select(STARTED_WITHIN):
            process.send_signal(signal.SIGINT)
            return ""
    return stdout.readline()
