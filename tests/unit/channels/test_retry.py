"""The retry schedule is a pure function; these read it off."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from channels.retry import (
    GROUPS,
    JITTER,
    LONGEST_DELAY,
    LONGEST_WISH,
    MAX_ATTEMPTS,
    NEAR,
    delay,
    next_tries,
    next_try,
    wait,
)
from schemas.content import Lane
from tests.unit.schemas.examples import DISPATCH

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


@given(
    st.dictionaries(st.integers(0, 499), st.sampled_from([0.0, 1.0, 29.98, 30.0]) | st.floats(0, 90_000)),
    st.integers(1, 8),
    st.sampled_from(list(Lane)),
    jitters,
    st.floats(0.5, 7200),
)
def test_everyone_waits_for_their_own_wish_in_few_groups(
    wishes: dict[int, float], attempt: int, lane: Lane, jitter: float, left: float
) -> None:
    expires = AT + timedelta(seconds=left)
    tries = next_tries(attempt, lane, wishes, at=AT, expires_at=expires, jitter=jitter)
    times = [when for when, _ in tries]
    assert times == sorted(set(times))
    assert len(tries) <= GROUPS
    told = [rank for _, ranks in tries for rank in ranks]
    assert len(told) == len(set(told)), "nobody is tried twice"
    own = {
        rank: next_try(attempt, lane, at=AT, expires_at=expires, jitter=jitter, retry_after=wish)
        for rank, wish in wishes.items()
    }
    assert set(told) == {rank for rank, due in own.items() if due is not None}
    longest = max((due for due in own.values() if due), default=AT) - AT
    for when, ranks in tries:
        for rank in ranks:
            due = own[rank]
            assert due is not None
            assert due <= when < expires
            if longest <= NEAR**GROUPS * timedelta(seconds=delay(attempt, jitter)):
                assert when - AT <= (due - AT) * NEAR * 1.001


def test_waits_that_are_near_share_a_follow_up() -> None:
    expires = AT + timedelta(hours=1)
    wishes = {0: 0.0, 1: 30.0, 2: 29.9, 3: 0.5, 4: 300.0, 5: 7200.0}
    tries = next_tries(1, Lane.ALERT, wishes, at=AT, expires_at=expires, jitter=0.0)
    seconds = [((when - AT).total_seconds(), ranks) for when, ranks in tries]
    assert seconds == [(1.0, (0, 3)), (30.0, (1, 2)), (300.0, (4,))]


def test_an_outage_of_most_of_an_hour_is_outlived() -> None:
    at = AT
    for attempt in range(1, MAX_ATTEMPTS):
        due = next_try(attempt, Lane.BULLETIN, at=at, expires_at=AT + timedelta(days=1), jitter=0.0)
        assert due is not None
        at = due
    assert timedelta(minutes=55) < at - AT < timedelta(minutes=70)


@given(st.floats(-90_000, 200_000), st.floats(0, 300), st.floats(0.1, 90_000))
def test_what_waits_is_neither_early_nor_kept_beyond_its_end(due: float, rest: float, life: float) -> None:
    dispatch = DISPATCH.model_copy(
        update={"not_before": AT + timedelta(seconds=due), "expires_at": AT + timedelta(seconds=life)}
    )
    waited = wait(dispatch, AT, rest)
    assert 0 <= waited <= life + 0.001
    assert waited >= min(rest, life) - 0.001
    if due <= LONGEST_WISH:
        assert waited >= min(due, life) - 0.001
    elif due > LONGEST_WISH * (1 + JITTER):
        assert waited <= rest, "a clock was wrong when it was written"
