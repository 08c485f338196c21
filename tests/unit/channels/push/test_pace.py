"""How fast we send."""

import asyncio
from bisect import bisect_right
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from channels.push.pace import BURST, OwnQuota
from schemas.content import Lane

RATES = st.sampled_from([1.0, 50.0, 10_000.0])
GAPS = st.lists(st.floats(0, 0.2) | st.just(0.0), min_size=1, max_size=300)


class Taking:
    """Takes places at the instants it is told."""

    def __init__(self, rate: float) -> None:
        self.now = 0.0
        self.quota = OwnQuota(rate, lambda: self.now)

    def reserve(self, now: float, count: int = 1) -> float:
        self.now = now
        return asyncio.run(self.quota.take(count, Lane.ALERT))


@given(RATES, GAPS)
def test_never_more_than_the_rate_and_one_burst(rate: float, gaps: list[float]) -> None:
    pace = Taking(rate)
    grants = sorted(now + max(0.0, pace.reserve(now)) for now in accumulate(gaps))
    for place, start in enumerate(grants):
        for span in (0.0, 0.01, 1.0):
            within = bisect_right(grants, start + span) - place
            assert within <= (span + BURST) * rate + 2


@given(RATES, GAPS)
def test_no_slower_than_the_rate(rate: float, gaps: list[float]) -> None:
    pace = Taking(rate)
    ends = [now + max(0.0, pace.reserve(now)) for now in accumulate(gaps)]
    assert ends[-1] <= sum(gaps) + len(gaps) / rate + 1e-9


@given(RATES, st.lists(st.integers(1, 500), min_size=1, max_size=50))
def test_windows_wait_for_those_before(rate: float, sizes: list[int]) -> None:
    pace = Taking(rate)
    waits = [pace.reserve(0.0, size) for size in sizes]
    for place, wait in enumerate(waits):
        assert abs(wait + BURST - sum(sizes[:place]) / rate) < 1e-6
