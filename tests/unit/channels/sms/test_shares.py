"""Messages shared out among providers: bounded steps, nothing lost, and a way back."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.shares import Policy, Seen, Share, adjust, judged, pick, rest

AT = datetime(2026, 7, 10, 2, 0, tzinfo=UTC)
POLICY = Policy()
WELL, FAILING, SLOW = Seen(100, 0, 5.0), Seen(100, 20, 5.0), Seen(100, 0, 300.0)
FEW, DOWN = Seen(19, 19, 60.0), Seen(down=True)

names = st.sampled_from(["a", "b", "c"])
weights = st.dictionaries(names, st.floats(0.5, 100), min_size=1)
sights = st.sampled_from([WELL, FAILING, SLOW, FEW, DOWN, Seen()])
reports = st.lists(st.tuples(st.dictionaries(names, sights), st.floats(1, 120)), max_size=40)


def shares_of(shares: dict[str, Share]) -> dict[str, float]:
    return {name: share.share for name, share in shares.items()}


def through(shares: dict[str, Share], *said: dict[str, Seen]) -> list[dict[str, float]]:
    """The shares after each report, a minute between them."""
    told: list[dict[str, float]] = []
    for step, seen in enumerate(said, start=1):
        shares = adjust(POLICY, shares, seen, AT + step * timedelta(minutes=1))
        told.append(shares_of(shares))
    return told


@given(weights, reports)
def test_shares_are_whole_bounded_and_never_below_the_floor(
    weights: dict[str, float], reports: list[tuple[dict[str, Seen], float]]
) -> None:
    shares, at = rest(weights), AT
    floors = {name: min(POLICY.floor, share.share) for name, share in shares.items()}
    for seen, seconds in reports:
        at += timedelta(seconds=seconds)
        after = adjust(POLICY, shares, seen, at)
        assert sum(shares_of(after).values()) == pytest.approx(1)
        for name, share in after.items():
            assert share.share >= floors[name] - 1e-9
            assert share.share >= shares[name].share - POLICY.step_away - 1e-9
            if judged(POLICY, seen.get(name, Seen())):
                assert share.share <= shares[name].share + 1e-9, "nothing is added to one that ails"
        shares = after


@given(weights, st.data())
def test_all_come_back_to_their_weights_once_all_are_well(
    weights: dict[str, float], data: st.DataObject
) -> None:
    shares, at, home = rest(weights), AT, shares_of(rest(weights))
    for seen, seconds in data.draw(reports):
        at += timedelta(seconds=seconds)
        shares = adjust(POLICY, shares, seen, at)
    for _ in range(60):
        at += POLICY.calm
        shares = adjust(POLICY, shares, dict.fromkeys(shares, WELL), at)
    assert shares_of(shares) == pytest.approx(home)


def test_away_in_steps_and_back_in_smaller_ones() -> None:
    both = rest({"a": 1, "b": 1})
    ill = {"a": FAILING, "b": WELL}
    away = [round(told["a"], 3) for told in through(both, ill, ill, ill, ill)]
    assert away == [0.3, 0.1, 0.02, 0.02]
    well = {"a": WELL, "b": WELL}
    told = through({"a": Share(1, 0.02, AT), "b": Share(1, 0.98)}, *[well] * 12)
    back = [one["a"] for one in told]
    assert back[-1] == pytest.approx(0.5)
    assert all(after - before <= POLICY.step_back + 1e-9 for before, after in pairwise(back))


@pytest.mark.parametrize("seen", [FAILING, SLOW, DOWN])
def test_what_ails(seen: Seen) -> None:
    assert judged(POLICY, seen) is True
    assert adjust(POLICY, rest({"a": 1, "b": 3}), {"a": seen}, AT)["a"].share == pytest.approx(0.05)


def test_nothing_moves_on_hearsay_nor_where_all_ail() -> None:
    both = rest({"a": 1, "b": 1})
    assert adjust(POLICY, both, {"a": FEW}, AT) == both
    everyone = adjust(POLICY, both, {"a": DOWN, "b": SLOW}, AT)
    assert shares_of(everyone) == shares_of(both)


def test_nothing_comes_back_before_the_calm_or_without_a_word() -> None:
    shares = {"a": Share(1, 0.02, AT), "b": Share(1, 0.98)}
    soon = AT + POLICY.calm - timedelta(seconds=1)
    assert adjust(POLICY, shares, {"a": WELL}, soon) == shares
    assert adjust(POLICY, shares, {"a": Seen()}, AT + timedelta(days=1)) == shares


@given(weights, st.integers(1, 300))
def test_each_gets_its_share_of_any_run(weights: dict[str, float], run: int) -> None:
    shares = shares_of(rest(weights))
    credit: dict[str, float] = {}
    picked: Counter[str] = Counter()
    for _ in range(run):
        name, credit = pick(shares, credit)
        picked[name] += 1
    for name, share in shares.items():
        assert abs(picked[name] - share * run) <= len(shares)


@pytest.mark.parametrize("weights", [{}, {"a": 0.0}, {"a": 1.0, "b": -1.0}])
def test_weights_that_are_none(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        rest(weights)
