"""Followers that run: each projection in its own thread, woken when the log grows."""

import threading
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Self

import psycopg
import structlog
from psycopg_pool import ConnectionPool

from projections.backoff import backoff
from projections.follower import Follower
from projections.listen import Listener
from projections.positions import Standing

log = structlog.get_logger(__name__)


class FollowerGroup:
    """Runs followers of one database, a thread each, while it is entered or from `start` to `stop`.

    They are woken by NOTIFY event_log, and look at the log every `poll` seconds all the same. Where
    `linger` names a projection, it waits so many seconds after a wake-up for more to come: a page of
    many events costs little more than a page of one.
    """

    def __init__(
        self,
        pool: ConnectionPool[Any],
        followers: Sequence[Follower],
        *,
        poll: float = 0.5,
        linger: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self._followers = {follower.projection.name: follower for follower in followers}
        self._poll, self._linger = poll, linger
        self._stop = threading.Event()
        self._wakes = {name: threading.Event() for name in self._followers}
        self._listener = Listener(pool, "event_log", self.wake)
        self._threads = [
            threading.Thread(target=self._run, args=(name,), name=f"follow-{name}", daemon=True)
            for name in self._followers
        ]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Starts the threads. Once only."""
        self._listener.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends after the pages under way, and waits for that; again is harmless."""
        self._stop.set()
        self.wake()
        self._listener.stop()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def wake(self) -> None:
        """Has every projection look at the log now."""
        for wake in self._wakes.values():
            wake.set()

    def states(self) -> list[Standing]:
        """Where each projection stands."""
        return [follower.standing() for follower in self._followers.values()]

    def resume(self, name: str) -> bool:
        """Lifts a projection's stop. Raises KeyError for a name that is none."""
        resumed = self._followers[name].resume()
        self._wakes[name].set()
        return resumed

    def _run(self, name: str) -> None:
        failures, woken, linger = 0, False, self._linger.get(name, 0.0)
        while not self._stop.is_set():
            if woken and linger:
                self._stop.wait(linger)
            self._wakes[name].clear()
            try:
                self._followers[name].catch_up(self._stop, hasty=woken)
            except Exception as error:
                failures, woken = failures + 1, False
                if isinstance(error, psycopg.Error):
                    log.warning("projection_waits", projection=name, error=str(error))
                else:
                    # A bug of ours. A dead thread that nobody misses would be worse than its retries.
                    log.exception("projection_fails", projection=name)
                self._stop.wait(backoff(failures))
            else:
                failures = 0
                woken = self._wakes[name].wait(self._poll)
