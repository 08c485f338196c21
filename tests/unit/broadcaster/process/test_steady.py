"""The clock: a step of the machine's that is undone within a minute never was."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from broadcaster.process.steady import LASTING, SLACK, SteadyClock

AT = datetime(2026, 7, 10, 3, 0, tzinfo=UTC)
steps = st.floats(-7200, 7200)


class Machine:
    """A wall clock that someone sets, and ticks that nobody does."""

    def __init__(self) -> None:
        self.ticked, self.wrong = 1000.0, timedelta()
        self.clock = SteadyClock(lambda: self.true + self.wrong, lambda: self.ticked)

    @property
    def true(self) -> datetime:
        return AT + timedelta(seconds=self.ticked - 1000)

    def after(self, seconds: float) -> datetime:
        self.ticked += seconds
        return self.clock()


@given(steps, st.lists(st.floats(0.1, 5), max_size=10))
def test_a_step_that_is_undone_is_not_seen(step: float, looks: list[float]) -> None:
    machine = Machine()
    machine.wrong = timedelta(seconds=step)
    for look in looks:
        assert abs(machine.after(look) - machine.true) <= max(SLACK, timedelta())
    machine.wrong = timedelta()
    assert machine.after(1) == machine.true


@given(steps)
def test_a_step_that_lasts_is_followed(step: float) -> None:
    machine = Machine()
    machine.wrong = timedelta(seconds=step)
    machine.after(1)
    assert machine.after(LASTING) == machine.true + machine.wrong
    assert machine.after(1) == machine.true + machine.wrong


@given(st.lists(st.floats(-1.9, 1.9), max_size=30))
def test_small_corrections_are_taken_as_they_come(corrections: list[float]) -> None:
    machine = Machine()
    for correction in corrections:
        machine.wrong += timedelta(seconds=correction)
        assert machine.after(10) == machine.true + machine.wrong


@given(st.floats(0.1, 5), st.integers(50, 400))
def test_time_goes_on_beside_a_clock_that_stands_still(look: float, looks: int) -> None:
    machine = Machine()
    last = machine.after(10)
    for _ in range(looks):
        machine.wrong -= timedelta(seconds=look)
        now = machine.after(look)
        assert now >= last - timedelta(milliseconds=1)
        assert machine.true - now < 5 * SLACK
        last = now


def test_time_goes_on_beside_a_clock_that_runs_wild() -> None:
    machine = Machine()
    machine.after(10)
    for _ in range(300):
        machine.wrong += timedelta(seconds=9)
        assert abs(machine.after(1) - machine.true) < 5 * SLACK


def test_a_clock_that_goes_again_is_followed_once_it_has_for_a_while() -> None:
    machine = Machine()
    for _ in range(120):
        machine.wrong -= timedelta(seconds=1)
        machine.after(1)
    for _ in range(int(LASTING) + 3):
        machine.after(1)
    assert machine.after(1) == machine.true + machine.wrong
