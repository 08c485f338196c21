"""Waits between tries."""

from hypothesis import given
from hypothesis import strategies as st

from projections.backoff import backoff


@given(st.integers(min_value=1, max_value=10_000))
def test_it_doubles_up_to_the_most_and_half_of_it_is_chance(failures: int) -> None:
    whole = min(5.0, 0.05 * 2 ** min(failures - 1, 30))
    assert whole / 2 <= backoff(failures) <= whole


def test_two_that_failed_together_do_not_come_back_together() -> None:
    assert len({backoff(3) for _ in range(20)}) > 1
