"""The retry schedule is a pure function; these read it off."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from channels.retry import JITTER, LONGEST_DELAY, MAX_ATTEMPTS, delay, next_try
from schemas.content import Lane

AT = datetime(2026, 7, 10, tzinfo=UTC)
jitters = st.floats(0, 1, exclude_max=True)


def test_it_doubles_to_a_minute() -> None:
    assert [delay(attempt, 0.0) for attempt in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


@given(st.integers(1, 10_000), jitters, st.none() | st.floats(0, 3600))
def test_it_never_goes_below_what_the_provider_asks(
    attempt: int, jitter: float, wish: float | None
) -> None:
    waited = delay(attempt, jitter, wish)
    assert waited >= (wish or 0)
    assert waited <= max(LONGEST_DELAY, wish or 0) * (1 + JITTER)


@given(st.sampled_from(list(Lane)), st.integers(1, 50), jitters, st.floats(0.5, 7200))
def test_it_ends(lane: Lane, attempt: int, jitter: float, left: float) -> None:
    expires = AT + timedelta(seconds=left)
    due = next_try(attempt, lane, at=AT, expires_at=expires, jitter=jitter)
    if due is None:
        assert attempt >= MAX_ATTEMPTS or AT + timedelta(seconds=delay(attempt, jitter)) >= expires
    else:
        assert AT < due < expires
        assert lane is Lane.EMERGENCY or attempt < MAX_ATTEMPTS
