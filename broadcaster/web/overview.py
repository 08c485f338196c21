"""The cadence of the last 30 days for pages: figures of every body, strips, and the course of the whole.

A second's work for a whole city, so it is kept: what is a minute old is shown once more while another
thread reckons it anew. Where the bodies stand now is kept for seconds, and only while nothing happens.
"""

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import Connection
from psycopg_pool import ConnectionPool

from broadcaster.web.strips import DAYS, Strip, since_of, strip
from projections.cadence.duty import in_force
from projections.cadence.figures import BodyFigures, Figures
from projections.cadence.report import Report, report
from projections.cadence.rule import DAY, local_day
from projections.cadence.standing import counted
from projections.cadence.view import BodyCadence, CadenceBook
from projections.positions import Positions

_FRESH = timedelta(minutes=1)
_SAME = timedelta(seconds=5)
"""A standing changes by the clock too, when a body's time is up."""
_USABLE = timedelta(minutes=10)
"""Older than this it is not shown: whoever asks waits."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Month:
    """The last 30 days up to `at`, today among them."""

    since: datetime
    at: datetime
    report: Report
    bodies: Mapping[str, BodyFigures]
    strips: Mapping[str, Strip]
    overdue: Mapping[int, tuple[int, tuple[int, ...]]]
    """Of each level: how many bodies there are, and how many were overdue on each day."""

    def course(self, levels: Iterable[int]) -> tuple[float, ...]:
        """For each day the share of these levels' bodies that were on time all day, from 0 to 1."""
        rows = [self.overdue[level] for level in levels if level in self.overdue]
        bodies = sum(row[0] for row in rows)
        return tuple(1 - sum(row[1][day] for row in rows) / bodies for day in range(DAYS)) if rows else ()

    def total(self, levels: Iterable[int]) -> dict[int, Figures]:
        """The sums of these levels, as far as any body of them owed something."""
        return {level: self.report.levels[level] for level in levels if level in self.report.levels}


class Overview:
    """Answers with a Month. May be shared by threads."""

    def __init__(self, pool: ConnectionPool[Any], book: CadenceBook) -> None:
        self._pool, self._book = pool, book
        self._lock = threading.Lock()
        self._month: Month | None = None
        self._standing: tuple[datetime, int, list[BodyCadence]] | None = None

    def standing(self, at: datetime) -> list[BodyCadence]:
        """Every body that owes or is exempt, by due date; to be read only."""
        position = Positions(self._pool, "cadence").get().position
        kept = self._standing
        if kept is None or kept[1] != position or not timedelta() <= at - kept[0] < _SAME:
            with self._pool.connection() as conn:
                kept = self._standing = (at, position, self._book.standing(conn, at))
        return kept[2]

    def month(self, at: datetime) -> Month:
        """As of `at`, or a little before."""
        kept = self._month
        if kept is not None and timedelta() <= at - kept.at < _USABLE:
            if at - kept.at >= _FRESH and self._lock.acquire(blocking=False):
                threading.Thread(target=self._renew, args=(at,), name="overview", daemon=True).start()
            return kept
        with self._lock:
            kept = self._month
            if kept is None or not timedelta() <= at - kept.at < _FRESH:
                kept = self._month = self._reckon(at)
            return kept

    def _renew(self, at: datetime) -> None:
        try:
            self._month = self._reckon(at)
        except psycopg.Error:
            # The old one is shown until it is too old; then whoever asks is told.
            _log.exception("the overview of the cadence could not be renewed")
        finally:
            self._lock.release()

    def _reckon(self, at: datetime) -> Month:
        with self._pool.connection() as conn:
            return month(self._book, conn, at)


def month(book: CadenceBook, conn: Connection[Any], at: datetime) -> Month:
    """Reckons it."""
    since = since_of(at)
    found = report(book, conn, since, at)
    ledger = book.ledger(conn)
    bodies = [ledger.bodies[each.issuer_id] for each in found.bodies]
    items = book.items(conn, ledger, bodies, since=since, until=at)
    policy = in_force(ledger.policies, at)
    strips = {
        each.issuer_id: strip(
            (item.at for item in counted(items[each.issuer_id], each.issuer_id, policy)), each.gaps, at
        )
        for each in found.bodies
    }
    overdue = {level: _overdue(found, strips, level, since) for level in found.levels}
    return Month(since, at, found, {each.issuer_id: each for each in found.bodies}, strips, overdue)


def _overdue(
    found: Report, strips: Mapping[str, Strip], level: int, since: datetime
) -> tuple[int, tuple[int, ...]]:
    mine = [strips[body.issuer_id].overdue for body in found.bodies if body.level == level]
    days = (local_day(since) + number * DAY for number in range(DAYS))
    return len(mine), tuple(sum(day in one for one in mine) for day in days)
