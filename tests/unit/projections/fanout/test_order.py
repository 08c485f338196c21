"""Who has which rank: homes of the named communes first, each commune in one run, and nobody lost."""

from base64 import b64decode

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap64

from projections.fanout import plan
from projections.fanout.order import Group, RankOrder, groups_of, runs
from projections.fanout.plan import Taken
from schemas.content import Channel
from schemas.events import AudienceFrozen
from tests.following import Alert

AREAS = ("00007", "00001", "00004", "00049")


@st.composite
def homes(draw: st.DrawFn) -> dict[str, set[int]]:
    """People with one home each; the order of areas is not that of their codes."""
    where = draw(st.dictionaries(st.integers(0, 60), st.sampled_from(AREAS), max_size=40))
    return {area: {n for n, home in where.items() if home == area} for area in AREAS}


def taken(found: dict[str, set[int]]) -> Taken:
    everyone = BitMap64(n for who in found.values() for n in who)
    some = {area: who for area, who in found.items() if who}
    counts = {area: len(who) for area, who in some.items()}
    packed = {area: BitMap64(who).serialize() for area, who in some.items()}
    return Taken(everyone.serialize(), counts, len(everyone), packed)


def by_rank(event: AudienceFrozen) -> list[tuple[int, str]]:
    """The subscriber and home of each rank, read the long way."""
    return [(id_, group.area) for group in groups_of(event) for id_ in group.ids]


@given(homes(), st.integers(1, 9))
def test_each_slice_tells_the_homes_of_its_ranks(found: dict[str, set[int]], size: int) -> None:
    event = plan.issued(Alert().issued(), Channel.PUSH, taken(found), None, size)
    again = AudienceFrozen.load(AudienceFrozen.TOPIC, event.originator_id, 1, event.payload())
    assert again == event
    ranks, order = by_rank(event), RankOrder(groups_of(event))
    assert len(order) == event.count == len(ranks)
    seen: list[int] = []
    for dispatch in plan.slices(event):
        assert order.ids(dispatch.first, dispatch.last) == [ranks[rank][0] for rank in dispatch.ranks]
        assert dispatch.homes() == {rank: ranks[rank][1] for rank in dispatch.ranks}
        some = dispatch.ranks[::2]
        follow_up = dispatch.follow_up(some, event.expires_at)
        assert follow_up.homes() == {rank: ranks[rank][1] for rank in some}
        seen += order.ids(dispatch.first, dispatch.last)
    assert sorted(seen) == sorted(n for who in found.values() for n in who)
    # In the order the census served them: an area's people follow one another.
    assert list(dict.fromkeys(area for _, area in ranks)) == [a for a in AREAS if found[a]]


@given(homes(), homes())
def test_an_update_counts_each_where_they_live_now_or_lived_last(
    then: dict[str, set[int]], now: dict[str, set[int]]
) -> None:
    alert = Alert()
    first = plan.issued(alert.issued(), Channel.PUSH, taken(then), None, 500)
    alert.version = 2
    second = plan.issued(alert.issued(), Channel.PUSH, taken(now), first, 500)
    last = {n: area for area, who in then.items() for n in who}
    last |= {n: area for area, who in now.items() for n in who}
    assert dict(by_rank(second)) == last
    assert second.count == len(last) == sum(second.by_area.values())
    assert set(BitMap64.deserialize(b64decode(second.bitmap))) == set(last)
    cancel = plan.cancelled(alert.cancelled(), second)
    assert by_rank(cancel) == by_rank(second)


@given(homes())
def test_an_audience_from_before_homes_were_told_is_united_by_its_members(
    then: dict[str, set[int]],
) -> None:
    alert, old = Alert(), taken(then)._replace(homes={})
    first = plan.issued(alert.issued(), Channel.PUSH, old, None, 500)
    assert first.groups == ()
    alert.version = 2
    second = plan.issued(alert.issued(), Channel.PUSH, taken({"00001": {1000}}), first, 500)
    assert second.count == first.count + 1
    assert RankOrder(groups_of(second)).ids(0, second.count) == sorted(
        {1000, *(n for n, _ in by_rank(first))}
    )


@given(st.lists(st.tuples(st.sampled_from(AREAS), st.integers(1, 12)), max_size=6), st.integers(1, 9))
def test_runs_fill_every_slice_but_the_last(counts: list[tuple[str, int]], size: int) -> None:
    made = list(runs(counts, size))
    total = sum(count for _, count in counts)
    assert [sum(count for _, count in each) for each in made] == [size] * (total // size) + (
        [total % size] if total % size else []
    )
    flat = [area for each in made for area, count in each for _ in range(count)]
    assert flat == [area for area, count in counts for _ in range(count)]


def test_a_slice_of_one_commune_does_not_touch_the_others() -> None:
    order = RankOrder([Group("a", BitMap64([5, 9])), Group("b", BitMap64()), Group("c", BitMap64([1, 7]))])
    assert order.ids(0, 2) == [5, 9]
    assert order.ids(2, 4) == [1, 7]
    assert order.ids(1, 3) == [9, 1]
    assert order.ids(4, 9) == order.ids(2, 2) == []
