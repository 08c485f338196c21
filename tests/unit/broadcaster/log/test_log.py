"""The event log on a real PostgreSQL: order, chain, conflicts, keys."""

import hashlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from broadcaster.log import LOG_DDL, AlertLog, ConflictError, Once, UnknownStreamError
from broadcaster.log.recorder import KeyReusedError
from broadcaster.proof import chain
from schemas.events import Actor, AlertExpired, AlertReturned, AlertSubmitted, Event

AT = datetime(2026, 7, 10, 2, 0, tzinfo=UTC)
BY = Actor(account="lan", body="ubnd-00001")


@pytest.fixture
def log(database: str) -> Iterator[AlertLog]:
    with ConnectionPool[Any](database, min_size=1, max_size=8, open=True) as pool:
        with pool.connection() as conn:
            conn.execute(LOG_DDL)
        yield AlertLog(pool)


def submitted(stream: UUID, version: int) -> AlertSubmitted:
    return AlertSubmitted(originator_id=stream, originator_version=version, by=BY, version=1)


def test_events_come_back_in_order_with_their_instant(log: AlertLog) -> None:
    stream = uuid4()
    reason = 'Sửa lại "giờ"\nvà địa điểm'
    events: list[Event] = [
        submitted(stream, 1),
        AlertReturned(originator_id=stream, originator_version=2, by=BY, version=1, reason=reason),
    ]
    assert log.append(events, at=AT) == 2
    read = log.read(0, 10)
    assert [(r.position, r.recorded_at, r.event) for r in read] == [(1, AT, events[0]), (2, AT, events[1])]
    assert [r.position for r in log.read(0, 10, ["alert.returned"])] == [2]
    assert log.read(2, 10) == []


def test_a_full_page_is_made_as_one_goes_through_it_and_holds_the_same_events(log: AlertLog) -> None:
    log.append([submitted(uuid4(), 1) for _ in range(5)], at=AT)
    log.append([submitted(uuid4(), 1)], at=AT)
    assert log.pages(0, 10) == log.read(0, 10)
    page, kept = log.pages(1, 4), log.read(1, 4)
    assert not isinstance(page, list)
    assert (list(page), len(page), page[-1], list(page[1:3])) == (kept, 4, kept[-1], kept[1:3])


def test_nothing_of_a_conflicting_append_stays(log: AlertLog) -> None:
    stream, other = uuid4(), uuid4()
    log.append([submitted(stream, 1)], at=AT)
    with pytest.raises(ConflictError):
        log.append([submitted(other, 1), submitted(stream, 1)], at=AT)
    assert log.head() == 1
    assert not log.has(other)
    log.append([submitted(other, 1)], at=AT)
    assert [r.position for r in log.read(0, 10)] == [1, 2]


def test_recorded_at_never_runs_backwards(log: AlertLog) -> None:
    log.append([submitted(uuid4(), 1)], at=AT)
    log.append([submitted(uuid4(), 1)], at=AT - timedelta(hours=1))
    assert [r.recorded_at for r in log.read(0, 10)] == [AT, AT]


def test_parallel_writers_leave_no_gap_and_no_reader_misses_one(log: AlertLog) -> None:
    writers, each = 6, 40
    seen: list[int] = []
    done = threading.Event()

    def tail() -> None:
        after = 0
        while not (done.is_set() and after == log.head()):
            for recorded in log.read(after, 50):
                seen.append(recorded.position)
                after = recorded.position

    def write() -> None:
        for _ in range(each):
            log.append([submitted(uuid4(), 1)], at=AT)

    reader = threading.Thread(target=tail)
    threads = [threading.Thread(target=write) for _ in range(writers)]
    for thread in (reader, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    reader.join()
    assert seen == list(range(1, writers * each + 1))
    assert chain.verify(log).sound


def test_a_key_gives_the_first_answer_and_appends_once(log: AlertLog) -> None:
    stream, once = uuid4(), Once("lan", "k1", b"same")
    assert log.recall(once) is None
    log.append([submitted(stream, 1)], at=AT, once=once)
    assert log.recall(once) == (stream, 1)
    with pytest.raises(ConflictError):
        log.append([submitted(uuid4(), 1)], at=AT, once=once)
    assert log.head() == 1
    with pytest.raises(KeyReusedError):
        log.recall(Once("lan", "k1", b"other"))
    assert log.recall(Once("minh", "k1", b"other")) is None


def test_an_unknown_stream_is_an_error(log: AlertLog) -> None:
    def fold(state: int | None, _: object) -> int:
        return (state or 0) + 1

    with pytest.raises(UnknownStreamError):
        log.load(uuid4(), fold)
    stream = uuid4()
    log.append([submitted(stream, 1), submitted(stream, 2)], at=AT)
    assert log.load(stream, fold) == 2
    assert log.load(stream, fold, upto=1) == 1


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE events SET state = convert_to(replace(convert_from(state, 'UTF8'), 'lan', 'nam'), 'UTF8')",
        "UPDATE events SET recorded_at = recorded_at - interval '1 day'",
        "UPDATE events SET topic = 'alert.approved'",
        "UPDATE events SET originator_version = 9",
        "DELETE FROM events",
    ],
)
def test_verify_names_the_first_row_that_was_touched(log: AlertLog, database: str, tamper: str) -> None:
    log.append([submitted(uuid4(), 1) for _ in range(9)], at=AT)
    verdict = chain.verify(log)
    assert verdict.sound
    assert verdict.events == 9
    with psycopg.connect(database) as conn:
        conn.execute((tamper + " WHERE position = 5").encode())
    verdict = chain.verify(log)
    assert verdict.bad_position == 5
    assert verdict.events == 4


def test_anyone_can_check_the_export_with_a_few_lines(log: AlertLog) -> None:
    stream = uuid4()
    log.append([submitted(stream, 1)], at=AT + timedelta(microseconds=7))
    log.append([AlertExpired(originator_id=stream, originator_version=2, by=BY, version=1)], at=AT)
    previous = "0" * 64
    lines = list(chain.export(log))
    for line in lines:
        row = json.loads(line)
        payload = json.dumps(row["payload"], ensure_ascii=False, separators=(",", ":"))
        fields = ("position", "recorded_at", "stream", "version", "topic")
        text = "\n".join([previous, *(str(row[field]) for field in fields), payload])
        previous = hashlib.sha256(text.encode()).hexdigest()
        assert row["chain"] == previous
    assert len(lines) == 2
    assert chain.verify(log).head == previous


def test_nothing_is_appended_on_ground_that_moved(log: AlertLog) -> None:
    log.append([submitted(uuid4(), 1)], at=AT)
    ground = log.ground([AlertExpired.TOPIC])
    log.append([submitted(uuid4(), 1)], at=AT)
    log.append([submitted(uuid4(), 1)], at=AT, ground=ground)  # Only other topics moved.
    log.append([AlertExpired(originator_id=uuid4(), originator_version=1, by=BY, version=1)], at=AT)
    with pytest.raises(ConflictError, match="since position 1"):
        log.append([submitted(uuid4(), 1)], at=AT, ground=ground)
    assert log.head() == 4
    log.append([submitted(uuid4(), 1)], at=AT, ground=log.ground([AlertExpired.TOPIC]))


def test_a_broken_connection_is_not_a_lost_event(log: AlertLog, database: str) -> None:
    log.append([submitted(uuid4(), 1)], at=AT)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database()"
        )
    stream = uuid4()
    for _ in range(20):
        try:
            log.append([submitted(stream, 1)], at=AT)
        except psycopg.OperationalError:
            continue
        break
    assert log.has(stream)
    assert log.head() == 2
