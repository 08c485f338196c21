"""Whom a graver alert spared a lesser one: they get it once the graver is withdrawn, and only once."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap64

from projections.audience import view as audience_view
from projections.audience.projection import Audience
from projections.fanout import plan, view, waves
from projections.fanout.incidents import Standing
from projections.fanout.order import RankOrder, groups_of
from projections.fanout.plan import Graver, Taken
from projections.fanout.projection import Fanout
from projections.reach import spared
from projections.reach import view as reach
from projections.reach.projection import Reach
from schemas.content import Channel, Content, Severity
from schemas.events import AudienceFrozen
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


severities = st.sampled_from([Severity.MODERATE, Severity.SEVERE, Severity.EXTREME])
areas = st.sets(st.sampled_from(sorted(HOMES)), min_size=1)


def test_whatever_is_issued_and_withdrawn_nobody_is_left_without_nor_told_twice(here: World) -> None:
    registry = Registry(dict(HOMES))
    follower = here.follower(Fanout(registry.census, frozen))

    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.tuples(severities, areas), min_size=2, max_size=5), st.data())
    def holds(drafts: list[tuple[Severity, set[str]]], data: st.DataObject) -> None:
        incident = uuid4().hex
        waiting = [Alert(told(incident, severity, *sorted(where))) for severity, where in drafts]
        live: list[Alert] = []
        while waiting:
            if live and data.draw(st.booleans()):
                here.append(live.pop(data.draw(st.integers(0, len(live) - 1))).cancelled())
            else:
                live.append(waiting.pop())
                here.append(*live[-1].issue())
            follower.catch_up()
            check(here, live)

    holds()


def check(here: World, live: list[Alert]) -> None:
    """Of each alert that stands: who has it has it once, who has not has a live one that is as grave."""
    had = {alert.id: people(found(here, alert)) for alert in live}
    for alert in live:
        assert len(had[alert.id]) == len(set(had[alert.id])), "told twice"
        spared_by = [
            set(had[other.id])
            for other in live
            if standing(other).spares(alert.id, alert.content, AT) and other is not alert
        ]
        for area in alert.content.areas:
            left = HOMES[area] - set(had[alert.id])
            assert left <= set().union(*spared_by), "left without"


def standing(alert: Alert) -> Standing:
    content = alert.content
    assert content.incident is not None
    return Standing(alert.id, content.incident, 1, content.severity, content.mode, END)


ids = st.sets(st.integers(0, 40))


@given(ids, ids, ids, st.lists(ids, max_size=2))
def test_the_next_wave(first: set[int], census: set[int], theirs: set[int], others: list[set[int]]) -> None:
    alert = Alert()
    issue = alert.issued()
    wave = plan.frozen(issue, Channel.PUSH, taken(first), 7)
    graver = [Graver(uuid4(), 1, BitMap64(who).serialize()) for who in others]
    withdrawn = uuid4()
    following = waves.relieved(issue, [wave], taken(census), withdrawn, BitMap64(theirs), graver)
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
