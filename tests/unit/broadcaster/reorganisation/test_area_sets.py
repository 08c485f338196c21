"""Saved sets of areas follow a reorganisation, and the report says so by name."""

import random
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from broadcaster import reference
from broadcaster.area_set import AreaSet
from broadcaster.commands.area_sets import AreaSetCommands
from broadcaster.reorganisation.bodies import midnight
from broadcaster.reorganisation.commands import ReorganisationCommands
from broadcaster.reorganisation.description import Reorganisation, packaged
from broadcaster.reorganisation.mover import Mover
from broadcaster.reorganisation.report import Report
from broadcaster.runtime import SYSTEM, House, clock
from schemas.events import AreaSetSaved
from schemas.local_time import HANOI
from tests.house import BA_DINH, PHUC_XA, author, house
from tests.unit.broadcaster.reorganisation.test_city import EDITIONS, oracle


@pytest.fixture
def opened(city_database: str) -> Iterator[House]:
    with house(city_database) as one:
        yield one


def save(opened: House, name: str, *areas: str, body: str = PHUC_XA) -> UUID:
    return AreaSetCommands(opened.office).begin(author(body), body, name, areas, at=clock()).id


def populate(opened: House, seed: int = 3) -> dict[UUID, AreaSet]:
    """Sets of communes, districts and the city, at random; one of them out of use."""
    draw, codes = random.Random(seed), [area.code for area in reference.tree(EDITIONS[0])]
    ids = [save(opened, f"Tập {n}", *draw.sample(codes, draw.randint(1, 12))) for n in range(40)]
    retired = save(opened, "Bỏ", "00001")
    AreaSetCommands(opened.office).retire(author(PHUC_XA), retired, at=clock())
    return {each: opened.office.area_set(each) for each in ids}


def reorganised(opened: House) -> Report:
    """Both editions of 2025; what the last one did."""
    commands = ReorganisationCommands(opened.pool, opened.office)
    return [commands.apply(packaged(edition), SYSTEM, clock()) for edition in EDITIONS[1:]][-1]


def test_every_set_holds_all_that_its_areas_became_and_the_report_counts_the_same(opened: House) -> None:
    before = populate(opened)
    commands = ReorganisationCommands(opened.pool, opened.office)
    lines: list[str] = []
    for edition in EDITIONS[1:]:
        head = opened.log.head()
        told = commands.try_out(packaged(edition), clock())
        assert opened.log.head() == head
        assert commands.apply(packaged(edition), SYSTEM, clock()) == told
        old, new = reference.tree(told.follows), reference.tree(edition)
        became = oracle(old, new)
        after = {each: opened.office.area_set(each) for each in before}
        for each, known in after.items():
            assert (known.edition, known.name, known.number) == (
                edition,
                before[each].name,
                before[each].number + 1,
            )
            assert set(known.areas) == frozenset().union(*(became[code] for code in before[each].areas))
            assert len(set(known.areas)) == len(known.areas)
            # Whoever lived in it lives in it.
            leaves = {leaf.code for code in before[each].areas for leaf in old.leaves(code)}
            heard = {leaf.code for code in known.areas for leaf in new.leaves(code)}
            assert frozenset().union(*(became[leaf] for leaf in leaves)) <= heard
        # The report, by name, recounted from what is saved now.
        reported = {one.area_set: one for one in told.area_sets_carried}
        assert len(reported) == len(told.area_sets_carried) == len(before)
        assert told.area_sets == ()
        for each, known in after.items():
            one = reported[f"{known.name} of {PHUC_XA}"]
            assert one.old == tuple(f"{code} {old[code].name}" for code in before[each].areas)
            assert one.new == tuple(f"{code} {new[code].name}" for code in known.areas)
            gone = {
                code
                for code in before[each].areas
                if not old.is_leaf(code) and became[code] != frozenset({code})
            }
            assert {name.split()[0] for name in one.abolished} == gone
        saved = opened.log.read(head, 5000, (AreaSetSaved.TOPIC,))
        assert len(saved) == len(before)
        before, lines = after, list(told.lines())
    assert f"saved area sets in new codes: {len(before)}" in lines
    assert opened.mover.move_area_sets(opened.office.edition(clock()), clock()) == 0


def test_by_example(opened: House) -> None:
    merged = save(opened, "Ven sông", "00001")
    told = reorganised(opened)
    # Phúc Xá went whole to Hồng Hà.
    assert opened.office.area_set(merged).areas == ("00097",)
    tree = reference.tree(EDITIONS[-1])
    line = f"  Ven sông of {PHUC_XA}: 00001 Phường Phúc Xá -> 00097 {tree['00097'].name}"
    assert line in list(told.lines())
    assert opened.office.area_set(merged).filled_in(tree) == ("00097",)


def test_a_district_that_is_no_more_is_its_communes_and_named(opened: House) -> None:
    district = save(opened, "Cả quận", "001", body=BA_DINH)
    told = reorganised(opened)
    (one,) = told.area_sets_carried
    assert one.abolished == ("001 Quận Ba Đình",)
    assert "    no more, look whether all of that is meant: 001 Quận Ba Đình" in list(told.lines())
    tree = reference.tree(EDITIONS[-1])
    now = opened.office.area_set(district)
    assert len(now.areas) > 1
    assert all(tree.is_leaf(code) for code in now.areas)


def test_before_its_day_a_set_is_as_it_was(opened: House) -> None:
    known = save(opened, "Phố", "00010")
    day = clock().astimezone(HANOI).date() + timedelta(days=2)
    said = packaged(EDITIONS[1])
    later = Reorganisation.model_validate(
        {**dict(said), "edition": "later", "effective_on": day, "closed": (), "new": ()}
    )
    told = ReorganisationCommands(opened.pool, opened.office).apply(later, SYSTEM, clock())
    assert [one.new for one in told.area_sets_carried] == [("00004 Phường Trúc Bạch",)]
    opened.move_due_subscribers()
    assert opened.office.area_set(known).areas == ("00010",)

    at = midnight(day)
    on_the_day = Mover(opened.pool, opened.office, opened.registry, lambda: at, SYSTEM)
    on_the_day.move()
    moved = opened.office.area_set(known)
    assert (moved.edition, moved.areas, moved.number) == ("later", ("00004",), 2)
    head = opened.log.head()
    on_the_day.move()
    Mover(opened.pool, opened.office, opened.registry, lambda: at, SYSTEM).move()
    assert opened.log.head() == head
