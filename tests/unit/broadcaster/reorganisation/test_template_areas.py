"""The areas that templates name follow a reorganisation, and the report says so by name."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from broadcaster import reference
from broadcaster.commands.templates import Saved, TemplateCommands
from broadcaster.reorganisation.bodies import midnight
from broadcaster.reorganisation.commands import ReorganisationCommands
from broadcaster.reorganisation.description import Reorganisation, packaged
from broadcaster.reorganisation.mover import Mover
from broadcaster.runtime import SYSTEM, House, clock
from schemas.local_time import HANOI
from tests.house import PHUC_XA, approver, author, house
from tests.unit.broadcaster.reorganisation.test_city import EDITIONS
from tests.unit.schemas.examples import TEMPLATE_BODY


@pytest.fixture
def opened(city_database: str) -> Iterator[House]:
    with house(city_database) as one:
        yield one


def desk(opened: House) -> TemplateCommands:
    return TemplateCommands(opened.office, opened.alerts.limits)


def save(opened: House, name: str, *areas: str) -> UUID:
    edition = EDITIONS[0] if areas else None
    body = TEMPLATE_BODY.model_copy(update={"areas": areas, "edition": edition})
    return desk(opened).begin(author(PHUC_XA), PHUC_XA, Saved(name, "draft", body), at=clock()).id


def test_it_is_saved_in_the_new_codes_and_what_was_approved_stands(opened: House) -> None:
    riverside, bare = save(opened, "Ven sông", "00001"), save(opened, "Trống")
    retired = save(opened, "Bỏ", "00001")
    desk(opened).approve(approver(PHUC_XA), riverside, 1, at=clock())
    desk(opened).retire(approver(PHUC_XA), retired, at=clock())
    commands = ReorganisationCommands(opened.pool, opened.office)
    lines: list[str] = []
    for edition in EDITIONS[1:]:
        head = opened.log.head()
        told = commands.try_out(packaged(edition), clock())
        assert opened.log.head() == head
        assert commands.apply(packaged(edition), SYSTEM, clock()) == told
        lines = list(told.lines())
        assert [one.template for one in told.templates_carried] == [f"Ven sông of {PHUC_XA}"]
    now, tree = opened.office.template(riverside), reference.tree(EDITIONS[-1])
    assert (now.latest.body.areas, now.latest.body.edition) == (("00097",), EDITIONS[-1])
    assert now.latest.body.texts == now.at(1).body.texts
    assert now.latest.approved_by is None
    assert now.approved == now.at(1)
    assert "templates in new codes, to be approved again: 1" in lines
    assert f"  Ven sông of {PHUC_XA}: 00001 Phường Phúc Xá -> 00097 {tree['00097'].name}" in lines
    assert [opened.office.template(each).latest.number for each in (bare, retired)] == [1, 1]
    assert opened.mover.move_templates(opened.office.edition(clock()), clock()) == 0


def test_before_its_day_it_is_as_it_was(opened: House) -> None:
    known = save(opened, "Phố", "00010")
    day = clock().astimezone(HANOI).date() + timedelta(days=2)
    said = {**dict(packaged(EDITIONS[1])), "edition": "later", "effective_on": day, "closed": (), "new": ()}
    told = ReorganisationCommands(opened.pool, opened.office).apply(
        Reorganisation.model_validate(said), SYSTEM, clock()
    )
    assert [one.new for one in told.templates_carried] == [("00004 Phường Trúc Bạch",)]
    opened.move_due_subscribers()
    assert opened.office.template(known).latest.body.areas == ("00010",)
    at = midnight(day)
    Mover(opened.pool, opened.office, opened.registry, lambda: at, SYSTEM).move()
    moved = opened.office.template(known).latest
    assert (moved.body.edition, moved.body.areas, moved.number) == ("later", ("00004",), 2)
    head = opened.log.head()
    Mover(opened.pool, opened.office, opened.registry, lambda: at, SYSTEM).move()
    assert opened.log.head() == head
