"""Refused attempts in a loop: few events, and none of the attempts untold for long."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.office.refused import EACH, MOST, WINDOW, RefusalCount
from broadcaster.rules import RefusedError, Rule
from schemas.events import AttemptRefused
from tests.house import PHUC_XA, author, house

AT = datetime(2026, 10, 1, 8, tzinfo=UTC)


def told(count: RefusalCount, number: int, at: datetime = AT) -> list[int]:
    """What each event of so many attempts stands for."""
    found = (count.count("lan", "draft", Rule.AREA, at) for _ in range(number))
    return [times for times in found if times]


@given(st.integers(1, 3_000))
def test_few_events_tell_of_at_least_half(number: int) -> None:
    events = told(RefusalCount(), number)
    assert events[:EACH] == [1] * min(EACH, number)
    assert len(events) <= EACH + number.bit_length()
    assert number / 2 <= sum(events) <= number


def test_what_was_not_told_is_told_in_the_next_window() -> None:
    count = RefusalCount()
    first = told(count, 1000)
    assert sum(first) < 1000
    (later,) = told(count, 1, AT + WINDOW)
    assert sum(first) + later == 1001


def test_a_clock_that_stepped_back_silences_nobody() -> None:
    count = RefusalCount()
    told(count, 1000)
    assert told(count, 1, AT - timedelta(days=1)) != []


def test_others_are_told_of_as_ever() -> None:
    count = RefusalCount()
    told(count, 1000)
    assert count.count("hoa", "draft", Rule.AREA, AT) == 1
    assert count.count("lan", "submit", Rule.AREA, AT) == 1
    assert count.count("lan", "draft", Rule.ROLE, AT) == 1


def test_it_remembers_no_more_than_it_may() -> None:
    count = RefusalCount()
    for number in range(MOST + 10):
        count.count(f"account-{number}", "draft", Rule.AREA, AT)
    assert len(count) == MOST


def test_a_loop_of_refusals_hardly_grows_the_log(city_database: str) -> None:
    with house(city_database) as opened:
        before = opened.log.head()
        for _ in range(300):
            with (
                pytest.raises(RefusedError),
                opened.office.refusals(author(PHUC_XA), "draft", AT, issuer_id=PHUC_XA),
            ):
                raise RefusedError(Rule.AREA, "area 00004 lies outside 00001")
        events = [each.event for each in opened.log.everything() if each.position > before]
        assert len(events) <= EACH + 5
        assert sum(each.times for each in events if isinstance(each, AttemptRefused)) >= 150
