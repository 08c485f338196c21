"""A body's SMS budget: bulletins never pass it, alerts always go."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.sms_budget import Order, SmsBudget, Usage, day_of
from schemas.events import Actor, SmsBudgetExceeded, SmsBudgetReserved, SmsBudgetStopped

AT = datetime(2026, 7, 10, 3, 0, tzinfo=UTC)
BY = Actor(account="system:worker:sms")
DAY = date(2026, 7, 10)


def budget(segments: int | None = 100, vnd: int | None = None) -> SmsBudget:
    empty = SmsBudget("ubnd-00001")
    return empty.after(empty.set(BY, segments, vnd))


def order(number: int, segments: int, *, bulletin: bool = True, vnd: int = 0) -> Order:
    return Order(UUID(int=number), 1, bulletin, segments, Usage(segments, vnd))


orders = st.lists(st.tuples(st.booleans(), st.integers(0, 80), st.integers(0, 120)), max_size=25)


@given(orders, st.integers(0, 200))
def test_bulletins_never_pass_it_and_alerts_always_go(
    orders: list[tuple[bool, int, int]], bound: int
) -> None:
    state, spent, went = budget(bound), dict[tuple[UUID, int], Usage](), 0
    for number, (bulletin, need, took) in enumerate(orders):
        one = order(number, need, bulletin=bulletin)
        before = state.used(DAY, spent).segments
        event = state.decide(BY, one, spent, AT)
        assert event is not None
        state = state.after(event)
        assert state.decide(BY, one, spent, AT) is None, "decided once"
        if isinstance(event, SmsBudgetStopped):
            assert bulletin
            assert before + need > bound
        else:
            went += need
            assert isinstance(event, SmsBudgetReserved) == (before + need <= bound)
            assert isinstance(event, SmsBudgetReserved) or not bulletin
            spent[one.alert_id, 1] = Usage(min(took, need))
    if not any(not bulletin for bulletin, _, _ in orders):
        assert went <= bound


@pytest.mark.parametrize(("segments", "vnd", "fits"), [(10, None, True), (9, None, False), (10, 99, False)])
def test_either_bound_holds(segments: int, vnd: int | None, fits: bool) -> None:
    event = budget(segments, vnd).decide(BY, order(1, 10, vnd=100), {}, AT)
    assert isinstance(event, SmsBudgetReserved if fits else SmsBudgetStopped)
    assert (event.day, event.segments, event.vnd) == (DAY, 10, 100)


def test_what_was_spent_before_counts_and_dearer_than_foreseen_counts_in_full() -> None:
    state, known = budget(100), {(UUID(int=7), 1): Usage(95)}
    assert isinstance(state.decide(BY, order(1, 10), known, AT), SmsBudgetStopped)
    alert = state.decide(BY, order(1, 10, bulletin=False), known, AT)
    assert isinstance(alert, SmsBudgetExceeded)
    state = state.after(alert)
    assert state.used(DAY, {**known, (UUID(int=1), 1): Usage(30)}) == Usage(125)


def test_a_day_is_one_of_hanois() -> None:
    midnight = datetime(2026, 7, 10, 17, 0, tzinfo=UTC)
    assert (day_of(midnight - timedelta(seconds=1)), day_of(midnight)) == (DAY, DAY + timedelta(days=1))
    state = budget(100)
    first = state.decide(BY, order(1, 100), {}, AT)
    assert first is not None
    state = state.after(first)
    assert isinstance(state.decide(BY, order(2, 1), {}, AT), SmsBudgetStopped)
    assert isinstance(state.decide(BY, order(2, 100), {}, midnight), SmsBudgetReserved)


def test_no_bound_decides_nothing() -> None:
    assert SmsBudget("x").decide(BY, order(1, 10**9), {}, AT) is None
    state = budget(5)
    lifted = state.after(state.set(BY, None, None))
    assert not lifted.is_set


def test_who_got_nothing_needs_no_withdrawal() -> None:
    state = budget(5)
    stopped = state.decide(BY, order(1, 10), {}, AT)
    assert stopped is not None
    state = state.after(stopped)
    assert state.silenced(UUID(int=1), [1])
    assert not state.silenced(UUID(int=1), [])
    assert not state.silenced(UUID(int=2), [1])
    sent = state.decide(BY, order(1, 5)._replace(version=2), {}, AT)
    assert sent is not None
    assert not state.after(sent).silenced(UUID(int=1), [1, 2])
