"""When a test item is due, late or lost."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.canary.rule import LATE, LIFE, Probe, State, due, silent
from schemas.content import Channel, Lane

AT = datetime(2026, 7, 10, 2, 0, tzinfo=UTC)
EVERY = timedelta(minutes=5)


@pytest.mark.parametrize(
    ("ended", "accepted", "looked", "state"),
    [
        (None, False, 9, State.UNDER_WAY),
        (None, False, 11, State.LATE),
        (None, False, 300, State.LOST),
        (9, True, 9, State.OK),
        (9, True, 9999, State.OK),
        (11, True, 11, State.LATE),
        (1, False, 1, State.LOST),
    ],
)
def test_the_states_of_an_emergency_probe(
    ended: int | None, looked: int, state: State, *, accepted: bool
) -> None:
    end = None if ended is None else AT + timedelta(seconds=ended)
    probe = Probe(Lane.EMERGENCY, Channel.PUSH, 1, AT, end, accepted)
    assert probe.state(AT + timedelta(seconds=looked)) is state
    assert probe.seconds == ended


@given(st.sampled_from(Lane), st.integers(0, 600), st.integers(0, 600))
def test_a_silent_probe_only_gets_worse(lane: Lane, early: int, later: int) -> None:
    order = [State.UNDER_WAY, State.LATE, State.LOST]
    probe = Probe(lane, Channel.SMS, 1, AT)
    first, second = sorted((early, later))
    states = [order.index(probe.state(AT + timedelta(seconds=s))) for s in (first, second)]
    assert states == sorted(states)
    assert LATE[lane] < LIFE


def test_a_probe_is_due_after_its_time_and_never_for_a_clock_that_stepped_back() -> None:
    assert due(None, EVERY, AT)
    assert not due(AT, EVERY, AT + EVERY - timedelta(seconds=1))
    assert due(AT, EVERY, AT + EVERY)
    assert not due(AT, EVERY, AT - timedelta(days=1))


def test_a_lane_that_gets_no_more_probes_is_silent_though_the_last_one_arrived() -> None:
    emergency, alert = (
        Probe(lane, Channel.PUSH, 1, AT + late, AT + late, accepted=True)
        for lane, late in ((Lane.EMERGENCY, timedelta()), (Lane.ALERT, EVERY))
    )
    assert not silent([emergency, alert], EVERY, AT + EVERY + LIFE)
    assert silent([emergency, alert], EVERY, AT + EVERY + LIFE + timedelta(seconds=1))
    assert not silent([emergency, alert], timedelta(), AT + timedelta(days=1)), "none are wanted"
    assert not silent([], EVERY, AT)
