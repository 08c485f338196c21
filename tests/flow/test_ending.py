"""Every role ends when it is asked to, whatever is away or says nothing. The sockets are real."""

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from broadcaster.engines.children import end, spawn
from broadcaster.engines.embedded import NatsServer
from broadcaster.keys import files as key_files
from broadcaster.roles import Role, ending, plant
from broadcaster.settings import Settings
from channels.push.sandbox import PushSandbox
from schemas.content import Channel
from tests.ports import deaf_port, own_port
from tests.waiting import PATIENCE, until

STARTS = 240.0
"""Seconds: a busy machine is slow to start six processes."""
IN_ORDER = 10 * PATIENCE
"""Seconds that a role is given to end in order where it is to show that it does: it is not cut before."""
ROLE = """
import runpy, sys
from broadcaster.roles import ending
ending.PATIENCE = float(sys.argv.pop(1))
runpy.run_module("broadcaster.roles", run_name="__main__", alter_sys=True)
"""
CARRIER = {"host": "127.0.0.1", "system_id": "double", "password": "double", "gone": []}
BY_BROKER = (Role.RELAY, Role.PUSH, Role.SMS)
BY_PROVIDER = (Role.FOLLOW, Role.PUSH, Role.SMS)
SERVING = (Role.WEB, Role.LED_EDGE)


class Silent:
    """Takes connections, and never says a word."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.taken = queue.SimpleQueue[socket.socket]()
        self._kept: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        for one in self._kept:
            one.close()

    def _run(self) -> None:
        while True:
            try:
                taken, _ = self._socket.accept()
            except OSError:
                return
            self._kept.append(taken)
            self.taken.put(taken)


@dataclass
class Running:
    """A role's process."""

    role: Role
    process: subprocess.Popen[bytes]
    log: Path
    listen: tuple[str, int]
    silent: Silent

    def said(self) -> list[dict[str, Any]]:
        """Its log, line by line."""
        return [json.loads(line) for line in self.text().splitlines() if line.startswith("{")]

    def text(self) -> str:
        """The same as it stands."""
        return self.log.read_text(encoding="utf-8")

    def says(self, event: str) -> None:
        """Waits for such a line."""
        until(
            lambda: event in [one["event"] for one in self.said()] or self.process.poll() is not None,
            STARTS,
        )

    def serves(self) -> None:
        """Waits until it takes connections."""
        until(lambda: connects(self.listen) or self.process.poll() is not None, STARTS)


def connects(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, PATIENCE).close()
    except OSError:
        return False
    return True


@dataclass
class Place:
    """Where roles run: a folder with keys, and what else they are told."""

    folder: Path
    environment: dict[str, str]
    nats: NatsServer

    @contextmanager
    def running(
        self,
        roles: Iterable[Role],
        awry: Callable[[int], Mapping[str, str]] = lambda _: {},
        patience: float = ending.PATIENCE,
    ) -> Generator[list[Running]]:
        """A process each; `awry` is told a silent port of the role's own, and says what is other for it."""
        with ExitStack() as stack:
            started: list[Running] = []
            for role in roles:
                silent = stack.enter_context(Silent())
                log = self.folder / f"{role}.log"
                listen = ("127.0.0.1", own_port())
                told = {"BROADCASTER_LISTEN": f"{listen[0]}:{listen[1]}", **awry(silent.port)}
                argv = [sys.executable, "-c", ROLE, str(patience), role.value]
                env = os.environ | self.environment | told
                process = spawn(argv, cwd=self.folder, env=env, log=log, death=signal.SIGKILL)
                stack.callback(end, process, (signal.SIGKILL, 10))
                started.append(Running(role, process, log, listen, silent))
            yield started


@pytest.fixture
def place(city_database: str, nats: NatsServer, tmp_path: Path) -> Generator[Place]:
    settings = Settings.from_env({}, data=tmp_path)
    key_files.make(settings)
    environment = {
        "BROADCASTER_DATA": str(tmp_path),
        "BROADCASTER_DATABASE_URL": city_database,
        "BROADCASTER_NATS_URL": nats.url,
        "BROADCASTER_NATS_TOKEN": nats.token,
        "BROADCASTER_PROVIDERS": "sandbox",
    }
    doubles = tmp_path / "sandbox"
    with PushSandbox(doubles / "fcm"), deaf_port() as nobody:
        for name in ("smsc", "smtp"):
            (doubles / name).mkdir()
            (doubles / name / "endpoint.json").write_text(json.dumps(CARRIER | {"port": nobody}))
        yield Place(tmp_path, environment, nats)


