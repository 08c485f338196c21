"""The cadence at the size of a city's years: `python -m tests.bench.cadence [EVENTS]`.

644 bodies and a million events by default, on a PostgreSQL of its own. Prints what a plain rebuild of
the view costs, a rebuild with every figure computed again, and the 95th percentile of the
questions that people ask.
"""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg_pool import ConnectionPool

from broadcaster.engines.embedded import PostgresServer
from broadcaster.log import LOG_DDL, AlertLog
from projections.cadence.projection import Cadence
from projections.cadence.report import explain, report
from projections.cadence.view import CadenceBook
from projections.follower import POSITIONS_DDL, Follower
from schemas.events import Event
from tests.processes import passable_folder
from tests.unit.projections.story import Story

BODIES, START, STEP = 644, datetime(2022, 1, 1, tzinfo=UTC), timedelta(minutes=2)
PAGE = 5000


def told(count: int) -> Iterator[tuple[datetime, Event]]:
    """Bodies, then items of all of them by turns, some withdrawn as mistakes."""
    story = Story(at=START)
    for number in range(BODIES):
        story.body(f"body-{number:03}", 1 + number % 3)
    number = 0
    while len(story.log) + number < count or story.log:
        if story.log:
            yield from ((at, event) for _, at, event in story.log)
            number += len(story.log)
            story.log.clear()
        if number >= count:
            return
        story.at += STEP
        # Not in step with the bodies, so that their silences differ.
        alert = story.issue_as(UUID(int=number), f"body-{(number * 2_654_435_761 >> 7) % BODIES:03}")
        if number % 97 == 0:
            story.cancel(alert, in_error=True)


def fill(log: AlertLog, pool: ConnectionPool[Any], count: int) -> None:
    """Appends them in pages."""
    page: list[Event] = []
    at = START
    for at, event in told(count):
        page.append(event)
        if len(page) == PAGE:
            with pool.connection() as conn, conn.cursor() as cursor:
                log.append_in(cursor, page, at)
            page.clear()
    if page:
        with pool.connection() as conn, conn.cursor() as cursor:
            log.append_in(cursor, page, at)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def p95(work: Callable[[], object], times: int = 40) -> float:
    took = sorted(seconds(work) for _ in range(times))
    return 1000 * took[int(0.95 * times) - 1]


def main(count: int) -> None:
    with passable_folder() as folder, PostgresServer(folder, durable=False) as server:
        with psycopg.connect(server.url, autocommit=True) as conn:
            conn.execute("CREATE DATABASE bench")
        with ConnectionPool[Any](server.url_of("bench"), min_size=1, max_size=4, open=True) as pool:
            measure(pool, count)


def measure(pool: ConnectionPool[Any], count: int) -> None:
    log = AlertLog(pool)
    cadence = Cadence()
    with pool.connection() as conn:
        for ddl in (LOG_DDL, POSITIONS_DDL, cadence.ddl):
            conn.execute(ddl.encode())
    print(f"filling {count} events: {seconds(lambda: fill(log, pool, count)):.0f} s")
    follower = Follower(
        pool,
        cadence,
        read=log.read,
        append_in=log.append_in,
        head=log.head,
        clock=lambda: datetime(2030, 1, 1, tzinfo=UTC),
    )
    plain = seconds(follower.rebuild)
    print(f"plain rebuild: {plain:.1f} s")
    row = log.chain.rows(log.head() - 1, 1)[0]
    now = row.recorded_at
    with pool.connection() as conn:
        conn.execute("ANALYZE cadence_sends")
        book = CadenceBook()
        whole = seconds(lambda: report(book, conn, START, now))
        print(
            f"every figure of every body: {whole:.1f} s; recompute is {(plain + whole) / plain:.2f} x plain"
        )
        month = seconds(lambda: report(book, conn, now - timedelta(days=30), now))
        print(f"report of 30 days: {month:.2f} s")
        print(f"dashboard p95: {p95(lambda: book.standing(conn, now)):.1f} ms")
        print(
            f"dashboard as it stood p95: {p95(lambda: book.standing(conn, now, known=log.head())):.1f} ms"
        )
        print(f"explain p95: {p95(lambda: explain(book, conn, 'body-001', now)):.1f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
