"""What the embedded engines share: a server that is our child and comes back at the same address."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from broadcaster.engines.children import Account, EngineError, end, size, spawn, tail
from broadcaster.engines.datafolder import DataFolder

Steps = tuple[tuple[signal.Signals, float], ...]
"""Signals to end a server with, each with its grace in seconds; SIGKILL follows the last."""


class Engine:
    """A server that is our child. Starting twice starts once; stopping twice stops once.

    After the server died, `start` brings it back at the same address, on the same data. It dies with
    this process, however that ends.
    """

    name: str
    ending: ClassVar[Steps]
    ready_within: ClassVar[float]
    """Seconds from the start until it serves; recovery after a crash is part of it."""

    def __init__(self, folder: Path, *, passable: bool = False) -> None:
        self._data = DataFolder(folder, passable=passable)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def folder(self) -> Path:
        """Everything the engine keeps."""
        return self._data.path

    @property
    def log(self) -> Path:
        """What the server writes."""
        return self.folder / "server.log"

    @property
    def pid(self) -> int | None:
        """Of the server, from its start until it was stopped."""
        return None if self._process is None else self._process.pid

    @property
    def code(self) -> int | None:
        """How the server ended, as subprocess has it; None while it runs or never ran."""
        return None if self._process is None else self._process.poll()

    def alive(self) -> bool:
        """Whether the server runs."""
        return self._process is not None and self._process.poll() is None

    def stuck(self) -> bool:
        """Whether it will not work again until it is started anew, and that is worth a try now."""
        return False

    def start(self, wanted: Callable[[], bool] = lambda: True) -> None:
        """Starts the server and returns when it serves.

        `wanted` is asked meanwhile: once it says no, the start is given up. Raises EngineError.
        """
        if self.alive():
            return
        self._data.open()
        try:
            self._launch(wanted)
        except OSError as error:
            # A full disk, say: to be tried again, like any start that failed.
            self.stop()
            raise EngineError(f"cannot start {self.name} in {self.folder}: {error.strerror}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops the server cleanly and gives the folder back."""
        if self._process is not None:
            end(self._process, *self.ending)
            self._process = None
        self._data.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(self, wanted: Callable[[], bool]) -> None:
        """Prepares the folder and calls `_run`."""
        raise NotImplementedError

    def _serves(self, pid: int) -> bool:
        """Whether the server of this pid takes clients."""
        raise NotImplementedError

    def _explain(self, last: str) -> str:
        """Why it did not start, from the last lines of its log."""
        return f"{self.name} did not start; its log {self.log} ends:\n{last}"

    def _run(
        self,
        argv: list[str],
        wanted: Callable[[], bool],
        *,
        cwd: Path,
        death: signal.Signals,
        account: Account | None = None,
    ) -> None:
        """Starts the server and waits until it serves."""
        since = size(self.log)
        self._process = process = spawn(
            argv, cwd=cwd, env=bare_environment(), log=self.log, death=death, account=account
        )
        deadline = time.monotonic() + self.ready_within
        while not self._serves(process.pid):
            if process.poll() is not None or time.monotonic() > deadline:
                raise EngineError(self._explain(tail(self.log, since)))
            if not wanted():
                raise EngineError(f"the start of {self.name} was given up")
            time.sleep(0.005)


def bare_environment() -> dict[str, str]:
    """An environment without our settings: an engine needs none of our secrets."""
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
