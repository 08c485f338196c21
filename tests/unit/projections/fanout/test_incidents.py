"""One push for each device and incident: the gravest live alert of it, whatever the order of events."""

from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap64

from projections.fanout import plan
from projections.fanout.incidents import Standing
from projections.fanout.plan import Graver, Taken
from projections.fanout.projection import Fanout
from schemas.content import Channel, Content, Lane, Mode, Severity, Urgency
from schemas.events import AudienceFrozen
from tests.following import AT, END, Alert, Registry, World, frozen, world
from tests.unit.schemas.examples import CONTENT

HOMES = {"00001": set(range(10)), "00004": set(range(10, 15))}


@pytest.fixture
def here(database: str) -> Iterator[World]:
    with world(database) as made:
        yield made


def told(severity: Severity, *areas: str, incident: str | None = "bao-yagi", **changes: object) -> Content:
    update = {"severity": severity, "areas": areas, "incident": incident, "channels": (Channel.PUSH,)}
    return CONTENT.model_copy(update=update | changes)


def audiences(here: World, alert: Alert) -> dict[int, AudienceFrozen]:
    found = [each.event for each in here.log.read(0, 1000, [AudienceFrozen.TOPIC])]
    return {e.version: e for e in found if isinstance(e, AudienceFrozen) and e.alert_id == alert.id}


def members(event: AudienceFrozen) -> set[int]:
    return set(BitMap64.deserialize(b64decode(event.bitmap)))


@pytest.mark.parametrize("page", [1, 2000])
def test_who_has_the_graver_alert_is_spared_the_lesser(here: World, page: int) -> None:
    registry = Registry(dict(HOMES))
    fanout = Fanout(registry.census, frozen)
    follower = here.follower(fanout, page=page)
    graver = Alert(told(Severity.EXTREME, "00001"))
    lesser = Alert(told(Severity.SEVERE, "00001", "00004"))
    stranger = Alert(told(Severity.MINOR, "00001", incident=None))
    here.append(*graver.issue(), *lesser.issue(), *stranger.issue())
    follower.catch_up()
    (found,) = audiences(here, lesser).values()
    assert members(found) == HOMES["00004"]
    assert [(each.alert_id, each.version, each.count) for each in found.spared] == [(graver.id, 1, 10)]
    assert members(audiences(here, graver)[1]) == members(audiences(here, stranger)[1]) == HOMES["00001"]
    # Once the graver one is withdrawn nobody is spared: an update reaches them.
    here.append(graver.cancelled())
    follower.catch_up()
    here.append(*lesser.update(told(Severity.SEVERE, "00001", "00004")))
    follower.catch_up()
    second = audiences(here, lesser)[2]
    assert (members(second), second.spared) == (HOMES["00001"] | HOMES["00004"], ())
    rows, head = here.dump(fanout), here.log.head()
    assert [row[0] for row in rows["fanout_incidents"]] == [lesser.id]
    registry.homes.clear()
    follower.rebuild()
    assert (here.dump(fanout), here.log.head()) == (rows, head)


def test_nobody_is_spared_an_update_of_what_they_got(here: World) -> None:
    follower = here.follower(Fanout(Registry(dict(HOMES)).census, frozen))
    lesser = Alert(told(Severity.SEVERE, "00001", "00004"))
    here.append(*lesser.issue())
    follower.catch_up()
    graver = Alert(told(Severity.EXTREME, "00001"))
    here.append(*graver.issue(), *lesser.update(told(Severity.SEVERE, "00001", "00004")))
    follower.catch_up()
    assert members(audiences(here, lesser)[2]) == HOMES["00001"] | HOMES["00004"]


severities = st.sampled_from(list(Severity))


@given(severities, severities, st.sampled_from(list(Urgency)), st.integers(-1, 1))
def test_the_rule(theirs: Severity, ours: Severity, urgency: Urgency, minutes: int) -> None:
    content = told(ours, "00001", urgency=urgency)
    standing = Standing(Alert().id, "bao-yagi", 1, theirs, Mode.ACTUAL, END)
    at = END + timedelta(minutes=minutes)
    spared = standing.spares(Alert().id, content, at)
    order = ["Unknown", "Minor", "Moderate", "Severe", "Extreme"]
    less, same = order.index(ours) < order.index(theirs), ours is theirs
    assert spared == (at < END and (less or (same and content.lane is not Lane.EMERGENCY)))
    assert not standing.spares(standing.alert_id, content, AT)
    assert not standing.spares(Alert().id, told(ours, "00001", incident="khac"), AT)
    assert not standing.spares(Alert().id, told(ours, "00001", incident=None), AT)
    assert not standing.spares(Alert().id, told(ours, "00001", mode=Mode.EXERCISE), AT)


@given(
    st.sets(st.integers(0, 30)),
    st.sets(st.integers(0, 30)),
    st.lists(st.sets(st.integers(0, 30)), max_size=3),
)
def test_the_spared_and_the_audience_are_whom_the_census_found(
    found: set[int], earlier: set[int], others: list[set[int]]
) -> None:
    def census(who: set[int]) -> Taken:
        homes = {area: who & set(range(base, base + 16)) for area, base in (("a", 0), ("b", 16))}
        some = {area: ids for area, ids in homes.items() if ids}
        packed = {area: BitMap64(ids).serialize() for area, ids in some.items()}
        return Taken(BitMap64(who).serialize(), {a: len(i) for a, i in some.items()}, len(who), packed)

    alert = Alert()
    first = plan.issued(alert.issued(), Channel.PUSH, census(earlier), None, 500)
    alert.version = 2
    graver = [Graver(Alert().id, 1, BitMap64(who).serialize()) for who in others]
    event = plan.issued(alert.issued(), Channel.PUSH, census(found), first, 500, graver)
    theirs = set[int]().union(*others)
    assert members(event) == (found - theirs) | earlier
    assert sum(each.count for each in event.spared) == len((found & theirs) - earlier)
    assert event.count == sum(event.by_area.values()) == len(members(event))
