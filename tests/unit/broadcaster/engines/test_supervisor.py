import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import nats
import nats.js.errors
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.js.api import StreamConfig

from broadcaster.engines.embedded import EngineError, NatsServer, PostgresServer
from broadcaster.engines.kept import pause_before_restart
from broadcaster.engines.supervisor import Child, Supervisor
from tests.processes import begin, gone, passable_folder
from tests.waiting import PATIENCE, until

PATH = {"PATH": os.defpath}
NEVER_OVER = 3600.0
"""A grace that no test sits out: what ends within a test ended before it."""
SLEEPER = Child("sleeper", ("sleep", "1000"), PATH)


def shell(name: str, script: str) -> Child:
    return Child(name, ("sh", "-c", script), PATH)


def pids(data: Path) -> dict[str, int]:
    path = data / "run" / "pids.json"
    return json.loads(path.read_text()) if path.exists() else {}


def step_until(supervisor: Supervisor, condition: Callable[[], bool]) -> None:
    def stepped() -> bool:
        supervisor.step(0.05)
        return condition()

    until(stepped)


@contextmanager
def supervisor_process() -> Generator[tuple[Path, subprocess.Popen[bytes], dict[str, int]]]:
    """A running supervisor of both engines and two children, one of which ignores SIGTERM."""
    with passable_folder() as data:
        process = begin([sys.executable, "-m", "tests.supervised", str(data)])
        try:
            until(lambda: "stubborn" in pids(data))
            told = (data / "log" / "stubborn.log").read_text
            yield data, process, pids(data) | {"grandchild": int(until(told))}
        finally:
            process.kill()
            process.wait()
            # What a test that failed has left: the one that ignores SIGTERM, and what it began.
            with Supervisor(data, (), (), grace=0.1):
                pass


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Generator[Path]:
    """A file system of its own. Skips where even root may not mount one, as in most containers."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(path: Path) -> None:
    """Takes all that is free."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass


async def publish(server: NatsServer, message: bytes, patience: float = 5) -> int | None:
    """The place it got in a stream of its own; None where the stream does not answer."""
    client = await nats.connect(server.url, token=server.token)
    try:
        js = client.jetstream()
        await js.add_stream(StreamConfig(name="KEPT", subjects=["kept"]))
        return (await js.publish("kept", message, timeout=patience)).seq
    except (TimeoutError, nats.js.errors.APIError):
        return None
    finally:
        await client.close()


class TestPause:
    def test_it_doubles_from_a_fifth_of_a_second_to_five(self) -> None:
        assert [pause_before_restart(n) for n in range(1, 8)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]

    @given(st.integers(1, 10**9))
    def test_it_is_bounded(self, failures: int) -> None:
        assert 0.2 <= pause_before_restart(failures) <= 5.0


