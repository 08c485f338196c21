"""Slices and audiences, without a database."""

from base64 import b64decode
from datetime import timedelta
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap64

from projections.fanout import plan
from projections.fanout.plan import Taken
from schemas.content import Channel, Lane
from schemas.dispatch import Dispatch
from schemas.events import AudienceFrozen
from tests.following import AT, END, Alert, audience

HOMES = st.dictionaries(st.sampled_from(["00001", "00004", "00007"]), st.sets(st.integers(0, 99)))


def taken(ids: set[int]) -> Taken:
    return Taken(BitMap64(ids).serialize(), {"00001": len(ids)} if ids else {}, len(ids))


def members(event: AudienceFrozen) -> set[int]:
    return set(BitMap64.deserialize(b64decode(event.bitmap)))


@given(st.integers(0, 3000), st.integers(1, 700))
def test_each_rank_is_in_exactly_one_slice(count: int, size: int) -> None:
    dispatches = list(plan.slices(audience(count, size)))
    assert [rank for dispatch in dispatches for rank in dispatch.ranks] == list(range(count))
    assert all(1 <= len(dispatch.ranks) <= size for dispatch in dispatches)
    assert len({dispatch.id for dispatch in dispatches}) == len(dispatches)


def test_slices_are_the_same_at_every_replay() -> None:
    event = audience(1200, lane=Lane.EMERGENCY)
    again = AudienceFrozen.load(AudienceFrozen.TOPIC, event.originator_id, 1, event.payload())
    assert isinstance(again, AudienceFrozen)
    first, second = list(plan.slices(event)), list(plan.slices(again))
    assert first == second
    assert [(d.first, d.last, d.attempt, d.subject) for d in first] == [
        (0, 500, 1, "dispatch.emergency.push"),
        (500, 1000, 1, "dispatch.emergency.push"),
        (1000, 1200, 1, "dispatch.emergency.push"),
    ]
    assert {(d.audience_id, d.expires_at) for d in first} == {(event.originator_id, END)}
    assert all(isinstance(d, Dispatch) for d in first)


@given(st.sets(st.integers(0, 50)), st.sets(st.integers(0, 50)))
def test_an_update_reaches_all_who_got_an_earlier_version(now: set[int], then: set[int]) -> None:
    alert = Alert()
    first = plan.issued(alert.issued(), Channel.PUSH, taken(then), None, 500)
    alert.version = 2
    second = plan.issued(alert.issued(), Channel.PUSH, taken(now), first, 500)
    assert members(first) == then
    assert members(second) == now | then
    assert second.count == len(now | then)
    assert second.sha256 == sha256(b64decode(second.bitmap)).hexdigest()
    assert second.originator_id != first.originator_id


@given(HOMES, st.sets(st.sampled_from(["00001", "00004", "00007"])))
def test_by_area_is_exact_while_no_one_moves(homes: dict[str, set[int]], narrowed: set[str]) -> None:
    # Each subscriber has one home.
    own = {area: {f"{area}{n}" for n in who} for area, who in homes.items()}
    number = {name: n for n, name in enumerate(sorted(n for who in own.values() for n in who))}

    def census(areas: set[str]) -> Taken:
        found = {area: {number[name] for name in own[area]} for area in areas if own.get(area)}
        everyone = BitMap64(n for who in found.values() for n in who)
        return Taken(everyone.serialize(), {area: len(who) for area, who in found.items()}, len(everyone))

    alert = Alert()
    first = plan.issued(alert.issued(), Channel.PUSH, census(set(own)), None, 500)
    union = plan.united(census(narrowed), first)
    assert union.total == sum(union.by_area.values()) == first.count
    assert union.by_area == first.by_area


def test_a_cancel_goes_to_who_got_the_alert_in_its_lane_for_a_day() -> None:
    alert = Alert()
    first = plan.issued(alert.issued(), Channel.SMS, taken({1, 5, 9}), None, 50)
    event = alert.cancelled(AT)
    cancel = plan.cancelled(event, first)
    assert members(cancel) == {1, 5, 9}
    assert (cancel.version, cancel.lane, cancel.slice_size) == (2, Lane.ALERT, 50)
    assert cancel.expires_at == AT + timedelta(hours=24)
    assert cancel.originator_id not in {first.originator_id, event.originator_id}
