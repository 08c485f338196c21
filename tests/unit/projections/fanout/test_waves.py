"""Whom a graver alert spared a lesser one: they get it once that is graver no more, and only once."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap64

from projections.audience import view as audience_view
from projections.audience.projection import Audience
from projections.fanout import plan, view, waves
from projections.fanout.incidents import Relief, Standing
from projections.fanout.order import RankOrder, groups_of
from projections.fanout.plan import Taken
from projections.fanout.projection import RELIEF_WORTH, Fanout
from projections.reach import spared
from projections.reach import view as reach
from projections.reach.projection import Reach
from schemas.content import Channel, Content, Severity
from schemas.events import AudienceFrozen, Event
from tests.following import AT, END, Alert, Registry, World, frozen, world
from tests.unit.schemas.examples import CONTENT

HOMES = {"00001": set(range(10)), "00004": set(range(10, 15)), "00006": set(range(15, 21))}


@pytest.fixture
def here(database: str) -> Iterator[World]:
    with world(database) as made:
        yield made


def told(incident: str, severity: Severity, *areas: str) -> Content:
    update = {"severity": severity, "areas": areas, "incident": incident, "channels": (Channel.PUSH,)}
    return CONTENT.model_copy(update=update)


def found(here: World, alert: Alert) -> list[AudienceFrozen]:
    events = (each.event for each in here.log.read(0, 10_000, [AudienceFrozen.TOPIC]))
    return [e for e in events if isinstance(e, AudienceFrozen) and e.alert_id == alert.id]


def people(audiences: list[AudienceFrozen]) -> list[int]:
    return [who for audience in audiences for who in waves.members(audience)]


@pytest.mark.parametrize("page", [1, 2000])
def test_they_get_the_lesser_one_and_are_accounted_for(here: World, page: int) -> None:
    registry = Registry({area: set(who) for area, who in HOMES.items()})
    fanout, counting = Fanout(registry.census, frozen), Reach()
    sizes = Audience()
    followers = [here.follower(each, page=page) for each in (fanout, counting, sizes)]

    def follow() -> None:
        for _ in range(2):
            for follower in followers:
                follower.catch_up()

    graver = Alert(told("bao", Severity.EXTREME, "00001"))
    lesser = Alert(told("bao", Severity.SEVERE, "00001", "00004"))
    here.append(*graver.issue(), *lesser.issue())
    follow()
    here.append(graver.cancelled())
    follow()
    first, second = found(here, lesser)
    assert set(people([first])) == HOMES["00004"]
    assert set(people([second])) == HOMES["00001"]
    assert (second.wave, second.first, second.relieves) == (1, 5, graver.id)
    # As dispatches: ids of their own, and ranks that lead to the right people.
    orders = [each for each in view.undone(here.conn) if each.alert_id == lesser.id]
    assert [(each.first, each.last) for each in orders] == [(0, 5), (5, 15)]
    assert len({each.id for each in orders}) == 2
    kept = view.audience(here.conn, orders[1].audience_id)
    assert kept is not None
    assert kept.order.ids(5, 15) == sorted(HOMES["00001"])
    assert view.members(here.conn, Channel.PUSH, [lesser.id])[lesser.id] == BitMap64(range(15))
    # In the books: one audience that grew, and nobody spared any more.
    (row,) = reach.of_alert(here.conn, lesser.id)
    assert row.totals.audience == 15
    assert spared.of_alert(here.conn, lesser.id) == []
    (size,) = audience_view.of_alert(here.conn, lesser.id)
    assert size.count == 15
    # Withdrawn in its turn, it is withdrawn from all of them.
    here.append(lesser.cancelled())
    follow()
    last = found(here, lesser)[-1]
    assert (last.version, set(people([last]))) == (2, set(range(15)))
    assert (last.wave, last.first, last.relieves) == (0, 0, None)
    before, head = [here.dump(each) for each in (fanout, counting, sizes)], here.log.head()
    registry.homes.clear()
    for follower in followers:
        follower.rebuild()
    assert ([here.dump(each) for each in (fanout, counting, sizes)], here.log.head()) == (before, head)


def test_the_registry_is_asked_only_where_somebody_is_left_to_tell(here: World) -> None:
    """What is issued meanwhile waits for all waves of a relief, which are many, and mostly empty."""
    registry = Registry({area: set(who) for area, who in HOMES.items()})
    follower = here.follower(Fanout(registry.census, frozen))
    first, second = (Alert(told("bao", Severity.EXTREME, "00001")) for _ in range(2))
    lesser = [Alert(told("bao", Severity.SEVERE, "00001", area)) for area in ("00004", "00006") * 4]
    here.append(*(event for alert in (first, second, *lesser) for event in alert.issue()))
    follower.catch_up()
    asked = registry.asked
    here.append(first.cancelled())
    follower.catch_up()
    # Only the second of two as grave was spared by the first: all others are spared by the second yet.
    assert set(people(found(here, second))) == HOMES["00001"]
    assert registry.asked == asked + 1
    here.append(second.cancelled())
    follower.catch_up()
    heard = [alert for alert in lesser if HOMES["00001"] <= set(people(found(here, alert)))]
    assert len(heard) == 1, "the first of them spares them the rest"
    assert registry.asked == asked + 2
    # That none is left to tell is on record all the same, so it is not asked again.
    assert all(len(found(here, alert)) == 3 for alert in lesser)


def test_nobody_is_told_what_is_over_by_then(here: World) -> None:
    follower = here.follower(Fanout(Registry(dict(HOMES)).census, frozen))
    graver = Alert(told("bao", Severity.EXTREME, "00001"))
    lesser = Alert(told("bao", Severity.SEVERE, "00001"))
    here.append(*graver.issue(), *lesser.issue())
    follower.catch_up()
    here.at = END
    here.append(graver.cancelled(END))
    follower.catch_up()
    assert [each.wave for each in found(here, lesser)] == [0]


@pytest.mark.parametrize("page", [1, 2000])
@pytest.mark.parametrize("left", [RELIEF_WORTH - timedelta(seconds=1), RELIEF_WORTH + timedelta(seconds=1)])
def test_of_one_that_ran_out_they_are_told_what_is_worth_it(
    here: World, left: timedelta, page: int
) -> None:
    registry = Registry(dict(HOMES))
    fanout = Fanout(registry.census, frozen)
    follower = here.follower(fanout, page=page)
    graver = Alert(told("bao", Severity.EXTREME, "00001"))
    lesser = Alert(told("bao", Severity.SEVERE, "00001", "00004"))
    here.append(*issue(graver, END - left), *lesser.issue())
    follower.catch_up()
    here.at = END - left
    here.append(graver.expired())
    follower.catch_up()
    followed = found(here, lesser)[1:]
    if left < RELIEF_WORTH:
        assert followed == []
    else:
        (wave,) = followed
        assert set(people([wave])) == HOMES["00001"]
        assert (wave.relieves, wave.relieves_version) == (graver.id, 1)
    rows, head = here.dump(fanout), here.log.head()
    assert [row[0] for row in rows["fanout_incidents"]] == [lesser.id]
    follower.rebuild()
    assert (here.dump(fanout), here.log.head()) == (rows, head)


def test_an_update_that_is_less_grave_relieves_them_and_each_version_does(here: World) -> None:
    registry = Registry(dict(HOMES))
    fanout = Fanout(registry.census, frozen)
    follower = here.follower(fanout)
    both = ("00001", "00004")
    graver, other = (Alert(told("bao", Severity.EXTREME, *where)) for where in (both, both[:1]))
    lesser = Alert(told("bao", Severity.SEVERE, *both))
    here.append(*graver.issue(), *other.issue(), *lesser.issue())
    follower.catch_up()
    here.append(*graver.update(told("bao", Severity.MODERATE, *both)))
    follower.catch_up()
    # The other one spares its own the lesser one still.
    assert [set(people([wave])) for wave in found(here, lesser)] == [set(), HOMES["00004"]]
    here.append(*graver.update(told("bao", Severity.EXTREME, *both)), other.cancelled())
    follower.catch_up()
    here.append(graver.cancelled())
    follower.catch_up()
    waves_ = found(here, lesser)
    assert sorted(people(waves_)) == sorted(HOMES["00001"] | HOMES["00004"])
    reliefs = [(wave.relieves, wave.relieves_version, wave.count) for wave in waves_[1:]]
    assert reliefs == [(graver.id, 1, 5), (other.id, 1, 0), (graver.id, 3, 10)]
    rows, head = here.dump(fanout), here.log.head()
    follower.rebuild()
    assert (here.dump(fanout), here.log.head()) == (rows, head)


def issue(alert: Alert, expires_at: datetime) -> list[Event]:
    return [alert.drafted(), alert.submitted(), alert.approved(), alert.issued(expires_at)]


severities = st.sampled_from([Severity.MODERATE, Severity.SEVERE, Severity.EXTREME])
areas = st.sets(st.sampled_from(sorted(HOMES)), min_size=1)
hours = st.integers(1, 4).map(lambda count: timedelta(hours=count))
steps = st.lists(st.sampled_from(["issue", "issue", "cancel", "update", "expire"]), min_size=3, max_size=9)


def test_whatever_comes_and_goes_nobody_is_left_without_nor_told_twice(here: World) -> None:
    registry = Registry(dict(HOMES))
    follower = here.follower(Fanout(registry.census, frozen))

    @settings(max_examples=30, deadline=None)
    @given(steps, st.data())
    def holds(does: list[str], data: st.DataObject) -> None:
        incident, here.at = uuid4().hex, AT
        live: dict[Alert, datetime] = {}

        def content() -> Content:
            return told(incident, data.draw(severities), *sorted(data.draw(areas)))

        for step in does:
            if step == "issue" or not live:
                alert = Alert(content())
                live[alert] = here.at + data.draw(hours)
                here.append(*issue(alert, live[alert]))
            elif step == "expire":
                here.at = min(live.values())
                over = [alert for alert, end in live.items() if end == here.at]
                here.append(*(alert.expired() for alert in over))
                live = {alert: end for alert, end in live.items() if end > here.at}
            else:
                alert = data.draw(st.sampled_from(list(live)))
                if step == "cancel":
                    here.append(alert.cancelled(here.at))
                    del live[alert]
                else:
                    proposed = alert.proposed(content())
                    here.append(proposed, alert.submitted(), alert.approved(), alert.issued(live[alert]))
            follower.catch_up()
            check(here, live)

    holds()


def check(here: World, live: dict[Alert, datetime]) -> None:
    """Of each that stands: who has it has it once, who has not has a live one that is as grave."""
    had: dict[Alert, list[int]] = {}
    for alert in live:
        versions = [wave for wave in found(here, alert) if wave.version == alert.version]
        had[alert] = people(versions)
        assert len(had[alert]) == len(set(had[alert])), "told twice"
    for alert in live:
        spared_by = [
            set(had[other])
            for other, end in live.items()
            if standing(other, end).spares(alert.id, alert.content, here.at) and other is not alert
        ]
        for area in alert.content.areas:
            left = HOMES[area] - set(had[alert])
            assert left <= set().union(*spared_by), "left without"


def standing(alert: Alert, end: datetime) -> Standing:
    content = alert.content
    assert content.incident is not None
    return Standing(alert.id, content.incident, 1, content.severity, content.mode, end)


ids = st.sets(st.integers(0, 40))


@given(ids, ids, ids, st.lists(ids, max_size=2))
def test_the_next_wave(first: set[int], census: set[int], theirs: set[int], others: list[set[int]]) -> None:
    alert = Alert()
    event = alert.issued()
    wave = plan.frozen(event, Channel.PUSH, taken(first), 7)
    relief, here = Relief(uuid4(), 1, AT), BitMap64(theirs)
    left = waves.remaining([wave], here, map(BitMap64, others))
    assert set(left) == theirs - first - set[int]().union(*others)
    assert set(here) == theirs, "others are asked of the same"
    following = waves.relieved(event, [wave], taken(census & set(left)), relief)
    assert waves.told([wave, following], relief)
    assert not waves.told([wave, following], relief._replace(version=2))
    assert set(waves.members(following)) == (census & theirs) - first - set[int]().union(*others)
    both = waves.joined([wave, following])
    assert both is not None
    assert set(waves.members(both)) == first | set(waves.members(following))
    assert both.count == wave.count + following.count == sum(both.by_area.values())
    orders = [*plan.slices(wave), *plan.slices(following)]
    assert [rank for order in orders for rank in order.ranks] == list(range(both.count))
    assert len({order.id for order in orders}) == len(orders)
    ranked = RankOrder(groups_of(following), following.first)
    reached = [who for order in plan.slices(following) for who in ranked.ids(order.first, order.last)]
    assert sorted(reached) == sorted(waves.members(following))


def taken(who: set[int]) -> Taken:
    homes = {area: who & set(range(base, base + 21)) for area, base in (("a", 0), ("b", 21))}
    some = {area: ids for area, ids in homes.items() if ids}
    packed = {area: BitMap64(ids).serialize() for area, ids in some.items()}
    return Taken(BitMap64(who).serialize(), {area: len(i) for area, i in some.items()}, len(who), packed)
