"""Keeps engines and processes running, and stops them in order."""

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import structlog

from broadcaster.engines.childprocess import Child, ChildProcess
from broadcaster.engines.children import EngineError, end_leftovers, marked
from broadcaster.engines.datafolder import DataFolder, write_private
from broadcaster.engines.engine import Engine
from broadcaster.engines.kept import Kept

__all__ = ["Child", "Supervisor"]

_MARK = "BROADCASTER_SUPERVISED_IN"  # in a child's environment: the data folder, to find what a kill left
_IDLE = 60.0  # seconds between looks while nothing happens
_LOOK = 2.0  # seconds between looks at whether an engine is stuck, or pids.json can be written by now
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

log = structlog.get_logger(__name__)


class Supervisor:
    """Runs engines, then children; starts again what dies; stops children, then engines in reverse.

    It locks `data` and writes there `run/pids.json` (name to pid, at every change) and, for each
    child, `log/NAME.log`; with `echo` the children write where this process writes instead. `grace`
    is what children get between SIGTERM and SIGKILL, in seconds. Everything here is called in the
    main thread, except `request_stop`.
    """

    def __init__(
        self,
        data: Path,
        engines: Sequence[Engine],
        children: Sequence[Child],
        *,
        grace: float = 10.0,
        echo: bool = False,
    ) -> None:
        self._data = DataFolder(data, passable=True)
        self._grace = grace
        logs = None if echo else self._data.path / "log"
        self._processes = [ChildProcess(self._mark(child), logs) for child in children]
        self._engines = [Kept(engine) for engine in engines]
        self._children = [Kept(process) for process in self._processes]
        self._all = [*self._engines, *self._children]
        names = ["supervisor", *(kept.unit.name for kept in self._all)]
        if len(set(names)) != len(names):
            raise ValueError(f"every engine and child needs a name of its own: {names}")
        self._asked = 0
        self._wake: int | None = None
        self._told = True

    def run(self) -> None:
        """Starts all and returns after a stop that SIGTERM, SIGINT, SIGHUP or `request_stop` asked for.

        A second signal ends the children's grace. Raises EngineError where the start fails.
        """
        before = {each: signal.signal(each, self._on_signal) for each in _STOP_SIGNALS}
        try:
            with self:
                while self._wanted():
                    self.step(_IDLE)
        except EngineError:
            if self._wanted():
                raise
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def start(self) -> None:
        """Starts what does not run, in order; returns when the engines serve.

        Raises EngineError, with all stopped.
        """
        self._data.open()
        try:
            if self._wake is None:
                self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                self._prepare()
            for kept in self._all:
                kept.begin(self._wanted)
                self._publish()
        except BaseException:
            self.stop()
            raise

    def step(self, timeout: float = 0.0) -> None:
        """Waits at most `timeout` seconds for an end, a restart that is due or a stop; then acts on it."""
        self._wait(min(timeout, _LOOK) if self._engines or not self._told else timeout)
        if not self._told:
            self._publish()
        for kept in self._all:
            if kept.ended():
                self._ended(kept)
            elif kept.watch is not None and kept.unit.stuck():
                log.warning("stuck", unit=kept.unit.name, pid=kept.unit.pid)
                kept.unit.stop()
                self._ended(kept)
            if kept.watch is None and kept.due <= time.monotonic() and self._wanted():
                self._start_again(kept)

    def request_stop(self) -> None:
        """Makes `run` stop; from any thread. A second time, it hurries."""
        self._asked += 1
        if self._wake is not None:
            os.eventfd_write(self._wake, 1)

    def stop(self) -> None:
        """Stops children, then engines in reverse order; safe to repeat."""
        for process in self._processes:
            process.ask_to_stop()
        self._await_children(time.monotonic() + self._grace)
        for kept in (*self._children, *reversed(self._engines)):
            self._halt(kept)
        if self._wake is not None:
            os.close(self._wake)
            self._wake = None
            (self._data.path / "run" / "pids.json").unlink(missing_ok=True)
        self._data.close()

    def pids(self) -> dict[str, int]:
        """The pid of each that runs, and ours as `supervisor`."""
        running = {kept.unit.name: kept.unit.pid for kept in self._all if kept.watch is not None}
        return {"supervisor": os.getpid()} | {name: pid for name, pid in running.items() if pid is not None}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _prepare(self) -> None:
        """Makes the folders, and ends what a killed supervisor of this data left."""
        for name in ("run", "log"):
            (self._data.path / name).mkdir(mode=0o700, exist_ok=True)
        end_leftovers(
            lambda: marked(_MARK, str(self._data.path)), (signal.SIGTERM, self._grace), (signal.SIGKILL, 3)
        )

    def _mark(self, child: Child) -> Child:
        environment: Mapping[str, str] = {**child.env, _MARK: str(self._data.path)}
        return replace(child, env=environment)

    def _wanted(self) -> bool:
        return self._asked == 0

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        log.info("stopping", signal=signal.Signals(number).name)
        self.request_stop()

    def _publish(self) -> None:
        """Where it cannot be written now, a full disk say, it is later: nobody is stopped for that."""
        try:
            write_private(self._data.path / "run" / "pids.json", json.dumps(self.pids(), indent=1) + "\n")
        except OSError as error:
            if self._told:
                log.warning("pids_unwritten", error=error.strerror)
            self._told = False
        else:
            self._told = True

    def _wait(self, timeout: float) -> None:
        """Until something ends, is due, or a stop is asked for; at most `timeout` seconds."""
        now = time.monotonic()
        ends = [kept.due for kept in self._all if kept.watch is None]
        self._poll(self._all, min([now + timeout, *ends]) - now)

    def _await_children(self, deadline: float) -> None:
        """Until all have ended, the deadline, or a second request to stop."""
        while True:
            for kept in self._children:
                if kept.ended():
                    self._halt(kept)
            left = deadline - time.monotonic()
            if left <= 0 or self._asked > 1 or all(kept.watch is None for kept in self._children):
                return
            self._poll(self._children, left)

    def _poll(self, watched: Sequence[Kept], timeout: float) -> None:
        poll = select.poll()
        for fd in (self._wake, *(kept.watch for kept in watched)):
            if fd is not None:
                poll.register(fd, select.POLLIN)
        poll.poll(max(0.0, timeout) * 1000)
        if self._wake is not None:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._wake)

    def _ended(self, kept: Kept) -> None:
        lived, pid, code = time.monotonic() - kept.started, kept.unit.pid, kept.unit.code
        pause = kept.failed()
        log.warning(
            "ended", unit=kept.unit.name, pid=pid, code=code, lived_s=round(lived, 1), restart_in_s=pause
        )
        self._publish()

    def _start_again(self, kept: Kept) -> None:
        try:
            kept.begin(self._wanted)
        except EngineError as error:
            pause = kept.failed()
            log.warning("did not start", unit=kept.unit.name, error=str(error), restart_in_s=pause)
        else:
            self._publish()

    def _halt(self, kept: Kept) -> None:
        if kept.watch is None:
            kept.unit.stop()
            return
        pid, late = kept.unit.pid, kept in self._children and kept.unit.alive()
        kept.unwatch()
        kept.unit.stop()
        log.info("killed" if late else "stopped", unit=kept.unit.name, pid=pid)
