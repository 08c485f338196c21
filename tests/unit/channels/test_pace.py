import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.pace import Pace, backoff
from tests.timeless import play


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@given(
    rate=st.floats(0.1, 5000),
    burst=st.integers(1, 50),
    steps=st.lists(st.floats(0, 2), min_size=1, max_size=60),
)
def test_never_more_than_the_burst_and_the_rate(rate: float, burst: int, steps: list[float]) -> None:
    clock = Clock()
    pace = Pace(rate, burst, clock)
    began, booked = clock.now, []
    for step in steps:
        clock.now += step
        booked.append(clock.now + max(0.0, pace.book()))
    for sent, at in enumerate(booked, start=1):
        assert sent <= burst + (at - began) * rate + 1e-6
    assert booked == sorted(booked)


def test_a_burst_then_one_by_one() -> None:
    pace = Pace(10, 2, Clock())
    assert [pytest.approx(pace.book()) for _ in range(4)] == [-0.1, 0, 0.1, 0.2]


def test_a_hold_stops_everything_and_is_no_debt() -> None:
    clock = Clock()
    pace = Pace(10, 1, clock)
    pace.hold(5)
    pace.hold(1)
    assert pace.book() == pytest.approx(5)
    clock.now += 60
    assert pace.book() == 0


def test_a_hold_stops_those_who_wait_for_their_place_too() -> None:
    async def scenario() -> list[float]:
        now = asyncio.get_running_loop().time
        pace = Pace(20, 1, now)

        async def one() -> float:
            await pace.turn()
            return now()

        going = [asyncio.create_task(one()) for _ in range(3)]
        await going[0]
        pace.hold(0.3)
        return sorted(await asyncio.gather(*going))

    # One after the other again, not all at once.
    assert play(scenario()) == [0, pytest.approx(0.3), pytest.approx(0.35)]


def test_a_rate_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="rate"):
        Pace(0)


@given(st.integers(0, 10_000))
def test_backoff_grows_to_its_ceiling_and_is_spread(attempt: int) -> None:
    wait = backoff(attempt, 0.5, 30)
    ceiling = min(30, 0.5 * 2 ** min(attempt, 10))
    assert ceiling / 2 <= wait <= ceiling
