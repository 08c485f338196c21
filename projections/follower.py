"""Following the log: each projection in its own thread, page by page, each page exactly once."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from types import MappingProxyType
from typing import Any, Self

import psycopg
import structlog
from psycopg import Cursor, sql
from psycopg_pool import ConnectionPool

from projections.backoff import backoff
from projections.listen import Listener
from projections.page import PageTransaction, PoisonedError, Weighing, transient
from projections.positions import POSITIONS_DDL, WAIT, Positions, Standing
from projections.projection import Projection, ReadLog, Row
from schemas.events import Event, Recorded

__all__ = ["POSITIONS_DDL", "Follower", "FollowerGroup"]

log = structlog.get_logger(__name__)

AppendLog = Callable[[Cursor[Row], Sequence[Event], datetime], int]
"""Appends events in the cursor's transaction; answers the last position."""

TRIES = 6
"""Tries of one page against a lost or busy database before `catch_up` gives up."""


class Follower:
    """Keeps one projection up to date. Any number may run, in any process: each page is applied once."""

    def __init__(
        self,
        pool: ConnectionPool[Any],
        projection: Projection,
        *,
        read: ReadLog,
        append_in: AppendLog,
        clock: Callable[[], datetime],
        head: Callable[[], int],
        page: int = 2000,
    ) -> None:
        """`head` answers the log's last position; `page` is the most events in one transaction.

        Where the projection is Weighing, `page` is the most that they weigh together, if more than one.
        """
        self.pool, self.projection, self.head = pool, projection, head
        self._read, self._append_in, self._clock, self._page = read, append_in, clock, page
        self._positions = Positions(pool, projection.name)
        self._topics = tuple(sorted(projection.topics))
        self._weigh = projection.weigh if isinstance(projection, Weighing) else None
        self._place: Standing | None = None

    def standing(self) -> Standing:
        """Where the projection is in the log."""
        return self._positions.get(self.head())

    def catch_up(self, stop: threading.Event | None = None, *, hasty: bool = False) -> int:
        """Applies all that the log holds and answers the position reached; `stop` ends it between pages.

        `hasty` is for one who will be back soon: events of other topics are passed over, but that is
        not written down, for a commit each would cost the log's writers more than all the rest.

        A page that fails is taken again event by event, so that all before the bad one are applied;
        there the projection is stopped, until `resume` or `rebuild`. Raises psycopg.OperationalError
        or InterfaceError when the database stays away.
        """
        stop = stop or threading.Event()
        single, failures = 0, 0
        while not stop.is_set():
            try:
                more = self._step(1 if single else self._page, hasty=hasty)
                single, failures = max(0, single - 1), 0
                if not more:
                    break
            except PoisonedError as poisoned:
                if single and self._halt(poisoned):
                    break
                single = self._page
            except psycopg.Error as error:
                self._place = None
                failures += 1
                if failures >= TRIES or not transient(error):
                    raise
                stop.wait(backoff(failures))
        return self._place.position if self._place else self._positions.get().position

    def resume(self) -> bool:
        """Lifts the stop, for an operator who has removed the cause. False: it was not stopped."""
        return self._positions.resume()

    def rebuild(self, stop: threading.Event | None = None) -> int:
        """Empties the projection's tables and folds the log again from its beginning.

        Safe beside running followers: the position's row is locked first, and then they fold along.
        """
        with self.pool.connection(WAIT) as conn, conn.cursor() as cursor:
            self._positions.reset(cursor, self._clock())
            tables = sql.SQL(", ").join(sql.Identifier(table) for table in self.projection.tables)
            cursor.execute(sql.SQL("TRUNCATE {}").format(tables))
        return self.catch_up(stop)

    def _step(self, limit: int, *, hasty: bool) -> bool:
        """One page. False: the projection is at the log's end, or stopped."""
        if self._place is None or not hasty:
            self._place = self._positions.get()
        place = self._place
        if place.stopped_at is not None:
            self._place = None
            return False
        # The head goes first: what `read` then leaves out up to there is of other topics.
        head = place.position if hasty else self.head()
        try:
            page = self._read(place.position, limit, self._topics)
        except Exception as error:
            if transient(error):
                raise
            raise PoisonedError(place.position, place.position + 1, error) from error
        part = self._cut(page)
        whole = len(page) < limit and len(part) == len(page)
        last = part[-1].position if part else place.position
        reached = max(head, last) if whole else last
        if reached <= place.position:
            return False
        moved = self._apply(place.position, reached, part)
        self._place = place._replace(position=reached) if moved else None
        # What comes meanwhile wakes the hasty again.
        return not (hasty and whole and moved)

    def _cut(self, page: Sequence[Recorded]) -> Sequence[Recorded]:
        """As much from the beginning as makes one transaction, so that the first need not wait for all."""
        if self._weigh is None:
            return page
        weights = accumulate(self._weigh(recorded.event) for recorded in page)
        return page[: max(1, sum(1 for weight in weights if weight <= self._page))]

    def _apply(self, before: int, after: int, page: Sequence[Recorded]) -> bool:
        """The page's transaction. False: the projection was moved, stopped or reset by another."""
        at = self._clock()
        with self.pool.connection(WAIT) as conn, conn.cursor() as cursor:
            if not self._positions.move(cursor, before, after, at):
                return False
            if not page:
                return True
            try:
                tx = PageTransaction(cursor, at)
                self.projection.apply(tx, page)
                if tx.emitted:
                    self._append_in(cursor, tx.emitted, at)
            except Exception as error:
                if transient(error):
                    raise
                raise PoisonedError(before, page[0].position, error) from error
        return True

    def _halt(self, poisoned: PoisonedError) -> bool:
        name, position = self.projection.name, poisoned.position
        halted = self._positions.halt(poisoned.before, position, str(poisoned), self._clock())
        if halted:
            log.error("projection_stopped", projection=name, position=position, error=str(poisoned))
        return halted


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
