"""Children that die with their parent (Linux): how the engines and the product's processes are started."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

_PR_SET_PDEATHSIG = 1
_LOG_LIMIT = 10_000_000  # bytes; a longer log is set aside when its process starts again
_TAIL = 12  # lines

_log = structlog.get_logger(__name__)

# Looked up before any fork: between fork and exec a child must not take a lock.
_prctl: Callable[[int, int], int] | None = (
    ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None
)


class EngineError(Exception):
    """An engine cannot run. One line: what is wrong, and what to do; then the log's tail, if any."""


@dataclass(frozen=True)
class Account:
    """The system account a child runs under."""

    uid: int
    gid: int


def spawn(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path | None,
    death: signal.Signals,
    account: Account | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Starts a child in its own process group, which receives `death` when this process ends.

    The kernel sends that signal when the forking *thread* ends, so only the main thread may call
    this. `env` is the child's whole environment; of our open files it has `pass_fds` alone. Without a
    `log` the child writes where we write.
    Raises EngineError.
    """
    if _prctl is None:
        raise EngineError(
            "children that die with their parent need Linux; use servers of your own elsewhere"
        )
    if threading.current_thread() is not threading.main_thread():
        raise EngineError(
            "start engines and children from the main thread: they die with the thread that forks"
        )
    parent, prctl = os.getpid(), _prctl

    def bind_to_parent() -> None:
        prctl(_PR_SET_PDEATHSIG, death)
        if os.getppid() != parent:  # it died in between
            os.kill(os.getpid(), signal.SIGKILL)

    sink = None if log is None else _opened(log)
    try:
        return subprocess.Popen(  # noqa: S603 - argv comes from our own code, never from a request
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            process_group=0,
            pass_fds=pass_fds,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            preexec_fn=bind_to_parent,  # noqa: PLW1509 - one system call, looked up before the fork
        )
    except OSError as error:
        raise EngineError(f"cannot start {argv[0]}: {error.strerror}") from error
    finally:
        if sink is not None:
            os.close(sink)


def end(process: subprocess.Popen[bytes], *steps: tuple[signal.Signals, float]) -> int:
    """Ends a child by signals, each with its grace in seconds, then by SIGKILL. Its return code."""
    for step, grace in steps:
        if process.poll() is not None:
            break
        process.send_signal(step)
        try:
            return process.wait(grace)
        except subprocess.TimeoutExpired:
            continue
    if process.poll() is None:
        process.kill()
    return process.wait()


def at_work_in(folder: Path, command: str) -> list[int]:
    """The processes named `command` (as in /proc/PID/comm) whose working directory is `folder`."""

    def fits(process: Path) -> bool:
        return (process / "comm").read_text().strip() == command and (process / "cwd").samefile(folder)

    return _processes(fits)


def marked(variable: str, value: str) -> list[int]:
    """The processes that were started with this variable in their environment; never this one."""
    wanted = f"{variable}={value}".encode(errors="surrogateescape")
    return _processes(lambda process: wanted in (process / "environ").read_bytes().split(b"\0"))


def _processes(fits: Callable[[Path], bool]) -> list[int]:
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int(entry.name) != os.getpid() and fits(entry):
                found.append(int(entry.name))
        except OSError:  # it ended meanwhile, or is another account's
            continue
    return found


def end_leftovers(find: Callable[[], list[int]], *steps: tuple[signal.Signals, float]) -> None:
    """Ends what a dead parent left behind, by signals, each with its grace in seconds.

    The caller holds the lock of the folder they work on, so `find` names nobody's living children.
    Raises EngineError where one outlives every signal.
    """
    left = find()
    for step, grace in steps:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, step)
        deadline = time.monotonic() + grace
        while (left := find()) and time.monotonic() < deadline:
            time.sleep(0.02)
    if left:
        raise EngineError(f"process {left[0]} of an earlier run does not end; end it first")


def open_log(path: Path) -> int:
    """A file descriptor that appends to a log readable by its owner only; a long one becomes `.1`."""
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.replace(path.with_name(path.name + ".1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _opened(log: Path) -> int | None:
    """As `open_log`; None where it cannot be: who has no room for a log still sends, and says it here."""
    try:
        return open_log(log)
    except OSError as error:
        _log.warning("log_not_opened", log=log.name, error=error.strerror)
        return None


def tail(path: Path, since: int = 0) -> str:
    """The last lines of a log, of what was written after byte `since`."""
    try:
        text = path.read_bytes()[since:].decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-_TAIL:])


def size(path: Path) -> int:
    """The bytes of a log so far; 0 where there is none, or where a start will set it aside."""
    length = path.stat().st_size if path.exists() else 0
    return 0 if length > _LOG_LIMIT else length