class TestChildren:
    def test_a_killed_child_comes_back_after_a_pause(self, tmp_path: Path) -> None:
        with Supervisor(tmp_path, (), (SLEEPER,)) as supervisor:
            first = pids(tmp_path)["sleeper"]
            os.kill(first, signal.SIGKILL)
            step_until(supervisor, lambda: "sleeper" not in pids(tmp_path))
            step_until(supervisor, lambda: pids(tmp_path).get("sleeper", first) != first)
            assert not gone(pids(tmp_path)["sleeper"])

    def test_a_data_folder_that_takes_no_file_stops_nobody(self, tmp_path: Path) -> None:
        with Supervisor(tmp_path, (), (SLEEPER,)) as supervisor:
            first = pids(tmp_path)["sleeper"]
            for name in ("run", "log"):  # as on a full disk: no file can be made
                (tmp_path / name).rename(tmp_path / f"{name}.away")
            os.kill(first, signal.SIGKILL)
            step_until(supervisor, lambda: supervisor.pids().get("sleeper", first) != first)
            assert not gone(supervisor.pids()["sleeper"])
            assert pids(tmp_path) == {}
            (tmp_path / "run.away").rename(tmp_path / "run")
            step_until(supervisor, lambda: pids(tmp_path) == supervisor.pids())

    def test_a_child_that_keeps_failing_is_started_ever_more_rarely(self, tmp_path: Path) -> None:
        child = shell("failing", "date +%s.%N; exit 3")
        with Supervisor(tmp_path, (), (child,)) as supervisor:
            told = (tmp_path / "log" / "failing.log").read_text
            step_until(supervisor, lambda: len(told().splitlines()) >= 4)
        first, second, third, fourth = map(float, told().splitlines())
        assert second - first >= 0.2
        assert third - second >= 0.4
        assert fourth - third >= 0.8

    def test_what_a_dead_child_had_started_is_killed(self, tmp_path: Path) -> None:
        child = shell("leader", "sleep 1000 & echo $!; wait")
        with Supervisor(tmp_path, (), (child,)) as supervisor:
            worker = int(until((tmp_path / "log" / "leader.log").read_text))
            os.kill(pids(tmp_path)["leader"], signal.SIGKILL)
            step_until(supervisor, lambda: gone(worker))

    def test_stopping_asks_first_and_kills_after_the_grace(self, tmp_path: Path) -> None:
        polite = shell("polite", "trap 'echo done; exit 0' TERM; echo ready; while :; do sleep 0.01; done")
        stubborn = shell("stubborn", "trap '' TERM; echo ready; while :; do sleep 0.01; done")
        # Who is asked has the time it takes; who does not listen has no more than the grace.
        for child, grace, last in ((polite, NEVER_OVER, "ready\ndone\n"), (stubborn, 0.3, "ready\n")):
            log = tmp_path / "log" / f"{child.name}.log"
            supervisor = Supervisor(tmp_path, (), (child,), grace=grace)
            supervisor.start()
            pid = pids(tmp_path)[child.name]
            until(lambda log=log: "ready" in log.read_text())
            supervisor.stop()
            supervisor.stop()
            assert log.read_text() == last
            assert gone(pid)
            assert pids(tmp_path) == {}

    def test_a_child_has_its_own_environment_and_process_group(self, tmp_path: Path) -> None:
        script = "env; ps -o pgid= -p $$; echo end; sleep 1000"
        child = Child("env", ("sh", "-c", script), {**PATH, "TOKEN": "secret-value"})
        assert "secret-value" not in repr(child)
        log = tmp_path / "log" / "env.log"
        with Supervisor(tmp_path, (), (child,)):
            until(lambda: log.read_text().endswith("end\n"))
            *variables, group, _ = log.read_text().splitlines()
            assert int(group) == pids(tmp_path)["env"] != os.getpgrp()
            assert "TOKEN=secret-value" in variables
            assert not any(line.startswith("HOME=") for line in variables)
            assert log.stat().st_mode & 0o077 == 0

    def test_stopping_takes_no_longer_than_the_children_do(self, tmp_path: Path) -> None:
        supervisor = Supervisor(tmp_path, (), (SLEEPER,), grace=NEVER_OVER)
        supervisor.start()
        supervisor.stop()
        assert pids(tmp_path) == {}

    def test_a_second_request_ends_the_grace(self, tmp_path: Path) -> None:
        child = shell("stubborn", "trap '' TERM; echo ready; while :; do sleep 0.01; done")
        supervisor = Supervisor(tmp_path, (), (child,), grace=NEVER_OVER)
        supervisor.start()
        until((tmp_path / "log" / "stubborn.log").read_text)
        supervisor.request_stop()
        supervisor.request_stop()
        supervisor.stop()
        assert pids(tmp_path) == {}

    def test_what_a_killed_supervisor_left_ends_before_the_next_begins(self, tmp_path: Path) -> None:
        left = subprocess.Popen(
            ["sleep", "1000"], env={**PATH, "BROADCASTER_SUPERVISED_IN": str(tmp_path.resolve())}
        )
        stranger = subprocess.Popen(
            ["sleep", "1000"], env={**PATH, "BROADCASTER_SUPERVISED_IN": "/elsewhere"}
        )
        try:
            with Supervisor(tmp_path, (), ()):
                assert gone(left.pid)
                assert not gone(stranger.pid)
        finally:
            stranger.kill()
            stranger.wait()
            left.wait()

    def test_starting_again_leaves_what_runs_alone(self, tmp_path: Path) -> None:
        with Supervisor(tmp_path, (), (SLEEPER,)) as supervisor:
            before = pids(tmp_path)
            supervisor.start()
            supervisor.step(0.3)
            assert pids(tmp_path) == before
            assert not gone(before["sleeper"])

    def test_a_missing_program_stops_the_start(self, tmp_path: Path) -> None:
        supervisor = Supervisor(tmp_path, (), (SLEEPER, Child("none", ("/none",), PATH)))
        with pytest.raises(EngineError, match="cannot start /none"):
            supervisor.start()
        assert pids(tmp_path) == {}
        with Supervisor(tmp_path, (), ()):
            pass

    def test_a_data_folder_has_one_supervisor(self, tmp_path: Path) -> None:
        with Supervisor(tmp_path, (), ()), pytest.raises(EngineError, match="in use by pid"):
            Supervisor(tmp_path, (), ()).start()

    def test_two_children_of_one_name_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="a name of its own"):
            Supervisor(tmp_path, (), (SLEEPER, SLEEPER))

    @pytest.mark.parametrize("number", [None, signal.SIGINT, signal.SIGHUP])
    def test_run_returns_when_it_is_asked_to(self, tmp_path: Path, number: int | None) -> None:
        supervisor = Supervisor(tmp_path, (), (SLEEPER,))

        def ask() -> None:
            until(lambda: pids(tmp_path))
            if number is None:
                supervisor.request_stop()
            else:
                os.kill(os.getpid(), number)

        before = signal.getsignal(signal.SIGINT)
        thread = threading.Thread(target=ask)
        thread.start()
        supervisor.run()
        thread.join()
        assert pids(tmp_path) == {}
        assert signal.getsignal(signal.SIGINT) is before


