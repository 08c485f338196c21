"""The cadence of the last 30 days for pages: figures of every body, strips, and the course of the whole.

A second's work for a whole city, so it is kept: what is a minute old is shown once more while another
thread reckons it anew. Where a body stands now is never kept.
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
from projections.cadence.view import CadenceBook

_FRESH = timedelta(minutes=1)
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

    def course(self, levels: Iterable[int]) -> tuple[float, ...]:
        """For each day the share of these levels' bodies that were on time all day, from 0 to 1."""
        wanted = set(levels)
        strips = [self.strips[body.issuer_id] for body in self.report.bodies if body.level in wanted]
        if not strips:
            return ()
        return tuple(
            1 - sum(day in one.overdue for one in strips) / len(strips)
            for day in (local_day(self.since) + number * DAY for number in range(DAYS))
        )

    def total(self, levels: Iterable[int]) -> dict[int, Figures]:
        """The sums of these levels, as far as any body of them owed something."""
        return {level: self.report.levels[level] for level in levels if level in self.report.levels}


class Overview:
    """Answers with a Month. May be shared by threads."""

    def __init__(self, pool: ConnectionPool[Any], book: CadenceBook) -> None:
        self._pool, self._book = pool, book
        self._lock = threading.Lock()
        self._month: Month | None = None

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
    return Month(since, at, found, {each.issuer_id: each for each in found.bodies}, strips)
