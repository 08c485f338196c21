"""Followers that run: each projection in its own thread, woken when the log grows."""

import threading
from collections.abc import Collection, Mapping, Sequence
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


class _Ear:
    """What a projection has heard of the log since it last looked there."""

    def __init__(self) -> None:
        self.wake, self.hurry, self.grown = threading.Event(), threading.Event(), threading.Event()

    def clear(self) -> None:
        self.wake.clear()
        self.hurry.clear()
        self.grown.clear()


class FollowerGroup:
    """Runs followers of one database, a thread each, while it is entered or from `start` to `stop`.

    They are woken by NOTIFY event_log where it names a topic of theirs, and look at the log every `poll`
    seconds all the same. Where `linger` names a projection, it waits so many seconds after a wake-up for
    more to come: a page of many events costs little more than a page of one. For `urgent` topics it does
    not.
    """

    def __init__(
        self,
        pool: ConnectionPool[Any],
        followers: Sequence[Follower],
        *,
        poll: float = 0.5,
        linger: Mapping[str, float] = MappingProxyType({}),
        urgent: Collection[str] = (),
    ) -> None:
        self._followers = {follower.projection.name: follower for follower in followers}
        self._poll, self._linger, self._urgent = poll, linger, frozenset(urgent)
        self._stop = threading.Event()
        self._ears = {name: _Ear() for name in self._followers}
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

    def wake(self, topics: str = "") -> None:
        """The log has grown by events of these topics: who follows one looks; all, where none is named."""
        grown = frozenset(topics.split())
        hurry = not grown or not grown.isdisjoint(self._urgent)
        for name, ear in self._ears.items():
            ear.grown.set()
            if not grown or not grown.isdisjoint(self._followers[name].projection.topics):
                if hurry:
                    ear.hurry.set()
                ear.wake.set()

    def states(self) -> list[Standing]:
        """Where each projection stands."""
        return [follower.standing() for follower in self._followers.values()]

    def resume(self, name: str) -> bool:
        """Lifts a projection's stop. Raises KeyError for a name that is none."""
        resumed = self._followers[name].resume()
        self._ears[name].wake.set()
        return resumed

    def _run(self, name: str) -> None:
        failures, woken, linger, ear = 0, False, self._linger.get(name, 0.0), self._ears[name]
        hasty = False
        while not self._stop.is_set():
            if woken and linger:
                ear.hurry.wait(linger)
            ear.clear()
            try:
                self._followers[name].catch_up(self._stop, hasty=hasty)
            except Exception as error:
                failures, woken, hasty = failures + 1, False, False
                if isinstance(error, psycopg.Error):
                    log.warning("projection_waits", projection=name, error=str(error))
                else:
                    # A bug of ours. A dead thread that nobody misses would be worse than its retries.
                    log.exception("projection_fails", projection=name)
                self._stop.wait(backoff(failures))
            else:
                failures = 0
                woken = ear.wake.wait(self._poll)
                # While others' events come, it will be back soon: see Follower.catch_up.
                hasty = woken or ear.grown.is_set()
