"""What tests of processes share: folders for engines, children that end with us, whether one is gone."""

import ctypes
import os
import signal
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl


@contextmanager
def passable_folder() -> Generator[Path]:
    """A temporary folder that PostgreSQL can reach even when we are root; pytest's own are closed to it."""
    with tempfile.TemporaryDirectory(prefix="broadcaster-tests-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


def begin(argv: Sequence[str], **how: Any) -> "subprocess.Popen[Any]":
    """A child that is asked to end when the tests are killed: nobody is left then who would end it.

    To be called from the main thread: it dies with the thread that began it.
    """
    parent = os.getpid()

    def bound() -> None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)

    return subprocess.Popen(argv, preexec_fn=bound, **how)  # noqa: PLW1509 - two system calls


def end(child: "subprocess.Popen[Any]", asked: signal.Signals, seconds: float = 120) -> None:
    """Asks it to end, and kills it where it does not."""
    child.send_signal(asked)
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        raise


def gone(pid: int) -> bool:
    """Whether the process has ended with all its threads, be it reaped or not."""
    process = Path(f"/proc/{pid}")
    try:
        state = (process / "stat").read_text().rpartition(") ")[2]
        return state.startswith("Z") and len(list((process / "task").iterdir())) == 1
    except (FileNotFoundError, ProcessLookupError):
        return True