def test_killed_engines_come_back_at_the_same_address() -> None:
    with passable_folder() as data:
        postgres, nats = PostgresServer(data / "postgres", durable=False), NatsServer(data / "nats")
        with Supervisor(data, (postgres, nats), (SLEEPER,)) as supervisor:
            before, addresses = pids(data), (postgres.url, nats.url)
            for name in ("postgres", "nats"):
                os.kill(before[name], signal.SIGKILL)
            step_until(
                supervisor,
                lambda: all(
                    pids(data).get(name, before[name]) != before[name] for name in ("postgres", "nats")
                ),
            )
            assert (postgres.url, nats.url) == addresses
            with psycopg.connect(postgres.url) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
            assert pids(data)["sleeper"] == before["sleeper"]
        assert not postgres.alive()
        assert not nats.alive()


def test_an_engine_whose_folder_takes_no_file_is_tried_again(tmp_path: Path) -> None:
    engine = NatsServer(tmp_path / "nats")
    with Supervisor(tmp_path, (engine,), ()) as supervisor:
        blocker = engine.folder / "nats.conf.new"
        blocker.mkdir()  # as on a full disk: its configuration cannot be written
        killed = pids(tmp_path)["nats"]
        os.kill(killed, signal.SIGKILL)
        begun = time.monotonic()
        step_until(supervisor, lambda: time.monotonic() - begun > 0.5)
        assert not engine.alive()
        blocker.rmdir()
        step_until(supervisor, engine.alive)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can have a disk of its own")
def test_a_broker_whose_disk_was_full_takes_messages_again(tmp_path: Path) -> None:
    """Its stream takes none more by itself, and does not answer who publishes."""
    with (
        small_disk(tmp_path / "nats", 16) as disk,
        Supervisor(tmp_path, (NatsServer(disk),), ()) as supervisor,
    ):
        engine = NatsServer(disk)  # for its address
        asyncio.run(publish(engine, b"before"))
        filler = disk / "filler"
        fill(filler)
        failed = disk / "server.log"
        asyncio.run(publish(engine, bytes(100_000), patience=0.3))
        step_until(supervisor, lambda: "no space left" in failed.read_text(errors="replace"))
        first = pids(tmp_path)["nats"]
        supervisor.step()
        assert supervisor.pids()["nats"] == first  # not while there is no room
        filler.unlink()
        step_until(supervisor, lambda: supervisor.pids().get("nats", first) != first)
        assert asyncio.run(publish(engine, b"after")) == 2


def test_a_clean_stop_leaves_no_process() -> None:
    with supervisor_process() as (data, process, running):
        process.terminate()
        assert process.wait(PATIENCE) == 0
        until(lambda: all(map(gone, running.values())))
        assert pids(data) == {}
        assert not (data / "postgres" / "cluster" / "postmaster.pid").exists()


def test_a_killed_supervisor_leaves_no_engine_and_asks_its_children_to_end() -> None:
    with supervisor_process() as (data, process, running):
        process.kill()
        process.wait()
        for name in ("postgres", "nats", "sleeper"):
            until(lambda pid=running[name]: gone(pid))
        assert not gone(running["stubborn"])  # it ignores SIGTERM; the next run ends it
        with Supervisor(data, (), (), grace=0.1):
            assert gone(running["stubborn"])
            assert gone(running["grandchild"])
