"""Delegation on a real log: who grants, what it opens, and that it is gone at once."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from broadcaster.account import Role
from broadcaster.alert import Alert
from broadcaster.commands.delegations import DelegationCommands
from broadcaster.delegation import Delegation
from broadcaster.lifecycle import Life
from broadcaster.log import Once, UnknownStreamError
from broadcaster.office import Office
from broadcaster.rules import RefusedError, Rule
from broadcaster.runtime import SYSTEM, House, clock
from schemas.events import Actor, AttemptRefused, DelegationGranted
from tests.house import BA_DINH, PHUC_XA, TRUC_BACH, approver, author, content, house, manager

HOUR = timedelta(hours=1)
NEXT_DOOR = "00004"
"""The area of TRUC_BACH; like PHUC_XA it lies in BA_DINH."""


@pytest.fixture
def hanoi(city_database: str) -> Iterator[House]:
    with house(city_database) as opened:
        yield opened


def delegate(hanoi: House, by: Actor | None = None, **changes: Any) -> Delegation:
    """BA_DINH lets PHUC_XA issue next door for two hours."""
    at = changes.pop("at", clock())
    told: dict[str, Any] = {
        "grantor": BA_DINH,
        "grantee": PHUC_XA,
        "fields": [content().category],
        "areas": [NEXT_DOOR],
        "starts_at": None,
        "ends_at": at + 2 * HOUR,
    }
    return DelegationCommands(hanoi.office).grant(by or manager(BA_DINH), at=at, **(told | changes))


def revoke(hanoi: House, given: Delegation, by: Actor | None = None, **more: Any) -> Delegation:
    commands = DelegationCommands(hanoi.office)
    return commands.revoke(by or manager(BA_DINH), given.id, at=clock(), **more)


def draft(hanoi: House, at: datetime | None = None) -> Alert:
    return hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, content(NEXT_DOOR), at=at or clock())


def submitted(hanoi: House) -> Alert:
    return hanoi.alerts.submit(author(PHUC_XA), draft(hanoi).id, at=clock())


def refused(hanoi: House, rule: Rule, attempt: Callable[[], object]) -> AttemptRefused:
    """It is refused by the rule, and the refusal is the one new event."""
    head = hanoi.log.head()
    with pytest.raises(RefusedError) as refusal:
        attempt()
    assert refusal.value.rule is rule
    (recorded,) = hanoi.log.read(head, 10)
    assert isinstance(recorded.event, AttemptRefused)
    assert recorded.event.rule == rule
    return recorded.event


def test_the_whole_road_on_a_delegation(hanoi: House) -> None:
    refused(hanoi, Rule.AREA, lambda: draft(hanoi))
    given = delegate(hanoi)
    alert = submitted(hanoi)
    hanoi.alerts.approve(approver(PHUC_XA), alert.id, at=clock())
    assert hanoi.alerts.issue(author(PHUC_XA), alert.id, at=clock()).life is Life.LIVE

    revoke(hanoi, given)
    refused(hanoi, Rule.AREA, lambda: draft(hanoi))
    # What was issued stands, is not rewritten on a right that is gone, and can be withdrawn.
    assert hanoi.office.alert(alert.id).life is Life.LIVE
    update = content(NEXT_DOOR)
    refused(
        hanoi,
        Rule.AREA,
        lambda: hanoi.alerts.propose_update(author(PHUC_XA), alert.id, update, at=clock()),
    )
    ended = hanoi.alerts.cancel(author(PHUC_XA), alert.id, "nước rút", in_error=False, at=clock())
    assert ended.life is Life.CANCELLED


def test_revoked_on_the_way_it_stops_the_alert_at_the_next_step(hanoi: House) -> None:
    given = delegate(hanoi)
    early, late = submitted(hanoi), submitted(hanoi)
    hanoi.alerts.approve(approver(PHUC_XA), late.id, at=clock())
    revoke(hanoi, given)
    refused(hanoi, Rule.AREA, lambda: hanoi.alerts.approve(approver(PHUC_XA), early.id, at=clock()))
    refused(hanoi, Rule.AREA, lambda: hanoi.alerts.issue(author(PHUC_XA), late.id, at=clock()))


def test_it_holds_from_its_start_until_its_end(hanoi: House) -> None:
    now = clock()
    delegate(hanoi, at=now, starts_at=now + HOUR, ends_at=now + 2 * HOUR)
    tick = timedelta(microseconds=1)
    refused(hanoi, Rule.AREA, lambda: draft(hanoi, now + HOUR - tick))
    assert draft(hanoi, now + HOUR).life is Life.NEW
    assert draft(hanoi, now + 2 * HOUR - tick).life is Life.NEW
    refused(hanoi, Rule.AREA, lambda: draft(hanoi, now + 2 * HOUR))


def test_a_departments_field_can_be_delegated(hanoi: House) -> None:
    health = Actor(account="manager@so-y-te", body="so-y-te")
    hanoi.setup.grant(SYSTEM, health.account, "so-y-te", Role.MANAGER, at=clock())
    of_health = ["dich_benh"]
    delegate(hanoi, health, grantor="so-y-te", fields=of_health, areas=["001"])
    plague = content(NEXT_DOOR, category="dich_benh", risk_level=None)
    assert hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, plague, at=clock()).life is Life.NEW
    refused(
        hanoi,
        Rule.DELEGATION_FIELD,
        lambda: delegate(hanoi, health, grantor="so-y-te", fields=["giao_thong"], areas=["001"]),
    )


@pytest.mark.parametrize(
    ("rule", "by", "changes"),
    [
        (Rule.ROLE, author(BA_DINH), {}),
        (Rule.ROLE, approver(BA_DINH), {}),
        (Rule.BODY, manager(TRUC_BACH), {}),
        (Rule.BODY, Actor(account="nobody", body=BA_DINH), {}),
        (Rule.DELEGATION_SELF, manager(BA_DINH), {"grantee": BA_DINH}),
        (Rule.DELEGATION_AREA, manager(BA_DINH), {"areas": ["00001", "002"]}),
        (Rule.DELEGATION_AREA, manager(BA_DINH), {"areas": ["01"]}),
        (Rule.UNKNOWN_AREA, manager(BA_DINH), {"areas": ["99999"]}),
        (Rule.UNKNOWN_CATEGORY, manager(BA_DINH), {"fields": ["phep_thuat"]}),
        (Rule.UNKNOWN_CATEGORY, manager(BA_DINH), {"fields": ["*"]}),
        (Rule.DELEGATION_DATES, manager(BA_DINH), {"ends_at": clock() - HOUR}),
    ],
)
def test_a_grant_is_refused_by_name(hanoi: House, rule: Rule, by: Actor, changes: dict[str, Any]) -> None:
    event = refused(hanoi, rule, lambda: delegate(hanoi, by, **changes))
    assert (event.command, event.issuer_id, event.by) == ("delegate", BA_DINH, by)


def test_what_was_delegated_is_not_delegated_on(hanoi: House) -> None:
    delegate(hanoi, grantee=TRUC_BACH, areas=["00001"])
    refused(
        hanoi,
        Rule.DELEGATION_AREA,
        lambda: delegate(
            hanoi, manager(TRUC_BACH), grantor=TRUC_BACH, grantee=PHUC_XA, areas=[NEXT_DOOR, "00001"]
        ),
    )


def test_only_a_manager_of_the_grantor_takes_it_back_and_once(hanoi: House) -> None:
    given = delegate(hanoi)
    event = refused(hanoi, Rule.BODY, lambda: revoke(hanoi, given, manager(PHUC_XA)))
    assert event.command == "revoke delegation"
    refused(hanoi, Rule.ROLE, lambda: revoke(hanoi, given, author(BA_DINH)))
    assert draft(hanoi).life is Life.NEW
    assert revoke(hanoi, given).revoked
    refused(hanoi, Rule.DELEGATION_OVER, lambda: revoke(hanoi, given))
    with pytest.raises(UnknownStreamError, match="there is no delegation"):
        DelegationCommands(hanoi.office).revoke(manager(BA_DINH), uuid4(), at=clock())
    with pytest.raises(UnknownStreamError, match="there is no body nobody"):
        delegate(hanoi, grantee="nobody")


def test_a_repeat_gets_the_first_answer(hanoi: House) -> None:
    once, other = Once("manager", "k1", b"grant"), Once("manager", "k2", b"revoke")
    first = delegate(hanoi, once=once)
    gone = revoke(hanoi, first, once=other)
    head = hanoi.log.head()
    assert delegate(hanoi, once=once, ends_at=clock() - HOUR) == first
    assert revoke(hanoi, first, once=other) == gone
    assert hanoi.log.head() == head


def test_racing_grants_to_one_body_are_all_kept(hanoi: House) -> None:
    gate = threading.Barrier(4)

    def one() -> None:
        gate.wait()
        delegate(hanoi)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hanoi.office.delegations(PHUC_XA).given) == 4


def test_another_process_sees_the_same(hanoi: House) -> None:
    other = Office(hanoi.log, hanoi.office.categories, "canhbao.test", "https://canhbao.test")
    assert other.delegations(PHUC_XA).given == ()
    assert dict(other.every_delegation()) == {}
    first, second = delegate(hanoi), delegate(hanoi, grantee=TRUC_BACH, areas=["00001"])
    revoke(hanoi, first)
    assert [each.revoked for each in other.delegations(PHUC_XA).given] == [True]
    assert list(other.every_delegation()) == [first.id, second.id]
    assert other.delegation(first.id) == hanoi.office.delegations(PHUC_XA).given[0]
    granted = [one.event for one in hanoi.log.everything() if isinstance(one.event, DelegationGranted)]
    assert [event.edition for event in granted] == [hanoi.tree().edition] * 2
