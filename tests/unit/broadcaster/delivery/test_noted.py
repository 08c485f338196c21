"""Results as the ledger keeps them: read as written, and as they were written before."""

import json

from hypothesis import given
from hypothesis import strategies as st

from broadcaster.delivery.noted import packed, unpacked
from channels.gateway import Result
from schemas.dispatch import Outcome

some = st.builds(
    Result,
    rank=st.integers(0, 60),
    outcome=st.sampled_from([Outcome.ACCEPTED, Outcome.GONE, Outcome.DEFERRED]),
    reason=st.sampled_from(["", "WHY"]),
    retry_after=st.sampled_from([None, 2.5]),
    ambiguous=st.booleans(),
    via=st.sampled_from(["", "fcm"]),
    segments=st.integers(0, 2),
    cost=st.integers(0, 1),
)
results = st.lists(some, unique_by=lambda result: result.rank)


@given(results)
def test_what_is_packed_comes_back_in_order_of_rank(found: list[Result]) -> None:
    stored = json.loads(json.dumps(packed(found)))
    assert unpacked(stored) == tuple(sorted(found))
    assert unpacked([*stored, *stored]) == tuple(sorted(found)), "noted twice is noted once"


def test_a_slice_that_was_accepted_is_one_entry() -> None:
    everyone = [Result(rank, Outcome.ACCEPTED) for rank in range(500)]
    assert packed(everyone) == [[[[0, 499]], Outcome.ACCEPTED, "", None, False, "", 0, 0]]


@given(results)
def test_entries_of_one_rank_each_are_read_too(found: list[Result]) -> None:
    assert unpacked(json.loads(json.dumps([list(result) for result in found]))) == tuple(sorted(found))
