"""What stands while the areas are drawn anew: drafts, live alerts, audiences, screens."""

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import uuid4

import pytest
from pyroaring import BitMap64

from broadcaster import reference
from broadcaster.account import Role
from broadcaster.alert import Alert
from broadcaster.reckoning.census import CensusTaker
from broadcaster.registry.subscribers import BeingMovedError, SubscriberChange
from broadcaster.reorganisation.bodies import midnight
from broadcaster.reorganisation.commands import ReorganisationCommands
from broadcaster.reorganisation.description import Reorganisation, packaged
from broadcaster.reorganisation.mover import Mover
from broadcaster.rules import RefusedError, Rule
from broadcaster.runtime import SYSTEM, House, clock
from schemas.content import Channel
from schemas.events import Actor, AlertIssued
from schemas.local_time import HANOI
from tests.house import PHUC_XA, approver, author, content, house, manager
from tests.registries import person

HEIR = "ubnd-00097"
"""Of Hồng Hà, which took all of Phúc Xá on 2025-07-01."""


@pytest.fixture
def opened(city_database: str) -> Iterator[House]:
    with house(city_database) as one:
        yield one


def reorganise(opened: House, *editions: str) -> None:
    commands = ReorganisationCommands(opened.pool, opened.office)
    for edition in editions:
        commands.apply(packaged(edition), SYSTEM, clock())


def issued(opened: House, body: str = PHUC_XA, *areas: str) -> Alert:
    alert = opened.alerts.draft(author(body), body, content(*(areas or ("00001",))), at=clock())
    opened.alerts.submit(author(body), alert.id, at=clock())
    opened.alerts.approve(approver(body), alert.id, at=clock())
    return opened.alerts.issue(author(body), alert.id, at=clock())


def heirs(opened: House) -> tuple[Actor, Actor]:
    for actor, role in ((author(HEIR), Role.AUTHOR), (approver(HEIR), Role.APPROVER)):
        opened.setup.grant(SYSTEM, actor.account, HEIR, role, at=clock())
    return author(HEIR), approver(HEIR)


def test_what_was_written_in_old_codes_is_not_issued_in_new_ones(opened: House) -> None:
    alert = opened.alerts.draft(author(PHUC_XA), PHUC_XA, content(), at=clock())
    opened.alerts.submit(author(PHUC_XA), alert.id, at=clock())
    opened.alerts.approve(approver(PHUC_XA), alert.id, at=clock())
    reorganise(opened, "2025-01-01")
    with pytest.raises(RefusedError) as refusal:
        opened.alerts.issue(author(PHUC_XA), alert.id, at=clock())
    assert refusal.value.rule is Rule.EDITION
    opened.alerts.send_back(approver(PHUC_XA), alert.id, "mã cũ", at=clock())
    opened.alerts.revise(author(PHUC_XA), alert.id, content(), at=clock())
    opened.alerts.submit(author(PHUC_XA), alert.id, at=clock())
    opened.alerts.approve(approver(PHUC_XA), alert.id, at=clock())
    out = opened.alerts.issue(author(PHUC_XA), alert.id, at=clock())
    assert out.issued is not None
    assert out.issued.edition == "2025-01-01"


def test_the_successor_answers_for_drafts_and_live_alerts(opened: House) -> None:
    live = issued(opened)
    draft = opened.alerts.draft(author(PHUC_XA), PHUC_XA, content(), at=clock())
    reorganise(opened, "2025-01-01", "2025-07-01")
    for refused in (
        lambda: opened.alerts.cancel(author(PHUC_XA), live.id, "x", in_error=False, at=clock()),
        lambda: opened.alerts.draft(author(PHUC_XA), PHUC_XA, content("00097"), at=clock()),
    ):
        with pytest.raises(RefusedError) as refusal:
            refused()
        assert refusal.value.rule is Rule.CLOSED
    # Roles do not pass by themselves.
    stranger = Actor(account="stranger", body=HEIR)
    with pytest.raises(RefusedError) as refusal:
        opened.alerts.cancel(stranger, live.id, "x", in_error=False, at=clock())
    assert refusal.value.rule is Rule.BODY

    writer, second = heirs(opened)
    with pytest.raises(RefusedError) as refusal:
        opened.alerts.draft(writer, PHUC_XA, content("00097"), at=clock())
    assert refusal.value.rule is Rule.CLOSED
    opened.alerts.revise(writer, draft.id, content("00097"), at=clock())
    opened.alerts.submit(writer, draft.id, at=clock())
    opened.alerts.approve(second, draft.id, at=clock())
    out = opened.alerts.issue(writer, draft.id, at=clock())
    assert out.references[0].startswith(f"{HEIR}@")
    opened.alerts.propose_update(writer, live.id, content("00097"), at=clock())
    opened.alerts.submit(writer, live.id, at=clock())
    opened.alerts.approve(second, live.id, at=clock())
    updated = opened.alerts.issue(writer, live.id, at=clock())
    assert updated.references[0] == live.references[0]
    assert updated.references[0].startswith(f"{PHUC_XA}@")
    assert updated.references[1].startswith(f"{HEIR}@")
    assert updated.issued is not None
    assert (updated.issuer_id, updated.issued.edition) == (PHUC_XA, "2025-07-01")


