"""One of the product's own processes, as the supervisor starts, watches and ends it."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from broadcaster.engines.children import end, spawn
from broadcaster.engines.listening import FDS, Listening


@dataclass(frozen=True)
class Child:
    """What to run. `env` is the whole environment; it may hold secrets, `argv` may not."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(repr=False)
    serves: Listening | None = None
    """The sockets that it is handed at each start; they are open before it and after it."""


class ChildProcess:
    """A child in a process group of its own, with all that it starts itself.

    Ctrl-C reaches only the supervisor. What is left of the group when the child itself has ended is
    killed: it would hold the child's ports against its successor.
    """

    def __init__(self, child: Child, logs: Path | None) -> None:
        self.name = child.name
        self._child = child
        self._log = None if logs is None else logs / f"{child.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Of the process, from its start until it was stopped."""
        return None if self._process is None else self._process.pid

    @property
    def code(self) -> int | None:
        """How it ended, as subprocess has it; None while it runs or never ran."""
        return None if self._process is None else self._process.returncode

    def alive(self) -> bool:
        """Whether it runs."""
        process = self._process
        if process is None or process.returncode is not None:
            return False
        # Without reaping: until then the pid, which names the group, cannot be another's.
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return True
        _kill_group(process.pid)
        process.wait()
        return False

    def stuck(self) -> bool:
        """Never: a role waits for what it lacks, and goes on."""
        return False

    def start(self, wanted: Callable[[], bool] = lambda: True) -> None:
        """Starts it unless it runs, or is no longer wanted. Raises EngineError."""
        if self.alive() or not wanted():
            return
        fds = self._child.serves.fds if self._child.serves else ()
        handed = {FDS: ",".join(map(str, fds))} if fds else {}
        self._process = spawn(
            self._child.argv,
            cwd=Path.cwd(),
            env={**self._child.env, **handed},
            pass_fds=fds,
            log=self._log,
            death=signal.SIGTERM,
        )

    def ask_to_stop(self) -> None:
        """Sends SIGTERM to the child alone; it ends what it started."""
        if self._process is not None and self.alive():
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Kills it and its group where it still runs."""
        if self._process is not None and self.alive():
            _kill_group(self._process.pid)
            end(self._process)
        self._process = None


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:  # nothing is left of it
        return
