"""The cadence view on a real database."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Connection

from projections.cadence import view
from projections.cadence.projection import Cadence
from projections.cadence.rule import Reading, State
from projections.projection import Row
from schemas.content import Kind
from tests.unit.projections.story import AT, Story, fold, opened, rebuild

ROLLING = Reading.ROLLING
DAY = timedelta(days=1)


@pytest.fixture
def conn(database: str) -> Iterator[Connection[Row]]:
    with opened(database, Cadence()) as conn:
        yield conn


def last_item(conn: Connection[Row], body: str, at: datetime) -> datetime | None:
    found = view.one(conn, body, at, ROLLING)
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
    found = view.standing(conn, at, ROLLING)
    assert [(body.issuer_id, body.state) for body in found] == [
        ("so-y-te", State.OVERDUE),
        ("ubnd-00001", State.OVERDUE),
        ("so-gtvt", State.OK),
        ("ubnd-001", State.OK),
    ]
    assert found[0].due_at == at
    assert view.summary(conn, at, ROLLING) == view.Summary(bodies=4, ok=2, due_soon=0, overdue=2)
    assert view.summary(conn, at, Reading.CALENDAR) == view.Summary(bodies=4, ok=2, due_soon=2, overdue=0)
    assert [body.issuer_id for body in view.standing(conn, at, ROLLING, {2, 3})] == [
        "ubnd-00001",
        "ubnd-001",
    ]
    assert view.summary(conn, at, ROLLING, {3}).bodies == 1


def test_the_past_is_seen_as_it_was(conn: Connection[Row]) -> None:
    story = Story()
    story.body("so-y-te")
    story.wait(days=5)
    story.body("so-gtvt")
    story.issue("so-y-te")
    fold(conn, Cadence(), story.log)
    before = view.standing(conn, AT + 4 * DAY, ROLLING)
    assert [(body.issuer_id, body.last_item_at, body.state) for body in before] == [
        ("so-y-te", None, State.OVERDUE)
    ]
    assert view.one(conn, "so-gtvt", AT + 4 * DAY, ROLLING) is None
    assert view.one(conn, "so-y-te", story.at, ROLLING) == view.BodyCadence(
        issuer_id="so-y-te",
        name="SO-Y-TE",
        level=1,
        area="01",
        parent=None,
        duty_since=AT,
        last_item_at=story.at,
        items_30d=1,
        due_at=story.at + 3 * DAY,
        state=State.OK,
    )
    assert view.one(conn, "so-y-te", story.at + 30 * DAY, ROLLING).items_30d == 0  # type: ignore[union-attr]


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
    assert len(whole["cadence_items"]) == 30
    assert rebuild(conn, Cadence(), story.log, 1) == whole
    assert rebuild(conn, Cadence(), story.log, 7) == whole


def test_all_bodies_of_the_city_are_read_at_once(conn: Connection[Row]) -> None:
    conn.execute(
        "INSERT INTO cadence_bodies SELECT 'body-' || n, 'Body ' || n, 3, '01', 'ubnd-tp', '2024-01-01'"
        " FROM generate_series(1, 644) n"
    )
    conn.execute(
        "INSERT INTO cadence_items SELECT gen_random_uuid(), 'body-' || (n % 640 + 1),"
        " timestamptz '2024-02-01' + n * interval '12 minutes', n % 50 = 0 FROM generate_series(1, 20000) n"
    )
    conn.execute("ANALYZE cadence_bodies, cadence_items")
    at = datetime(2024, 7, 16, tzinfo=UTC)
    found, took = view.standing(conn, at, Reading.CALENDAR), list[float]()
    for _ in range(5):
        start = time.perf_counter()
        view.standing(conn, at, Reading.CALENDAR)
        took.append(time.perf_counter() - start)
    assert len(found) == 644
    assert found[0].last_item_at is None
    # Measured 15 ms here; 50 ms is what the console may wait.
    assert min(took) < 0.05, took
