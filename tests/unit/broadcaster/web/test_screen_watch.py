"""Screens that fall silent: what they say of themselves, who is missed when, and what they played."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.screens.hours import ALL_DAY, Hours
from broadcaster.screens.seen import LONGEST, read_state
from broadcaster.screens.watch import SILENT, ScreenWatch, is_silent
from broadcaster.web.directory import Directory
from broadcaster.web.feeds.polls import FEED_PATH
from schemas.events import ScreenCameOnline, ScreenWentOffline
from tests.unit.broadcaster.web.test_pairing_api import paired
from tests.unit.broadcaster.web.town import AT, Client, Town

NIGHT = datetime(2024, 7, 10, 18, 0, tzinfo=UTC)
"""One o'clock at night in Hanoi."""
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda one: one.replace(tzinfo=UTC))  # noqa: DTZ001


def contacts(town: Town) -> list[str]:
    found = [one.event for one in town.log.everything()]
    return [event.TOPIC for event in found if isinstance(event, ScreenWentOffline | ScreenCameOnline)]


def flush(town: Town) -> int:
    return town.app.app._app.state.services.seen.flush()  # type: ignore[no-any-return]


@pytest.fixture(name="watch")
def _watch(town: Town) -> ScreenWatch:
    return ScreenWatch(town.pool, town.log, Directory(town.log).screens)


def test_a_screen_falls_silent_and_is_heard_again(town: Town, watch: ScreenWatch) -> None:
    screen, screen_id = paired(town)
    screen.get(FEED_PATH, X_Screen_State="seq=3;err=0")
    assert flush(town) == 1
    assert flush(town) == 0  # nothing new
    assert watch.watch(town.now) == 0
    for _ in range(12):  # somebody listens all the while
        town.later(seconds=30)
        flush(town)
    assert watch.watch(town.now) == 1
    town.later(seconds=30)
    assert watch.watch(town.now) == 0  # it is told once
    flush(town)
    lines = town.client().get("/metrics").text
    assert 'broadcaster_screens{state="offline"} 1.0' in lines
    assert town.client().get("/healthz").json()["screens"] == {"online": 0, "offline": 1}
    screen.get(FEED_PATH, X_Screen_State="x" * (LONGEST + 1))
    flush(town)
    town.later(seconds=30)
    assert watch.watch(town.now) == 1
    assert contacts(town) == ["screen.offline", "screen.online"]
    with town.pool.connection() as conn:
        row = conn.execute("SELECT screen_id, state, offline_since FROM screen_seen").fetchone()
    assert row == (UUID(screen_id), "seq=3;err=0", None)
    town.catch_up()  # the audit has words for both
    assert all(one.stopped_at is None for one in town.standings())


def test_nobody_is_missed_by_who_did_not_listen(town: Town, watch: ScreenWatch) -> None:
    screen, _ = paired(town)
    screen.get(FEED_PATH)
    flush(town)
    town.later(hours=1)  # no web process ran
    assert watch.watch(town.now) == 0
    flush(town)
    town.later(seconds=60)
    flush(town)
    assert watch.watch(town.now) == 0  # it listens for a minute only
    for _ in range(10):
        town.later(seconds=30)
        flush(town)
    assert watch.watch(town.now) == 1


def test_two_watches_tell_it_once_and_a_screen_taken_down_is_forgotten(
    town: Town, watch: ScreenWatch
) -> None:
    screen, screen_id = paired(town)
    screen.get(FEED_PATH)
    flush(town)
    for _ in range(12):
        town.later(seconds=30)
        flush(town)
    other = ScreenWatch(town.pool, town.log, Directory(town.log).screens)
    assert (watch.watch(town.now), other.watch(town.now)) == (1, 0)
    town.client("hoa")("DELETE", f"/v1/screens/{screen_id}").raise_for_status()
    town.later(seconds=30)
    late = ScreenWatch(town.pool, town.log, Directory(town.log).screens)
    assert late.watch(town.now) == 0
    with town.pool.connection() as conn:
        assert conn.execute("SELECT count(*) FROM screen_seen").fetchone() == (0,)


def test_silence_at_night_is_no_fault() -> None:
    day = Hours(time(6), time(22))
    assert not is_silent(NIGHT - timedelta(hours=3), day, AT, NIGHT)
    assert is_silent(NIGHT - timedelta(hours=3), ALL_DAY, AT, NIGHT)
    opened = NIGHT + timedelta(hours=5)
    assert day.opened(opened) == opened
    assert not is_silent(NIGHT, day, AT, opened + SILENT)
    assert is_silent(NIGHT, day, AT, opened + SILENT + timedelta(seconds=1))
    late = Hours(time(18), time(2))  # closes the next day
    assert late.opened(NIGHT) == NIGHT - timedelta(hours=7)
    assert late.opened(NIGHT + timedelta(hours=1)) is None


@given(at=INSTANTS, opens=st.times(), closes=st.times())
def test_hours_hold_until_they_close(at: datetime, opens: time, closes: time) -> None:
    opened = Hours(opens, closes).opened(at)
    assert opened is None or at - opened < timedelta(days=1) or opens == closes
    assert opened is None or opened <= at
    # It is on, or on in the other half of the day.
    assert (opened is None) != (Hours(closes, opens).opened(at) is None) or opens == closes


@given(st.binary(max_size=300))
def test_any_state_is_read_or_passed_over(said: bytes) -> None:
    found = read_state(said)
    assert not found or len(said) <= LONGEST
    assert read_state(";".join("=".join(one) for one in found.items()).encode()) == found


def play(alert_id: str, **other: Any) -> dict[str, Any]:
    lasting = {"first_at": "2024-07-10T02:00:00Z", "last_at": "2024-07-10T03:00:00Z"}
    return {"alert_id": alert_id, "version": 1, "plays": 90, "seconds": 360, **lasting, **other}


def test_plays_are_rows_and_a_batch_counts_once(town: Town) -> None:
    screen, _ = paired(town)
    alert_id = town.issue()
    head = town.log.head()
    batch = {"batch": str(uuid4()), "plays": [play(alert_id), play(str(uuid4()))]}
    path = "/v1/screens/me/plays"
    assert screen.post(path, batch).json() == {"taken": 1, "repeated": False}
    assert screen.post(path, batch).json() == {"taken": 0, "repeated": True}
    assert screen.post(path, batch | {"batch": str(uuid4())}).json()["taken"] == 1
    assert town.log.head() == head
    with town.pool.connection() as conn:
        assert conn.execute("SELECT plays, seconds FROM screen_plays").fetchall() == [(180, 720)]
    assert screen.post(path, {"batch": str(uuid4()), "plays": []}).status_code == 422
    assert town.client("hoa").post(path, batch).status_code == 403
    assert Client(town.app).post(path, batch).status_code == 401
