"""How a role ends: asked once, in order if it can, and in time whatever it waits for."""

import os
import signal
import threading
import time
from collections.abc import Callable

import structlog

PATIENCE = 2.0
"""Seconds to end in order, once asked. What is cut then is as safe as behind a kill, which may come too."""
IN_DOUBT = 10.0
"""The same while messages are out whose answers are not noted: who cuts there has people sent to twice."""
TICK = 0.1
"""Seconds between two looks at whether there are such."""
SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})

log = structlog.get_logger(__name__)


class Ending:
    """The end that a process is asked for by SIGTERM or SIGINT, heard by a thread of its own.

    A database or a broker that took the connection and says nothing holds the thread that asked it,
    and a handler would wait for that thread. So signals are blocked everywhere and taken here; after
    PATIENCE, or at a second signal, the process ends with code 0 whatever still waits. One a process.
    """

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.in_doubt: Callable[[], bool] = lambda: False
        """Whether messages are out whose answers are not noted. Called in the ending's thread."""
        self._told: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    def listen(self) -> None:
        """Begins to take the signals. To be called before other threads are: they inherit the mask."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        threading.Thread(target=self._run, name="ending", daemon=True).start()

    def tell(self, call: Callable[[], object]) -> None:
        """Has it called once the end is asked for, in the ending's thread; now, where it was already."""
        with self._lock:
            if not self.asked.is_set():
                self._told.append(call)
                return
        call()

    def _run(self) -> None:
        asked = signal.Signals(signal.sigwait(SIGNALS)).name
        log.info("role_asked_to_stop", signal=asked)
        with self._lock:
            for call in self._told:
                call()
            self.asked.set()
        began = time.monotonic()
        while (waited := time.monotonic() - began) < (IN_DOUBT if self.in_doubt() else PATIENCE):
            if signal.sigtimedwait(SIGNALS, TICK) is not None:
                break
        log.info("role_cut", seconds=round(waited, 1))
        os._exit(0)
