"""The cadence view on a real database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any, ClassVar, Self

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from broadcaster.engines.embedded import PostgresServer
from projections.cadence.projection import Cadence
from projections.cadence.rule import Reading, State
from projections.cadence.standing import breaches
from projections.cadence.view import ALL, BodyCadence, CadenceBook, Summary
from projections.projection import Row
from schemas.cadence import CadencePolicy
from schemas.content import Kind
from schemas.events import Recorded
from tests.unit.projections.cadence.histories import END, History, histories, instant
from tests.unit.projections.cadence.test_standing import broken, stand
from tests.unit.projections.story import AT, Story, fold, opened, rebuild

DAY = timedelta(days=1)


def rolling() -> CadenceBook:
    return CadenceBook(CadencePolicy(reading=Reading.ROLLING))


@pytest.fixture
def conn(database: str) -> Iterator[Connection[Row]]:
    with opened(database, Cadence()) as conn:
        yield conn


def last_item(conn: Connection[Row], body: str, at: datetime) -> datetime | None:
    found = rolling().one(conn, body, at)
    assert found is not None
    return found.last_item_at


def test_alerts_and_bulletins_count_and_updates_do_not(conn: Connection[Row]) -> None:
    story = Story()
    story.body("so-y-te")
    story.wait(days=1)
    alert = story.issue()
    story.wait(days=1)
    story.issue(alert_id=alert)
    fold(conn, Cadence(), story.log)
    assert last_item(conn, "so-y-te", story.at) == AT + DAY
    story.wait(days=1)
    story.issue(kind=Kind.BULLETIN)
    fold(conn, Cadence(), story.log[-1:])
    assert last_item(conn, "so-y-te", story.at) == AT + 3 * DAY


@pytest.mark.parametrize("known", [None, 1000])
def test_of_two_at_one_instant_the_later_in_the_log_is_the_last(
    conn: Connection[Row], known: int | None
) -> None:
    story = Story()
    story.body("so-y-te")
    story.wait(days=1)
    for _ in range(6):
        story.issue()
    fold(conn, Cadence(), story.log)
    found = rolling().one(conn, "so-y-te", story.at, known=known)
    assert found is not None
    assert found.last_item == story.log[-1].event.originator_id


@pytest.mark.parametrize("order", list(permutations(("ubnd-001", "ubnd-tp", "ubnd-tp"))))
def test_of_its_own_and_its_parent_s_at_one_instant_the_later_in_the_log_is_the_last(
    conn: Connection[Row], order: tuple[str, ...]
) -> None:
    story = Story()
    story.adopt()
    story.body("ubnd-tp", 1)
    story.body("ubnd-001", 2, parent="ubnd-tp", area="001")
    story.wait(days=1)
    for body in order:
        story.issue(body, areas=("001",))
    fold(conn, Cadence(), story.log)
    book = CadenceBook(CadencePolicy(parent_counts=True))
    found = book.one(conn, "ubnd-001", story.at)
    assert found is not None
    assert found.last_item == story.log[-1].event.originator_id
    ledger = book.ledger(conn)
    body = ledger.bodies["ubnd-001"]
    items = book.items(conn, ledger, [body], since=None, until=story.at)["ubnd-001"]
    assert [item.position for item in items] == [one.position for one in story.log[-3:]]


def test_an_item_issued_in_error_is_taken_back(conn: Connection[Row]) -> None:
    story = Story()
    story.body("so-y-te")
    story.wait(days=1)
    story.issue()
    story.wait(days=1)
    mistake = story.issue()
    fold(conn, Cadence(), story.log)
    assert last_item(conn, "so-y-te", story.at) == AT + 2 * DAY
    story.cancel(mistake, in_error=True)
    fold(conn, Cadence(), story.log[-1:])
    assert last_item(conn, "so-y-te", story.at) == AT + DAY


def test_an_item_cancelled_because_it_is_over_still_counts(conn: Connection[Row]) -> None:
    story = Story()
    story.body("so-y-te")
    story.wait(days=1)
    story.cancel(story.issue())
    fold(conn, Cadence(), story.log)
    assert last_item(conn, "so-y-te", story.at) == AT + DAY


def test_the_worst_come_first(conn: Connection[Row]) -> None:
    story = Story()
    for body, level in (("so-y-te", 1), ("so-gtvt", 1), ("ubnd-001", 2), ("ubnd-00001", 3)):
        story.body(body, level, parent=None if level == 1 else "ubnd-tp")
    story.wait(days=1, hours=12)
    story.issue("so-gtvt")
    story.wait(days=1)
    story.issue("ubnd-001")
    fold(conn, Cadence(), story.log)
    at = AT + 3 * DAY
    found = rolling().standing(conn, at)
    assert [(body.issuer_id, body.state) for body in found] == [
        ("so-y-te", State.OVERDUE),
        ("ubnd-00001", State.OVERDUE),
        ("so-gtvt", State.OK),
        ("ubnd-001", State.OK),
    ]
    assert found[0].due_at == at
    assert rolling().summary(conn, at) == Summary(bodies=4, ok=2, due_soon=0, overdue=2)
    assert CadenceBook().summary(conn, at) == Summary(bodies=4, ok=2, due_soon=2, overdue=0)
    assert [body.issuer_id for body in rolling().standing(conn, at, {2, 3})] == [
        "ubnd-00001",
        "ubnd-001",
    ]
    assert rolling().summary(conn, at, {3}).bodies == 1


def test_the_past_is_seen_as_it_was(conn: Connection[Row]) -> None:
    story = Story()
    story.body("so-y-te")
    story.wait(days=5)
    story.body("so-gtvt")
    story.issue("so-y-te")
    fold(conn, Cadence(), story.log)
    before = rolling().standing(conn, AT + 4 * DAY)
    assert [(body.issuer_id, body.last_item_at, body.state) for body in before] == [
        ("so-y-te", None, State.OVERDUE)
    ]
    assert rolling().one(conn, "so-gtvt", AT + 4 * DAY) is None
    assert rolling().one(conn, "so-y-te", story.at) == BodyCadence(
        issuer_id="so-y-te",
        name="SO-Y-TE",
        level=1,
        area="01",
        parent=None,
        duty_since=AT,
        last_item=story.log[-1].event.originator_id,
        last_item_at=story.at,
        items_30d=1,
        due_at=story.at + 3 * DAY,
        overdue_since=None,
        state=State.OK,
    )
    assert rolling().one(conn, "so-y-te", story.at + 30 * DAY).items_30d == 0  # type: ignore[union-attr]


def test_rows_do_not_depend_on_pages(conn: Connection[Row]) -> None:
    story = Story()
    for number in range(5):
        story.body(f"so-{number}", name=f"Sở\0 {number}")
    for number in range(30):
        story.wait(hours=7)
        alert = story.issue(f"so-{number % 5}")
        if number % 3 == 0:
            story.issue(f"so-{number % 5}", alert_id=alert)
        if number % 4 == 0:
            story.cancel(alert, in_error=number % 8 == 0)
    whole = rebuild(conn, Cadence(), story.log, 1000)
    assert len(whole["cadence_sends"]) == 40
    assert rebuild(conn, Cadence(), story.log, 1) == whole
    assert rebuild(conn, Cadence(), story.log, 7) == whole


def test_all_bodies_of_the_city_are_read_at_once(conn: Connection[Row]) -> None:
    story = Story(at=datetime(2024, 1, 1, tzinfo=UTC))
    for number in range(1, 645):
        story.body(f"body-{number}", 3)
    fold(conn, Cadence(), story.log)
    conn.execute(
        "INSERT INTO cadence_sends SELECT gen_random_uuid(), 1, 'body-' || (n % 640 + 1),"
        " timestamptz '2024-02-01' + n * interval '12 minutes', true, true, 'alert', 'actual', 'x',"
        " '2020-03-01', '{01}', n, CASE WHEN n % 50 = 0 THEN n END FROM generate_series(1, 20000) n"
    )
    conn.execute("ANALYZE cadence_sends")
    at = datetime(2024, 7, 16, tzinfo=UTC)
    book = CadenceBook()
    found = book.standing(conn, at)
    assert len(found) == 644
    assert found[0].last_item_at is None
    conn.cursor_factory = Noting
    Noting.asked = []
    book.standing(conn, at)
    conn.cursor_factory = psycopg.Cursor
    # What makes it quick, however busy the machine: few questions for all bodies, and none that reads
    # every item. The milliseconds are the benchmark's.
    assert len(Noting.asked) <= 3
    plans = [conn.execute(b"EXPLAIN " + query, params).fetchall() for query, params in Noting.asked]
    assert any("cadence_sends" in str(plan) for plan in plans)
    assert "Seq Scan on cadence_sends" not in str(plans)


class Noting(psycopg.Cursor[Row]):
    """Notes what is asked."""

    asked: ClassVar[list[tuple[bytes, Any]]] = []

    def execute(self, query: Any, params: Any = None, **how: Any) -> Self:
        self.asked.append((query if isinstance(query, bytes) else query.encode(), params))
        return super().execute(query, params, **how)


def check(
    conn: Connection[Row], history: History, log: list[Recorded], minute: int, known: int | None
) -> None:
    book = CadenceBook(CadencePolicy(reading=history.reading))
    at = instant(minute)
    found = {body.issuer_id: body for body in book.standing(conn, at, known=known)}
    for body in ("a", "b", "c"):
        truth = stand(log, body, at, history.reading)
        told = found.get(body)
        assert (told is None) == (truth is None)
        if told and truth:
            assert book.one(conn, body, at, known=known) == told
            last = truth.last_item and truth.last_item.alert_id
            assert (told.state, told.due_at, told.overdue_since) == (
                truth.state,
                truth.due_at,
                truth.overdue_since,
            )
            if truth.state is not State.EXEMPT:
                assert told.last_item == last
            assert history.states(body)[minute] == ("ok" if told.state is State.DUE_SOON else told.state)
        else:
            assert history.states(body)[minute] == "none"


@pytest.fixture(scope="module")
def shared(postgres: PostgresServer) -> Iterator[Connection[Row]]:
    """A database for many histories, each folded into empty tables."""
    name = "cadence_histories"
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
    with opened(postgres.url_of(name), Cadence()) as conn:
        yield conn


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=histories(), sample=st.integers(0, END - 1), page=st.sampled_from((1, 3, 1000)))
def test_every_history_reads_as_the_scanner_saw_it(
    shared: Connection[Row], history: History, sample: int, page: int
) -> None:
    rebuild(shared, Cadence(), history.log, page)
    turns = {thing.minute for thing in history.things}
    for minute in {0, sample, END - 1, *turns}:
        check(shared, history, history.log, minute, None)
    # As it stood: what was recorded up to then, and nothing else.
    held = [one for one in history.log if one.recorded_at <= instant(sample)]
    check(shared, history.known(sample), held, sample, len(held))
    book = CadenceBook(CadencePolicy(reading=history.reading))
    ledger = book.ledger(shared)
    bodies = list(ledger.bodies.values())
    items = book.items(shared, ledger, bodies, since=instant(sample), until=instant(END), known=ALL)
    for body in bodies:
        found = breaches(body, ledger.policies, items[body.issuer_id], instant(END), ledger.bodies)
        whole = broken(history.log, body.issuer_id, instant(END), history.reading)
        later = instant(sample)
        assert [one for one in found if one.until > later] == [one for one in whole if one.until > later]