def ends(running: list[Running], asked: signal.Signals) -> None:
    """All are asked, and end by themselves, in order or cut."""
    for one in running:
        one.process.send_signal(asked)
    for one in running:
        code = one.process.wait(PATIENCE)
        text = one.text()
        assert (one.role, code) == (one.role, 0), text
        assert "Traceback" not in text, text
        told = [said["signal"] for said in one.said() if said["event"] == "role_asked_to_stop"]
        assert told == [asked.name], text


def all_work(place: Place, running: list[Running]) -> None:
    """Waits until each does what it is for."""
    settings = Settings.from_env(place.environment)
    for one in running:
        if one.role in SERVING:
            one.serves()
        one.says("role_starts")
    for channel in {Channel(one.role.value) for one in running if one.role in {Role.PUSH, Role.SMS}}:
        until(lambda channel=channel: is_worked(settings, channel), STARTS)


def is_worked(settings: Settings, channel: Channel) -> bool:
    """Whether a worker waits on each lane of the channel."""
    lanes = plant.lanes(settings) or ()
    return bool(lanes) and all(lane.workers for lane in lanes if lane.channel is channel)


def test_all_is_there(place: Place) -> None:
    with place.running(Role, patience=IN_ORDER) as running:
        all_work(place, running)
        ends(running, signal.SIGTERM)
        assert "role_cut" not in "".join(one.text() for one in running)


def test_a_broker_that_falls_silent(place: Place) -> None:
    with place.running(BY_BROKER) as running:
        all_work(place, running)
        assert place.nats.pid is not None
        os.kill(place.nats.pid, signal.SIGSTOP)
        try:
            ends(running, signal.SIGTERM)
        finally:
            os.kill(place.nats.pid, signal.SIGCONT)


def test_no_broker(place: Place) -> None:
    def awry(_: int) -> Mapping[str, str]:
        return {"BROADCASTER_NATS_URL": f"nats://127.0.0.1:{nobody}"}

    with deaf_port() as nobody, place.running(BY_BROKER, awry, IN_ORDER) as running:
        for one in running:
            one.says("transport_awaited")
        ends(running, signal.SIGINT)
        assert "role_cut" not in "".join(one.text() for one in running)


def test_a_broker_that_says_nothing(place: Place) -> None:
    def awry(port: int) -> Mapping[str, str]:
        return {"BROADCASTER_NATS_URL": f"nats://127.0.0.1:{port}"}

    with place.running(BY_BROKER, awry) as running:
        for one in running:
            one.silent.taken.get(timeout=STARTS)
        ends(running, signal.SIGTERM)


def test_no_database(place: Place) -> None:
    def awry(_: int) -> Mapping[str, str]:
        return {"BROADCASTER_DATABASE_URL": f"postgresql://nobody@127.0.0.1:{nobody}/none"}

    with deaf_port() as nobody, place.running(Role, awry) as running:
        for one in running:
            one.says("role_starts")
        ends(running, signal.SIGTERM)


def test_a_database_that_says_nothing(place: Place) -> None:
    def awry(port: int) -> Mapping[str, str]:
        return {"BROADCASTER_DATABASE_URL": f"postgresql://nobody@127.0.0.1:{port}/none"}

    with place.running(Role, awry) as running:
        for one in running:
            one.silent.taken.get(timeout=STARTS)
        ends(running, signal.SIGINT)


def test_no_provider(place: Place) -> None:
    for told in (place.folder / "sandbox").glob("*/endpoint.json"):
        told.unlink()
    with place.running(BY_PROVIDER) as running:
        for one in running:
            one.says("role_starts")
        ends(running, signal.SIGTERM)


def test_a_provider_that_says_nothing(place: Place) -> None:
    with place.running([Role.SMS], lambda port: says_where(place.folder, port)) as running:
        running[0].silent.taken.get(timeout=STARTS)
        ends(running, signal.SIGTERM)


def says_where(folder: Path, port: int) -> Mapping[str, str]:
    """The carrier's double is there."""
    told = folder / "sandbox" / "smsc" / "endpoint.json"
    told.write_text(json.dumps(CARRIER | {"port": port}))
    return {}
