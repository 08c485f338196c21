"""A new edition of the area register: everyone moves with their land."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from psycopg_pool import ConnectionPool

from broadcaster import reference
from broadcaster.engines.embedded import PostgresServer
from broadcaster.reference import Succession
from broadcaster.registry.move import Moved, move_edition, successors
from broadcaster.registry.subscribers import Registry, Subscriber, SubscriberChange
from schemas.areas import Area, AreaTree, UnknownAreaError
from schemas.content import Channel, Lane
from tests.registries import AT, SMALL, Desk, desk_on, person

# No districts any more. 00101 is now the code of what was 00201: only the edition tells.
NEW = AreaTree(
    "new",
    [
        Area(code="01", name="Thành phố", kind="thanh_pho", level=1),
        *(
            Area(code=code, name=f"Phường {code}", kind="phuong", level=3, parent_code="01")
            for code in ("00101", "00102", "00103", "00202")
        ),
    ],
)
MOVES = [
    Succession.model_validate({"old_code": old, "new_code": new, "coverage": coverage})
    for old, new, coverage in (
        ("00101", "00103", "part"),
        ("00101", "00102", "part_area_all_population"),
        ("00101", "00202", "area_only"),
        ("00102", "00102", "part"),
        ("00102", "00103", "part"),
        ("00201", "00101", "whole"),
    )
]


@pytest.fixture(scope="module")
def shared(postgres: PostgresServer) -> Iterator[Desk]:
    with desk_on(postgres) as desk:
        yield desk


@pytest.fixture
def old(shared: Desk) -> Registry:
    shared.clear()
    return shared.registry


@pytest.fixture
def pool(shared: Desk) -> ConnectionPool[Any]:
    return shared.pool


@pytest.fixture
def new(pool: ConnectionPool[Any]) -> Registry:
    """The registry as it is once the new edition is in force."""
    return Registry(pool, lambda: NEW)


def found(registry: Registry, device_id: UUID) -> Subscriber:
    subscriber = registry.subscriber(device_id)
    assert subscriber is not None
    return subscriber


def test_an_area_becomes_what_took_its_residents() -> None:
    assert successors(SMALL, NEW, MOVES) == {
        "01": ("01",),
        "001": ("00102", "00103"),
        "00101": ("00102", "00103"),
        "00102": ("00102", "00103"),
        "00103": ("00103",),
        "002": ("00101", "00202"),
        "00201": ("00101",),
        "00202": ("00202",),
    }
    with pytest.raises(UnknownAreaError, match="edition new of the area register has no area 00201"):
        successors(SMALL, NEW, MOVES[:-1])


@pytest.mark.parametrize(("before", "after"), [("2020-03-01", "2025-01-01"), ("2025-01-01", "2025-07-01")])
def test_every_area_of_the_city_goes_somewhere(before: str, after: str) -> None:
    trees = reference.tree(before), reference.tree(after)
    moves = successors(*trees, reference.successions(after))
    assert set(moves) == {area.code for area in trees[0]}
    assert {new for news in moves.values() for new in news if trees[1].is_leaf(new)} == {
        leaf.code for leaf in trees[1].leaves("01")
    }
    assert moves["01"] == ("01",)


def test_everyone_moves_with_their_land(old: Registry, new: Registry, pool: ConnectionPool[Any]) -> None:
    whole, _ = old.register(person("tok-1", home="00201", areas=["002", "00101"]), AT)
    same, _ = old.register(person("tok-2", home="00103"), AT)
    assert move_edition(pool, SMALL, NEW, MOVES, AT) == Moved(2, 0)
    moved = found(new, whole)
    assert (moved.edition, moved.home) == ("new", "00101")
    assert (moved.areas, moved.meanwhile) == (("00102", "00103", "00202"), ())
    assert (found(new, same).edition, found(new, same).home) == ("new", "00103")


def heard(registry: Registry, code: str) -> set[int]:
    return set(registry.audience(Channel.PUSH, NEW.spans([code]), "bao", Lane.ALERT).bitmap)


def test_who_lived_in_a_split_area_hears_all_parts_until_they_choose(
    old: Registry, new: Registry, pool: ConnectionPool[Any]
) -> None:
    device_id, _ = old.register(person("tok-1", home="00102", areas=["00202"]), AT)
    assert move_edition(pool, SMALL, NEW, MOVES, AT) == Moved(1, 1)
    moved = found(new, device_id)
    assert (moved.home, moved.areas, moved.meanwhile) == ("00102", ("00202",), ("00103",))
    for code in ("00102", "00103", "00202"):
        assert heard(new, code) == {moved.id}
    assert heard(new, "00101") == set()

    changed = new.change(device_id, SubscriberChange(areas=("00101",)), AT)
    assert (changed.areas, changed.meanwhile) == (("00101",), ("00103",))
    chosen = new.change(device_id, SubscriberChange(home="00103"), AT)
    assert (chosen.home, chosen.areas, chosen.meanwhile) == ("00103", ("00101",), ())
    assert heard(new, "00102") == set()


def test_a_move_run_again_moves_no_one_twice(
    old: Registry, new: Registry, pool: ConnectionPool[Any]
) -> None:
    # The new 00101 was the old 00201; the old 00101 is the new 00102: twice would end elsewhere.
    first, _ = old.register(person("tok-1", home="00201"), AT)
    late, _ = new.register(person("tok-2", home="00101"), AT)
    assert move_edition(pool, SMALL, NEW, MOVES, AT) == Moved(1, 0)
    assert move_edition(pool, SMALL, NEW, MOVES, AT) == Moved(0, 0)
    assert (found(new, first).home, found(new, late).home) == ("00101", "00101")