def taken(opened: House, *areas: str, edition: str) -> set[int]:
    """Whom an alert to these areas reaches now."""
    event = AlertIssued.model_construct(
        originator_id=uuid4(), edition=edition, content=content(*areas), issuer_id=PHUC_XA
    )
    census = CensusTaker(opened.pool, opened.office, opened.registry)
    who = census.take(event, Channel.PUSH)
    found = set(BitMap64.deserialize(who.bitmap))
    assert who.total == len(found) == sum(who.by_area.values())
    return found


def test_an_alert_that_meets_the_change_reaches_the_same_people(opened: House) -> None:
    registry = opened.registry
    homes = ("00001", "00004", "00008", "00016", "00019", "00226", "10060")
    for number, home in enumerate(homes):
        registry.register(person(f"tok-{number}", home=home, areas=["002"] if number == 6 else []), clock())
    split = registry.register(person("tok-split", home="00016"), clock()).device_id
    reorganise(opened, "2025-01-01", "2025-07-01")
    new = reference.tree("2025-07-01")
    codes = [leaf.code for leaf in new.leaves("01")]
    early = {code: taken(opened, code, edition="2025-07-01") for code in codes}
    assert set().union(*early.values()) == taken(opened, "01", edition="2025-07-01")
    with pytest.raises(BeingMovedError):
        registry.change(split, SubscriberChange(areas=("00008",)), clock())
    # Meanwhile someone registers in a new code, which is an old one too.
    registry.register(person("tok-new", home="00008"), clock())
    early["00008"] |= taken(opened, "00008", edition="2025-07-01") - early["00008"]
    assert opened.move_due_subscribers().subscribers == len(homes) + 1 + len(homes) + 1
    assert {code: taken(opened, code, edition="2025-07-01") for code in codes} == early

    # Who lived in a part hears every part, until they choose.
    held = registry.subscriber(split)
    assert held is not None
    assert held.meanwhile
    everywhere = {held.home, *held.meanwhile}
    assert all(held.id in early[code] for code in everywhere)
    chosen = registry.change(split, SubscriberChange(home=held.meanwhile[0]), clock())
    assert chosen.meanwhile == ()
    assert held.id not in taken(opened, held.home, edition="2025-07-01")


def test_nobody_is_moved_before_earlier_audiences_are_taken(opened: House) -> None:
    opened.registry.register(person("tok-1", home="00001"), clock())
    issued(opened)
    reorganise(opened, "2025-01-01")
    assert opened.move_due_subscribers().waiting
    assert opened.registry.editions() == {"2020-03-01"}
    fanout = opened.follower(opened.projection("fanout"))
    fanout.catch_up()
    assert opened.move_due_subscribers().subscribers == 1
    assert opened.registry.editions() == {"2025-01-01"}


def test_before_its_day_nothing_changes(opened: House) -> None:
    tomorrow = clock().astimezone(HANOI).date() + timedelta(days=2)
    said = packaged("2025-01-01")
    later = Reorganisation.model_validate(
        {**dict(said), "edition": "later", "effective_on": tomorrow, "closed": (), "new": ()}
    )
    device = opened.registry.register(person("tok-1", home="00010"), clock()).device_id
    screen = uuid4()
    opened.setup.register_screen(
        manager("ubnd-001"), screen, name="LED", area="00010", profile="m96x32-1", at=clock()
    )
    told = ReorganisationCommands(opened.pool, opened.office).apply(later, SYSTEM, clock())
    assert not told.in_force
    assert [one.new for one in told.screens_moved] == [("00004 Phường Trúc Bạch",)]
    day = midnight(tomorrow)
    tick = timedelta(microseconds=1)
    closing = "ubnd-00010"
    before = opened.office.rights(closing, day - tick)
    assert before.may(content("00010"), opened.office.edition(day - tick).tree, day - tick) is None
    assert not opened.office.rights("ubnd-00004", day - tick).inherited
    refusal = opened.office.rights(closing, day).may(content("00004"), opened.office.edition(day).tree, day)
    assert refusal is not None
    assert refusal.rule is Rule.CLOSED
    assert [one.issuer_id for one in opened.office.rights("ubnd-00004", day).inherited] == [closing]
    assert opened.move_due_subscribers() == (0, 0, 0, False)

    feeds = opened.follower(opened.projection("feeds"))
    feeds.catch_up()
    on_the_day = Mover(opened.pool, opened.office, opened.registry, lambda: day, SYSTEM)
    assert on_the_day.move() == (1, 0, 1, False)
    feeds.catch_up()
    assert on_the_day.move() == (0, 0, 0, False)
    assert opened.office.screen(screen).area == "00004"
    with opened.pool.connection() as conn:
        rows = conn.execute("SELECT edition, home FROM subscribers WHERE device_id = %s", (device,))
        assert rows.fetchall() == [("later", "00004")]


def test_the_day_is_that_of_hanoi() -> None:
    assert midnight(date(2025, 7, 1)).isoformat() == "2025-06-30T17:00:00+00:00"
