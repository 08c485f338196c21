"""The event log against the least that SQL needs: `python -m tests.bench.log [--events N] [--json]`.

append: receipts of 500, a transaction each as the workers write them, and in batches of 500 (chained,
validated on the way in) beside plain multi-row inserts of the same bytes into a table with no chain.
rebuild: a view emptied and folded again from the log, beside a loop that reads the same rows, parses
their JSON, and copies a row for each into a table, without knowing what they mean.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from broadcaster.process.memory import BULK, settle
from broadcaster.runtime import House
from broadcaster.settings import Settings
from projections.follower import Follower
from schemas.content import Channel, Lane
from schemas.dispatch import Dispatch, Outcome, Receipt
from schemas.events import Actor, Event, ReceiptRecorded
from schemas.ids import audience_id, dispatch_id
from tests.bench.table import Row, parser, report

AT = datetime(2026, 7, 10, 2, 0, tzinfo=UTC)
SLICE, BATCH, PAGE = 500, 500, 2000
ONE_BY_ONE = 2000
"""Events appended in a transaction each: a figure for each needs no more."""
RAW_DDL = """
CREATE TABLE raw_events (position bigint PRIMARY KEY, recorded_at timestamptz, originator_id uuid,
    originator_version bigint, topic text, state bytea, UNIQUE (originator_id, originator_version));
CREATE TABLE raw_view (position bigint PRIMARY KEY, recorded_at timestamptz, topic text, said text);
"""


def main() -> None:
    """Runs the benchmark."""
    options = parser(__doc__)
    options.add_argument("--events", type=int, default=100_000)
    given = options.parse_args()
    settle(BULK)
    with tempfile.TemporaryDirectory(prefix="broadcaster-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with House.open(Settings.from_env(data=folder / "house")) as house:
            house.migrate()
            with house.pool.connection() as conn:
                conn.execute(RAW_DDL.encode())
            rows = [*appends(house, given.events), *rebuilds(house)]
    report("log", rows, only_json=given.json)


def receipts(count: int, first: int = 0) -> Iterator[Event]:
    """Receipts of alerts to a million phones."""
    for number in range(first, first + count):
        alert, start = UUID(int=number // 2000 + 1), number % 2000 * SLICE
        dispatch = Dispatch(
            id=dispatch_id(alert, 1, Channel.PUSH, start, 1),
            alert_id=alert,
            version=1,
            channel=Channel.PUSH,
            lane=Lane.ALERT,
            audience_id=audience_id(alert, 1, Channel.PUSH),
            first=start,
            last=start + SLICE,
            expires_at=AT + timedelta(days=1),
        )
        receipt = Receipt(dispatch=dispatch, counts={Outcome.ACCEPTED: SLICE}, provider="fcm")
        by = Actor(account="system:worker:push")
        yield ReceiptRecorded(originator_id=dispatch.id, originator_version=1, by=by, receipt=receipt)


def timed(name: str, events: int, work: Callable[[], None], raw: float | None = None) -> Row:
    """One line: rate, and how many times as long as the raw one."""
    began, spent = time.perf_counter(), time.process_time()
    work()
    seconds, spent = time.perf_counter() - began, time.process_time() - spent
    return {
        "what": name,
        "events": events,
        "seconds": round(seconds, 2),
        "per_second": round(events / seconds),
        "client_cpu_us": round(spent / events * 1e6, 1),
        "times_raw": None if raw is None else round(seconds / raw, 2),
    }


def appends(house: House, count: int) -> Iterator[Row]:
    """Writing."""
    events = list(receipts(count))
    states = [house.log.mapper.to_stored_event(event) for event in events]

    def raw() -> None:
        insert = "INSERT INTO raw_events VALUES (%s, %s, %s, %s, %s, %s)"
        with house.pool.connection() as conn, conn.cursor() as cursor:
            for start in range(0, count, BATCH):
                batch = enumerate(states[start : start + BATCH], start + 1)
                cursor.executemany(
                    insert,
                    [(n, AT, s.originator_id, s.originator_version, s.topic, s.state) for n, s in batch],
                )
                conn.commit()

    def ours() -> None:
        for start in range(0, count, BATCH):
            house.log.append(events[start : start + BATCH], at=AT)

    def one_by_one() -> None:
        for event in receipts(ONE_BY_ONE, first=count):
            house.log.append([event], at=AT)

    first = timed("append: raw SQL, 500 a commit", count, raw)
    yield first
    yield timed("append: the log, 500 a commit", count, ours, first["seconds"])
    yield timed("append: the log, one a commit", ONE_BY_ONE, one_by_one)


def rebuilds(house: House) -> Iterator[Row]:
    """Folding all of it again."""
    total = house.log.head()

    def raw() -> None:
        read = (
            "SELECT position, recorded_at, topic, state FROM events"
            " WHERE position > %s ORDER BY position LIMIT %s"
        )
        with house.pool.connection() as conn, conn.cursor() as reader, conn.cursor() as writer:
            after = 0
            while page := reader.execute(read, (after, PAGE)).fetchall():
                with writer.copy("COPY raw_view FROM STDIN") as copy:
                    for position, at, topic, state in page:
                        said: Any = json.loads(bytes(state))
                        copy.write_row((position, at, topic, said["by"]["account"]))
                conn.commit()
                after = page[-1][0]

    first = timed("rebuild: raw SQL, a row an event", total, raw)
    yield first
    for name in ("reach", "audit"):
        follower = house.follower(house.projection(name))
        follower.catch_up()
        yield timed(f"rebuild: {name}", total, partial(_rebuild, follower), first["seconds"])


def _rebuild(follower: Follower) -> None:
    assert follower.rebuild() > 0


if __name__ == "__main__":
    main()
