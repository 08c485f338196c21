"""The clock: a step of the machine's that is undone within a minute never was."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from broadcaster.steady import LASTING, SLACK, SteadyClock

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
