"""While the only web process is killed or restarted, who dials waits for the next: nobody is refused."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import pytest

from broadcaster.engines.children import EngineError
from broadcaster.engines.listening import FDS, Listening, inherited
from broadcaster.engines.natshome import free_port
from broadcaster.engines.supervisor import Child, Supervisor
from broadcaster.service import environment
from broadcaster.settings import Settings
from tests.processes import passable_folder
from tests.waiting import PATIENCE, until

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@dataclass
class Visitors:
    """People who ask without a pause, each time on a new connection. Times are of the monotonic clock."""

    address: tuple[str, int]
    answered: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    """When each dialled, and when it had its answer."""
    cut: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    """The same of those that were taken in and had none."""
    refused: list[float] = field(default_factory=list[float])
    over: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> None:
        while not self.over.is_set():
            began = time.monotonic()
            try:
                with socket.create_connection(self.address, PATIENCE) as dialled:
                    dialled.sendall(REQUEST)
                    said = dialled.recv(64)
            except ConnectionRefusedError:
                self.refused.append(began)
                continue
            except ConnectionResetError:
                said = b""
            (self.answered if said.startswith(b"HTTP/1.1 ") else self.cut).append((began, time.monotonic()))

    def asked_after(self, at: float) -> bool:
        return any(began > at for began, _ in list(self.answered))


@contextmanager
def visitors(address: tuple[str, int], count: int = 4) -> Generator[Visitors]:
    found = Visitors(address)
    threads = [threading.Thread(target=found.ask, daemon=True) for _ in range(count)]
    for each in threads:
        each.start()
    try:
        yield found
    finally:
        found.over.set()
        for each in threads:
            each.join(PATIENCE)


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


IPV6 = pytest.mark.skipif(not has_ipv6(), reason="this machine's loopback has no IPv6")


@pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("[::1]", marks=IPV6)])
def test_nobody_is_refused_while_web_comes_and_goes(city_database: str, host: str) -> None:
    with passable_folder() as data:
        settings = Settings.from_env(
            {
                "BROADCASTER_DATA": str(data),
                "BROADCASTER_DATABASE_URL": city_database,
                "BROADCASTER_NATS_URL": "nats://127.0.0.1:9",
                "BROADCASTER_LISTEN": f"{host}:{free_port()}",
            }
        )
        listening = Listening(settings.host, settings.port)
        listening.open()
        env = dict(os.environ) | environment(settings)
        argv = [sys.executable, "-m", "broadcaster.roles", "web"]
        web = Child("web", argv, env, listening)
        with (
            closing(listening),
            Supervisor(data, (), (web,)) as supervisor,
            visitors((settings.host, settings.port)) as seen,
        ):
            until(lambda: seen.answered, PATIENCE)
            killed = end(supervisor, signal.SIGKILL, seen)
            asked = end(supervisor, signal.SIGTERM, seen)
    assert seen.refused == []
    assert len(seen.answered) > 10
    # What was in hand at the kill is cut, and nothing else: not by its successor, nor by a quiet end.
    assert all(began <= killed for began, _ in seen.cut), (killed, asked, seen.cut)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((settings.host, settings.port))


def end(supervisor: Supervisor, by: signal.Signals, seen: Visitors) -> float:
    """Has web end so, and start again until somebody is answered who came afterwards; when it ended."""
    at, before = time.monotonic(), supervisor.pids()["web"]
    os.kill(before, by)

    def is_back() -> bool:
        supervisor.step(0.05)
        return supervisor.pids().get("web", before) != before and seen.asked_after(at)

    until(is_back, PATIENCE)
    return at


def test_an_address_in_use_is_named() -> None:
    first, second = Listening("127.0.0.1", free_port()), None
    first.open()
    try:
        second = Listening("127.0.0.1", first._port)  # pyright: ignore[reportPrivateUsage]
        with pytest.raises(EngineError, match=r"cannot listen on 127.0.0.1:\d+: Address already in use"):
            second.open()
        assert second.fds == ()
    finally:
        first.close()
    first.open()
    first.close()


def test_what_is_handed_over_must_listen() -> None:
    assert inherited({}) is None
    assert inherited({"LISTEN_PID": "1", "LISTEN_FDS": "1"}) is None
    with socket.socket() as idle, pytest.raises(ValueError, match="does not listen"):
        inherited({FDS: str(os.dup(idle.fileno()))})
    with pytest.raises(ValueError, match="is no socket"):
        inherited({FDS: "9999"})
    with socket.socket() as serving:
        serving.listen()
        handed, *_ = inherited({FDS: str(os.dup(serving.fileno()))}) or [serving]
        with handed:
            assert handed is not serving
            assert handed.getsockname() == serving.getsockname()
            assert not handed.get_inheritable()
