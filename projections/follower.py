"""Following the log: a projection, page by page, each page exactly once."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

import psycopg
import structlog
from psycopg import Cursor
from psycopg.errors import LockNotAvailable
from psycopg_pool import ConnectionPool

from projections.ahead import ReadAhead
from projections.backoff import backoff
from projections.beside import Beside
from projections.page import PageTransaction, PoisonedError, Weighing, transient
from projections.positions import POSITIONS_DDL, WAIT, Positions, Standing
from projections.projection import Projection, ReadLog, Row, shape
from schemas.events import Event, Recorded

__all__ = ["POSITIONS_DDL", "Follower", "RebuildError"]

log = structlog.get_logger(__name__)

AppendLog = Callable[[Cursor[Row], Sequence[Event], datetime], int]
"""Appends events in the cursor's transaction; answers the last position."""


class RebuildError(Exception):
    """A view could not be made anew; the one in use is as it was."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} is not rebuilt: {why}")


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
        self._positions = Positions(pool, projection.name, shape(projection))
        self._topics = tuple(sorted(projection.topics))
        self._weigh = projection.weigh if isinstance(projection, Weighing) else None
        self._place: Standing | None = None

    def standing(self) -> Standing:
        """Where the projection is in the log."""
        return self._positions.get(self.head())

    def make(self, cursor: Cursor[Row]) -> None:
        """Makes the projection's tables where they lack, and notes of which shape their rows will be."""
        cursor.execute(self.projection.ddl.encode())
        self._positions.hold(cursor)

    def catch_up(self, stop: threading.Event | None = None, *, hasty: bool = False) -> int:
        """Applies all that the log holds and answers the position reached; `stop` ends it between pages.

        `hasty` is for one who will be back soon: events of other topics are passed over, but that is
        not written down, for a commit each would cost the log's writers more than all the rest.

        A page that fails is taken again event by event, so that all before the bad one are applied;
        there the projection is stopped, until `resume` or `rebuild`. Raises psycopg.OperationalError
        or InterfaceError when the database stays away.
        """
        stop = stop or threading.Event()
        if hasty or self._weigh is not None:
            return self._through(self._read, stop, hasty=hasty)
        with ReadAhead(self._read) as read:
            return self._through(read, stop, hasty=False)

    def resume(self) -> bool:
        """Lifts the stop, for an operator who has removed the cause. False: it was not stopped."""
        return self._positions.resume()

    def rebuild(self, stop: threading.Event | None = None) -> int:
        """Folds the log again from its beginning into tables of the same names, and has them be the view.

        Beside the view in use, which is whole and goes on until then; never beyond it, so that whatever
        an event is to bring about has been. Raises RebuildError, and leaves the view as it is, where an
        event cannot be applied.
        """
        stop = stop or threading.Event()
        with Beside(self.pool, self.projection) as beside:
            reached, place = 0, self._positions.get().position
            while place - reached > self._page and not stop.is_set():
                reached, place = self._fold(beside, place, stop), self._positions.get().position
            beside.settle()
            attempt = 0
            while not stop.is_set() and not self._take_over(beside, stop):
                attempt += 1
                if attempt == TRIES:
                    raise RebuildError(self.projection.name, "its tables are being read all the time")
                stop.wait(backoff(attempt))
        return self.catch_up(stop)

    def _take_over(self, beside: Beside, stop: threading.Event) -> bool:
        """False: who reads the old tables does so for too long."""
        try:
            with self.pool.connection(WAIT) as conn, conn.cursor() as cursor:
                place = self._positions.hold(cursor)
                if self._fold(beside, place, stop) == place:
                    beside.take_over(cursor)
                    self._positions.renew(cursor, self._clock())
        except LockNotAvailable:
            return False
        return True

    def _fold(self, beside: Beside, upto: int, stop: threading.Event) -> int:
        """Follows the log that far in there; the position reached. Raises RebuildError."""

        def read(after: int, limit: int, topics: Sequence[str]) -> Sequence[Recorded]:
            page = self._read(after, limit, topics)
            if not page or page[-1].position <= upto:
                return page
            return [each for each in page if each.position <= upto]

        twin = Follower(
            beside.pool,
            self.projection,
            read=read,
            append_in=self._append_in,
            clock=self._clock,
            head=lambda: upto,
            page=self._page,
        )
        reached, standing = twin.catch_up(stop), twin.standing()
        if standing.stopped_at is not None:
            raise RebuildError(self.projection.name, f"event {standing.stopped_at}: {standing.error}")
        return reached

    def _through(self, read: ReadLog, stop: threading.Event, *, hasty: bool) -> int:
        single, failures = 0, 0
        while not stop.is_set():
            try:
                more = self._step(read, 1 if single else self._page, hasty=hasty)
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

    def _step(self, read: ReadLog, limit: int, *, hasty: bool) -> bool:
        """One page. False: the projection is at the log's end, or stopped."""
        if self._place is None or not hasty:
            self._place = self._positions.get()
        place = self._place
        if place.stopped_at is not None or place.stale:
            self._place = None
            return False
        # The head goes first: what `read` then leaves out up to there is of other topics.
        head = place.position if hasty else self.head()
        try:
            page = read(place.position, limit, self._topics)
            part = self._cut(page)
            last = part[-1].position if part else place.position
        except Exception as error:
            if transient(error):
                raise
            raise PoisonedError(place.position, place.position + 1, error) from error
        whole = len(page) < limit and len(part) == len(page)
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
        page = list(page)
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
                # Of more than one it is not known which, and to ask may fail the same way.
                position = page[0].position if len(page) == 1 else before + 1
                raise PoisonedError(before, position, error) from error
        return True

    def _halt(self, poisoned: PoisonedError) -> bool:
        name, position = self.projection.name, poisoned.position
        halted = self._positions.halt(poisoned.before, position, str(poisoned), self._clock())
        if halted:
            log.error("projection_stopped", projection=name, position=position, error=str(poisoned))
        return halted
