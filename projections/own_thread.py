"""What works in a thread of its own, beside the rest, until it is stopped."""

import threading
from abc import ABC, abstractmethod


class OwnThread(ABC):
    """Started once, and stopped by asking: `_run` looks at `_stop` between its steps, and waits by it.

    The thread is a daemon: a process that is cut does not wait for it.
    """

    def __init__(self, name: str) -> None:
        """`name` is the thread's."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begins. Once only."""
        self._thread.start()

    def stop(self) -> None:
        """Has it end after the step under way, and waits for that; again is harmless."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def join(self, seconds: float) -> None:
        """Waits for one that ends by itself. Raises TimeoutError where it has not by then."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise TimeoutError(f"{self._thread.name} works on after {seconds} s")

    @abstractmethod
    def _run(self) -> None:
        """The work. What it raises ends the thread, so it catches what may happen."""
