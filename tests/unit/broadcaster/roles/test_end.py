"""The end of a process, in one of its own: a signal ends whoever takes it, and a mask stays."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from broadcaster.roles.loop import ended_by, unless
from tests.waiting import PATIENCE, until

PROGRAM = """
import os, signal, socket, sys, threading, time
from broadcaster.process import logs
from broadcaster.roles import ending
logs.configure()
ending.PATIENCE, ending.IN_DOUBT = {patience}, {in_doubt}
end = ending.Ending()
end.listen()
began = time.monotonic()
end.in_doubt = lambda: {doubt}
end.tell(lambda: print("told", flush=True))
ours, theirs = socket.socketpair()
print("ready", flush=True)
{waits}
"""
FOR_EVER = "ours.recv(1)"
IN_ORDER = "end.asked.wait()"


@contextmanager
def process(
    waits: str, *, patience: float = 0.3, in_doubt: float = 30.0, doubt: str = "False"
) -> Generator[subprocess.Popen[str]]:
    program = PROGRAM.format(patience=patience, in_doubt=in_doubt, doubt=doubt, waits=waits)
    argv = [sys.executable, "-c", program]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as made:
        assert made.stdout is not None
        assert made.stdout.readline() == "ready\n"
        try:
            yield made
        finally:
            made.kill()


def ended(made: subprocess.Popen[str]) -> str:
    said, log = made.communicate(timeout=PATIENCE)
    assert made.returncode == 0, log
    assert said == "told\n"
    assert log.count("role_asked_to_stop") == 1
    return log


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_who_ends_in_order_is_not_cut(asked: signal.Signals) -> None:
    with process(IN_ORDER, patience=30) as made:
        made.send_signal(asked)
        log = ended(made)
    assert asked.name in log
    assert "role_cut" not in log


def test_who_waits_for_a_silent_socket_is_cut() -> None:
    with process(FOR_EVER) as made:
        made.terminate()
        assert "role_cut" in ended(made)


def test_a_second_signal_hurries() -> None:
    with process(FOR_EVER, patience=60) as made:
        assert made.stderr is not None
        made.terminate()
        assert "role_asked_to_stop" in made.stderr.readline()
        made.terminate()
        assert made.wait(PATIENCE) == 0
        assert "role_cut" in made.stderr.read()


def test_who_has_messages_in_doubt_has_longer(tmp_path: Path) -> None:
    noted = tmp_path / "noted"
    # Each look at whether any is in doubt is a letter in a file.
    looks = f"open({str(tmp_path / 'looks')!r}, 'a').write('x') and not os.path.exists({str(noted)!r})"
    with process(FOR_EVER, patience=0.0, doubt=looks) as made:
        made.terminate()
        until(lambda: (tmp_path / "looks").exists() and len((tmp_path / "looks").read_text()) > 3)
        assert made.poll() is None, "not before they are noted"
        noted.touch()
        ended(made)


def test_but_not_for_ever() -> None:
    with process(FOR_EVER, in_doubt=0.5, doubt="True") as made:
        made.terminate()
        assert "role_cut" in ended(made)


def test_work_ends_by_the_stop() -> None:
    async def story() -> list[str]:
        stopped, seen = asyncio.Event(), list[str]()
        asyncio.get_running_loop().call_soon(stopped.set)
        try:
            async with ended_by(stopped):
                await asyncio.Event().wait()
        finally:
            seen.append("behind")
        await asyncio.sleep(0)
        seen.append("goes on")
        return seen

    assert asyncio.run(story()) == ["behind", "goes on"]


def test_a_stop_that_came_before_ends_it_too() -> None:
    async def story() -> str | None:
        stopped = asyncio.Event()
        stopped.set()
        return await unless(stopped, answer(asyncio.Event()))

    assert asyncio.run(story()) is None


def test_without_a_stop_it_answers() -> None:
    async def story() -> str | None:
        there = asyncio.Event()
        there.set()
        return await unless(asyncio.Event(), answer(there))

    assert asyncio.run(story()) == "so"


def test_anothers_cancellation_goes_on() -> None:
    async def story() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await unless(asyncio.Event(), answer(asyncio.Event()))

    asyncio.run(story())


def test_so_does_one_that_comes_with_the_stop() -> None:
    async def story() -> bool:
        stopped = asyncio.Event()
        task = asyncio.create_task(unless(stopped, answer(asyncio.Event())))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        stopped.set()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        return task.cancelled()

    assert asyncio.run(story())


async def answer(there: asyncio.Event) -> str:
    await there.wait()
    return "so"
