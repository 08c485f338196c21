"""Merged bodies: what each may say at an instant, against an oracle that only walks and compares."""

from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis import given, target
from hypothesis import strategies as st

from broadcaster.areas import Edition
from broadcaster.delegation import Delegations, Rights
from broadcaster.issuer import Issuer
from broadcaster.reorganisation.plan import become_own
from broadcaster.succession import answering, inherited
from schemas.areas import FIRST_EDITION
from schemas.events import Actor, IssuerClosed, IssuerSucceeded
from schemas.ids import issuer_stream
from tests.unit.broadcaster.test_delegation import (
    CATEGORIES,
    OWN_FIELDS,
    Land,
    body,
    codes,
    hour,
    lands,
    several,
    what,
)

BY = Actor(account="system:setup")
TICK = timedelta(microseconds=1)


@dataclass
class Merger:
    """`old` is no more from the hour on, and `heirs` answer for it."""

    old: int
    heirs: list[int]
    hour: int


@st.composite
def mergers(draw: st.DrawFn, count: int) -> list[Merger]:
    """In order of time; each body ends once at most, and passes to bodies that have not ended yet."""
    found: list[Merger] = []
    open_ = list(range(count))
    now = 0
    while len(open_) > 1 and draw(st.booleans()):
        now += draw(st.integers(0, 1))
        old = draw(st.sampled_from(open_))
        open_.remove(old)
        heirs = draw(st.lists(st.sampled_from(open_), max_size=2, unique=True))
        found.append(Merger(old, heirs, now))
    return found


def told(bodies: list[Issuer], merger: Merger, edition: Edition) -> None:
    """Folds what the log would hold of the merger."""
    place = {"originator_version": 2, "by": BY}
    old = bodies[merger.old]
    names = tuple(f"b{heir}" for heir in merger.heirs)
    closed = {"issuer_id": old.issuer_id, "successors": names, "effective_at": hour(merger.hour)}
    stream = {"originator_id": issuer_stream(old.issuer_id)}
    for heir in merger.heirs:
        fields = tuple(become_own(old, bodies[heir], edition))
        gained = {"predecessor": old.issuer_id, "fields": fields, "effective_at": hour(merger.hour)}
        event = IssuerSucceeded.model_validate(stream | place | gained | {"issuer_id": f"b{heir}"})
        bodies[heir] = Issuer.fold(bodies[heir], event)
    bodies[merger.old] = Issuer.fold(old, IssuerClosed.model_validate(stream | place | closed))


def before_it(name: int, merged: list[Merger], at: int) -> set[int]:
    """The oracle: the body and all it answers for, walking back from merger to merger."""
    found = {name}
    for _ in merged:
        found |= {one.old for one in merged if one.hour <= at and found & set(one.heirs)}
    return found


@given(data=st.data())
def test_an_heir_may_what_any_it_answers_for_might_and_nothing_else(data: st.DataObject) -> None:
    land: Land = data.draw(lands())
    count = data.draw(st.integers(2, 5))
    plain = [body(f"b{n}", data.draw(codes(land)), *data.draw(OWN_FIELDS)) for n in range(count)]
    merged = data.draw(mergers(count))
    edition = Edition(FIRST_EDITION, date(2020, 3, 1), tuple(land.tree))
    bodies = list(plain)
    for one in merged:
        told(bodies, one, edition)
    hours = data.draw(st.integers(0, 4))
    just_before = data.draw(st.booleans())
    at, passed = (hour(hours) - TICK, hours - 1) if just_before else (hour(hours), hours)

    def load(name: str) -> Issuer:
        return bodies[int(name[1:])].as_of(at, FIRST_EDITION)

    speaker = data.draw(st.integers(0, count - 1))
    content = what(data.draw(st.sampled_from(CATEGORIES)), *data.draw(several(codes(land))))
    own = load(f"b{speaker}")
    refusal = Rights(own, Delegations(own.issuer_id), inherited(load, own, at)).may(content, land.tree, at)

    ended = {one.old for one in merged if one.hour <= passed}
    sources = before_it(speaker, merged, passed)
    target(float(len(sources)))
    allowed = speaker not in ended and all(
        any(land.title([plain[n].area], plain[n].fields, what(content.category, code)) for n in sources)
        for code in content.areas
    )
    assert (refusal is None) == allowed

    heirs = {int(heir.issuer_id[1:]) for heir in answering(load, f"b{speaker}", at)}
    assert not heirs & ended
    assert all(speaker in before_it(heir, merged, passed) for heir in heirs)


def test_a_body_without_a_seat_in_the_edition_speaks_nowhere() -> None:
    land = Land({"00": None, "01": "00"})
    elsewhere = body("b0", "01", "*").as_of(hour(0), "2025-07-01")
    tree = Edition("2025-07-01", date(2025, 7, 1), tuple(land.tree)).tree
    refusal = elsewhere.may(what("bao", "01"), tree)
    assert refusal is not None
    assert refusal.detail == "b0 has no area in edition 2025-07-01"


def test_who_ended_without_successors_is_answered_for_by_the_body_above() -> None:
    city = body("b0", "00", "*")
    closed = Issuer("b1", 1, "b1", "ubnd", 2, "01", frozenset(), "b0", closed_at=hour(1))
    bodies = {"b0": city, "b1": closed}
    assert [one.issuer_id for one in answering(bodies.__getitem__, "b1", hour(1) - TICK)] == ["b1"]
    assert [one.issuer_id for one in answering(bodies.__getitem__, "b1", hour(1))] == ["b0"]


def test_nothing_is_inherited_before_its_instant() -> None:
    land = Land({"00": None, "01": "00", "02": "00"})
    edition = Edition(FIRST_EDITION, date(2020, 3, 1), tuple(land.tree))
    bodies = [body("b0", "01", "bao"), body("b1", "02", "bao")]
    told(bodies, Merger(0, [1], 1), edition)
    for at, allowed in ((hour(1) - TICK, False), (hour(1), True)):
        known = {one.issuer_id: one.as_of(at, FIRST_EDITION) for one in bodies}
        heir = known["b1"]
        rights = Rights(heir, Delegations("b1"), inherited(known.__getitem__, heir, at))
        assert (rights.may(what("bao", "01", "02"), land.tree, at) is None) == allowed
