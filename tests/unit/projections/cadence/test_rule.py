"""The duty "at least one item every 3 days", against its boundaries and against a scanner."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.cadence.rule import Reading, State, due_at, state

LOCAL = timezone(timedelta(hours=7))
TICK = timedelta(microseconds=1)
BOTH = list(Reading)


def local(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2024, 7, day, hour, minute, tzinfo=LOCAL)


LONG_AGO = local(1)


@pytest.mark.parametrize(
    ("item", "reading", "due"),
    [
        (local(10, 9), Reading.ROLLING, local(13, 9)),
        (local(10, 9), Reading.CALENDAR, local(14)),
        (local(10), Reading.CALENDAR, local(14)),
        (local(10, 23, 59), Reading.CALENDAR, local(14)),
        (local(11), Reading.CALENDAR, local(15)),
    ],
)
def test_an_item_holds_until(item: datetime, reading: Reading, due: datetime) -> None:
    assert due_at(item, LONG_AGO, reading) == due


@pytest.mark.parametrize(
    ("since", "reading", "due"),
    [
        (local(10, 9), Reading.ROLLING, local(13, 9)),
        (local(10, 9), Reading.CALENDAR, local(14)),
        (local(10), Reading.CALENDAR, local(13)),
        (local(10) + TICK, Reading.CALENDAR, local(14)),
        (local(10) - TICK, Reading.CALENDAR, local(13)),
    ],
)
def test_a_duty_begins_afresh(since: datetime, reading: Reading, due: datetime) -> None:
    assert due_at(None, since, reading) == due


@pytest.mark.parametrize("reading", BOTH)
def test_an_item_before_the_duty_changes_nothing(reading: Reading) -> None:
    since = local(10, 9)
    assert due_at(local(5), since, reading) == due_at(None, since, reading)


def test_days_are_those_of_hanoi_and_instants_are_utc() -> None:
    # 18:00 UTC on the 9th is 01:00 on the 10th in Hanoi.
    due = due_at(datetime(2024, 7, 9, 18, tzinfo=UTC), LONG_AGO, Reading.CALENDAR)
    assert due == datetime(2024, 7, 13, 17, tzinfo=UTC)
    assert due.tzinfo is UTC
    assert due_at(local(10), LONG_AGO, Reading.ROLLING).tzinfo is UTC


def test_states_change_sharp() -> None:
    due = local(14)
    assert state(due, due - timedelta(hours=24) - TICK) is State.OK
    assert state(due, due - timedelta(hours=24)) is State.DUE_SOON
    assert state(due, due - TICK) is State.DUE_SOON
    assert state(due, due) is State.OVERDUE


def scan_calendar(items: Sequence[datetime], since: datetime, at: datetime) -> bool:
    """Counts whole days back from today: three that are owed and hold none, and none today."""
    midnight = at.astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
    if any(midnight <= item <= at for item in items):
        return False
    for back in (1, 2, 3):
        begin = midnight - timedelta(days=back)
        owed = begin >= since
        held = any(begin <= item < begin + timedelta(days=1) for item in items)
        if held or not owed:
            return False
    return True


def scan_rolling(items: Sequence[datetime], since: datetime, at: datetime) -> bool:
    """Looks at the last 72 hours as a whole."""
    begin = at - timedelta(hours=72)
    return since <= begin and not any(begin < item <= at for item in items)


SCANS = {Reading.CALENDAR: scan_calendar, Reading.ROLLING: scan_rolling}

# Half days from a midnight, give or take a tick: nearly every case is at a boundary of one reading.
instants = st.tuples(st.integers(0, 30), st.sampled_from((-1, 0, 0, 0, 1))).map(
    lambda at: local(1) + at[0] * timedelta(hours=12) + at[1] * TICK
)


@pytest.mark.parametrize("reading", BOTH)
@given(
    since=instants, later=st.lists(instants, max_size=6), after=st.integers(0, 20), tick=st.integers(-1, 1)
)
def test_the_rule_finds_what_a_scan_finds(
    reading: Reading, since: datetime, later: list[datetime], after: int, tick: int
) -> None:
    items = [item for item in later if item >= since]
    at = max([since, *items]) + max(timedelta(0), after * timedelta(hours=12) + tick * TICK)
    due = due_at(max(items, default=None), since, reading)
    assert (state(due, at) is State.OVERDUE) == SCANS[reading](items, since, at)


@pytest.mark.parametrize("reading", BOTH)
@given(since=instants, one=instants, other=instants)
def test_a_later_item_is_never_due_earlier(
    reading: Reading, since: datetime, one: datetime, other: datetime
) -> None:
    first, second = sorted((one, other))
    assert due_at(first, since, reading) <= due_at(second, since, reading)


@given(since=instants, item=instants)
def test_the_calendar_is_never_stricter_than_the_clock_after_an_item(
    since: datetime, item: datetime
) -> None:
    last = max(item, since)
    assert due_at(last, since, Reading.ROLLING) <= due_at(last, since, Reading.CALENDAR)
