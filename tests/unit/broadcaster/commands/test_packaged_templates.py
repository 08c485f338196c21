"""The city's shelf as it is delivered, on a furnished house."""

from collections.abc import Iterator
from typing import Any

import pytest

from broadcaster.account import Role
from broadcaster.commands.packaged_templates import CITY, packaged_templates, register
from broadcaster.commands.template_drafts import Given, TemplateDrafts
from broadcaster.commands.templates import TemplateCommands
from broadcaster.log import Once
from broadcaster.office.shelf import Shelf, shelves
from broadcaster.reorganisation.commands import ReorganisationCommands
from broadcaster.reorganisation.description import packaged
from broadcaster.runtime import SYSTEM, House, clock
from schemas.content import Channel, Kind
from schemas.events import Actor, IssuerMoved
from schemas.ids import issuer_stream
from tests.house import BA_DINH, PHUC_XA, author, house

HONG_HA, LONG_BIEN = "ubnd-00097", "ubnd-004"


@pytest.fixture
def hanoi(city_database: str) -> Iterator[House]:
    with house(city_database) as opened:
        yield opened


def drafts(hanoi: House) -> TemplateDrafts:
    return TemplateDrafts(hanoi.office, hanoi.alerts, Shelf(hanoi.log))


def test_they_are_the_city_s_and_registered_once(hanoi: House) -> None:
    shelf = Shelf(hanoi.log)
    found = shelf.templates().values()
    assert [each.latest.name for each in found] == [each.name for each in packaged_templates()]
    assert {each.issuer_id for each in found} == {CITY}
    assert all(each.approved is None for each in found)
    # What the city retired does not come back.
    manager = Actor(account="manager@city", body=CITY)
    hanoi.setup.grant(SYSTEM, manager.account, CITY, Role.MANAGER, at=clock())
    gone = next(iter(found)).id
    TemplateCommands(hanoi.office, hanoi.alerts.limits).retire(manager, gone, at=clock())
    head = hanoi.log.head()
    assert register(hanoi.office, SYSTEM, packaged_templates(), at=clock()) == 0
    assert hanoi.log.head() == head
    assert shelf.templates()[gone].retired


def test_a_commune_uses_its_districts_and_the_citys(hanoi: House) -> None:
    assert shelves(hanoi.office, PHUC_XA, clock()) == (PHUC_XA, BA_DINH, CITY)
    assert shelves(hanoi.office, CITY, clock()) == (CITY,)


def test_the_bodies_above_are_those_of_now(hanoi: House) -> None:
    commands = ReorganisationCommands(hanoi.pool, hanoi.office)
    for edition in ("2025-01-01", "2025-07-01"):
        commands.apply(packaged(edition), SYSTEM, clock())
    # Its first parent was the district, which passed to nobody by name; now it is right under the city.
    assert hanoi.office.body(HONG_HA, clock()).parent == CITY
    first = hanoi.office.issuer(HONG_HA).parent
    assert first
    found = shelves(hanoi.office, HONG_HA, clock())
    assert found.index(CITY) < found.index(first)
    # Phúc Xá was merged into it.
    assert found.index(PHUC_XA) < found.index(CITY)


def test_a_body_moved_under_another_leaves_the_shelf_of_the_first(hanoi: House) -> None:
    edition = hanoi.office.edition(clock()).name
    body = hanoi.office.issuer(PHUC_XA)
    moved = IssuerMoved(
        originator_id=issuer_stream(PHUC_XA),
        originator_version=body.version + 1,
        by=SYSTEM,
        issuer_id=PHUC_XA,
        edition=edition,
        area=body.area,
        level=body.level,
        name=body.name,
        parent=LONG_BIEN,
    )
    hanoi.log.append([moved], at=clock())
    assert shelves(hanoi.office, PHUC_XA, clock()) == (PHUC_XA, LONG_BIEN, CITY)


def test_a_commune_answers_a_reminder_in_one_call(hanoi: House) -> None:
    once, at = Once("author", "k", b"d"), clock()
    first = drafts(hanoi).nothing_to_report(author(PHUC_XA), PHUC_XA, Given(), at=at, once=once)
    assert first.work is not None
    content = first.work.content
    assert (content.kind, content.areas, content.reaches) == (Kind.BULLETIN, ("00001",), (Channel.LED,))
    assert content.texts["vi"].description.startswith("UBND phường Phúc Xá thông báo")
    assert content.expires_at is not None
    again = drafts(hanoi).nothing_to_report(author(PHUC_XA), PHUC_XA, Given(), at=clock(), once=once)
    assert again == first
    assert hanoi.alerts.submit(author(PHUC_XA), first.id, at=clock()).stage == "submitted"


def test_the_shelf_reads_nothing_twice(hanoi: House, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, read, asked = Shelf(hanoi.log), hanoi.log.read, list[int]()

    def counted(*given: Any) -> Any:
        page = read(*given)
        asked.append(len(page))
        return page

    monkeypatch.setattr(hanoi.log, "read", counted)
    first = dict(shelf.templates())
    assert sum(asked) >= len(first) > 0
    asked.clear()
    for _ in range(20):
        assert shelf.templates() == first
    assert asked == [0] * 20
