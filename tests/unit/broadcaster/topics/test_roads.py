"""By topic or by token, never both: alerts through the real house to the double, phone by phone."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg import sql

from broadcaster.runtime import House, clock
from broadcaster.topics.route import RouteCommands
from channels.delivery import Delivery
from channels.push import PushGateway
from channels.push.roads import PhonesAndTopics
from channels.push.sandbox import Behaviour, PushSandbox
from channels.push.topics import TopicGateway
from projections.audience import view as audience
from projections.fanout import view as fanout
from projections.reach import letters_view
from projections.reach import view as reach
from projections.reach.view import Totals
from schemas.content import Channel, Content, Mode, Severity, Urgency
from schemas.events import Actor, Route
from tests.house import BA_DINH, approver, author, content
from tests.registries import person
from tests.topics import HOME, OTHER, change, keep, look, register, settings

OPERATOR = Actor(account="system:operator")
URGENT: dict[str, Any] = {
    "severity": Severity.EXTREME,
    "urgency": Urgency.IMMEDIATE,
    "channels": (Channel.PUSH,),
}


def emergency(*areas: str, **changes: object) -> Content:
    return content(*(areas or (HOME, OTHER)), **(URGENT | changes))


def choose(house: House, route: Route) -> None:
    RouteCommands(house.office, house.topics).choose(OPERATOR, route, "Thử đường", at=clock())


def issue(house: House, said: Content) -> UUID:
    alert = house.alerts.draft(author(BA_DINH), BA_DINH, said, at=clock())
    out(house, alert.id)
    return alert.id


def out(house: House, alert: UUID) -> None:
    house.alerts.submit(author(BA_DINH), alert, at=clock())
    house.alerts.approve(approver(BA_DINH), alert, at=clock())
    house.alerts.issue(author(BA_DINH), alert, at=clock())


def update(house: House, alert: UUID, said: Content) -> None:
    house.alerts.propose_update(author(BA_DINH), alert, said, at=clock())
    out(house, alert)


def cancel(house: House, alert: UUID) -> None:
    house.alerts.cancel(author(BA_DINH), alert, "đã an toàn", in_error=False, at=clock())


def send(house: House, fcm: PushSandbox) -> None:
    """Plans and carries out all that is ordered now, by both roads; what is deferred stays."""

    async def play() -> None:
        phones, topics = PushGateway(settings(fcm), clock), TopicGateway(settings(fcm), clock)
        async with PhonesAndTopics(phones, topics) as gateway:
            for order in orders:
                await Delivery(house.ledger, gateway, clock).deliver(order)

    house.follower(house.projection("fanout")).catch_up()
    with house.pool.connection() as conn:
        orders = [order for order in fanout.undone(conn) if order.channel is Channel.PUSH]
    asyncio.run(play())
    for name in ("fanout", "reach"):
        house.follower(house.projection(name)).catch_up()


def shown(fcm: PushSandbox, alert: UUID, version: int) -> Counter[str]:
    """How often each phone got the version, by the end of its token."""
    got: Counter[str] = Counter()
    for entry in fcm.messages(1000):
        message = entry["message"]
        if (message["data"]["alert_id"], message["data"]["version"]) != (str(alert), str(version)):
            continue
        got.update(fcm.members()[message["topic"]] if "topic" in message else [entry["suffix"]])
    return got


def by_topic(fcm: PushSandbox, alert: UUID, version: int) -> set[str]:
    """The topics that the version went to."""
    found = (entry["message"] for entry in fcm.messages(1000))
    version_of = (str(alert), str(version))
    return {
        each["topic"]
        for each in found
        if "topic" in each and (each["data"]["alert_id"], each["data"]["version"]) == version_of
    }


def totals(house: House, alert: UUID, version: int) -> Totals:
    with house.pool.connection() as conn:
        (found,) = (one.totals for one in reach.of_alert(conn, alert) if one.version == version)
        areas = [one.totals for one in reach.areas_of_alert(conn, alert) if one.version == version]
    assert found.audience == found.final + found.in_flight
    for name in ("audience", "accepted", "by_topic", "gone", "dead", "superseded"):
        assert sum(getattr(one, name) for one in areas) == getattr(found, name), name
    return found


ONCE = 1


def each_once(*suffixes: str) -> Counter[str]:
    return Counter(dict.fromkeys(suffixes, ONCE))


def people(house: House, fcm: PushSandbox) -> list[str]:
    """Seven in three topics."""
    for number in range(7):
        home, locale = (HOME, "vi") if number < 3 else (HOME, "en") if number < 5 else (OTHER, "vi")
        register(house, f"phone-{number:06}", home, locale=locale)
    keep(house, fcm)
    return [f"{number:06}" for number in range(7)]


def test_each_phone_gets_it_once_by_the_road_that_fits_it(hanoi: House, fcm: PushSandbox) -> None:
    members = people(hanoi, fcm)
    choose(hanoi, "topics")
    register(hanoi, "installation-fid001", token_kind="fid")
    register(hanoi, "phone-new001")
    register(hanoi, "phone-far001", "00007", areas=[HOME])
    register(hanoi, "phone-nextdr", "00007")
    keep(hanoi, fcm)
    register(hanoi, "phone-new002", OTHER)
    alert = issue(hanoi, emergency())
    send(hanoi, fcm)
    assert shown(fcm, alert, 1) == each_once(*members, "fid001", "new001", "far001", "new002")
    assert by_topic(fcm, alert, 1) == {"hn-00001-vi", "hn-00001-en", "hn-00004-vi"}
    # A follower from elsewhere is in a topic too, but not all who are in it are concerned.
    told = totals(hanoi, alert, 1)
    assert (told.audience, told.by_topic, told.accepted, told.in_flight) == (11, 8, 3, 0)
    assert (told.topics, told.topics_accepted) == (3, 3)


def test_an_update_and_a_cancel_go_the_way_of_the_first(hanoi: House, fcm: PushSandbox) -> None:
    members = people(hanoi, fcm)
    first = issue(hanoi, emergency())
    send(hanoi, fcm)
    choose(hanoi, "topics")
    second = issue(hanoi, emergency())
    send(hanoi, fcm)
    choose(hanoi, "tokens")
    third = issue(hanoi, emergency())
    send(hanoi, fcm)
    for alert in (first, second, third):
        update(hanoi, alert, emergency(HOME, OTHER, severity=Severity.SEVERE))
    send(hanoi, fcm)
    for alert in (first, second, third):
        cancel(hanoi, alert)
    send(hanoi, fcm)
    for version in (1, 2, 3):
        assert by_topic(fcm, first, version) == by_topic(fcm, third, version) == set()
        assert len(by_topic(fcm, second, version)) == 3
        for alert in (first, second, third):
            assert shown(fcm, alert, version) == each_once(*members), (alert, version)
        assert totals(hanoi, second, version).by_topic == 7
        assert totals(hanoi, first, version).accepted == 7


def test_while_it_is_live_its_topics_are_as_frozen_as_its_audience(hanoi: House, fcm: PushSandbox) -> None:
    members = people(hanoi, fcm)
    leaver, mover = register(hanoi, "phone-leaver"), register(hanoi, "phone-0mover")
    keep(hanoi, fcm)
    choose(hanoi, "topics")
    alert = issue(hanoi, emergency(HOME))
    send(hanoi, fcm)
    assert shown(fcm, alert, 1) == each_once(*members[:5], "leaver", "0mover")
    register(hanoi, "phone-later1")
    hanoi.registry.unregister(leaver.device_id)
    change(hanoi, mover.device_id, home=OTHER)
    keep(hanoi, fcm)
    standing = hanoi.topics.standing(clock())
    assert (standing.members, standing.out, standing.waiting) == (8, 0, 2)
    # Who left is out; who moved got it, so hears the end of it; who came since never got it.
    cancel(hanoi, alert)
    send(hanoi, fcm)
    assert shown(fcm, alert, 2) == each_once(*members[:5], "0mover")
    assert by_topic(fcm, alert, 2) == {"hn-00001-vi", "hn-00001-en"}
    told = totals(hanoi, alert, 2)
    assert (told.audience, told.by_topic, told.gone) == (7, 6, 1)
    # Another emergency meanwhile reaches each of them once.
    other = issue(hanoi, emergency())
    send(hanoi, fcm)
    assert shown(fcm, other, 1) == each_once(*members, "0mover", "later1")
    assert look(hanoi, fcm, clock() + timedelta(days=2)).done == 2


def test_a_topic_in_doubt_or_with_a_stranger_is_not_used(hanoi: House, fcm: PushSandbox) -> None:
    members = people(hanoi, fcm)
    choose(hanoi, "topics")
    fcm.behave(Behaviour(errors={"UNAVAILABLE": 1.0}))
    register(hanoi, "phone-doubt1")
    owner = register(hanoi, "phone-owner1", OTHER)
    assert look(hanoi, fcm).unknown == 2
    fcm.behave()
    alert = issue(hanoi, emergency())
    send(hanoi, fcm)
    assert by_topic(fcm, alert, 1) == {"hn-00001-en"}
    assert shown(fcm, alert, 1) == each_once(*members, "doubt1", "owner1")
    keep(hanoi, fcm)
    hanoi.registry.refresh_token(owner.device_id, "phone-fresh1", "token", "android", clock())
    alert = issue(hanoi, emergency(OTHER))
    send(hanoi, fcm)
    assert by_topic(fcm, alert, 1) == set(), "the old token may be in it still"
    assert shown(fcm, alert, 1) == each_once(*members[5:], "fresh1")


@pytest.mark.parametrize(
    "changes", [{"severity": Severity.SEVERE}, {"mode": Mode.EXERCISE}, {"mode": Mode.TEST}]
)
def test_only_emergencies_that_are_meant_go_by_topic(
    hanoi: House, fcm: PushSandbox, changes: dict[str, Any]
) -> None:
    people(hanoi, fcm)
    tester = hanoi.registry.register(person("phone-tester", home=HOME), clock())
    hanoi.registry.add_tester(tester.device_id, clock())
    opted = register(hanoi, "phone-opted1", opt_outs=["ngap_ung"])
    keep(hanoi, fcm)
    choose(hanoi, "topics")
    alert = issue(hanoi, emergency(**changes))
    send(hanoi, fcm)
    assert by_topic(fcm, alert, 1) == set()
    got = shown(fcm, alert, 1)
    assert set(got.values()) == {1}
    assert "tester" in got
    assert "opted1" not in got
    assert opted


def test_whom_a_refused_topic_did_not_reach_get_it_by_token(hanoi: House, fcm: PushSandbox) -> None:
    members = people(hanoi, fcm)
    choose(hanoi, "topics")
    fcm.behave(Behaviour(errors={"SENDER_ID_MISMATCH": 1.0}))
    alert = issue(hanoi, emergency())
    send(hanoi, fcm)
    fcm.behave()
    told = totals(hanoi, alert, 1)
    assert (told.audience, told.in_flight, told.topics, told.topics_accepted) == (7, 7, 3, 0)
    send(hanoi, fcm)
    assert shown(fcm, alert, 1) == each_once(*members)
    told = totals(hanoi, alert, 1)
    assert (told.audience, told.accepted, told.dead, told.by_topic) == (7, 7, 0, 0)
    with hanoi.pool.connection() as conn:
        assert letters_view.find(conn, alert_id=alert, state=None, limit=9) == []
    # And so they hear the end of it.
    cancel(hanoi, alert)
    send(hanoi, fcm)
    assert by_topic(fcm, alert, 2) == set()
    assert shown(fcm, alert, 2) == each_once(*members)
    assert totals(hanoi, alert, 2).audience == 7
    for name in ("fanout", "reach", "audience"):
        hanoi.follower(hanoi.projection(name)).catch_up()
    with hanoi.pool.connection() as conn:
        assert {one.count for one in audience.of_alert(conn, alert)} == {7}
    head, before = hanoi.log.head(), rows(hanoi)
    for name in ("fanout", "reach"):
        hanoi.follower(hanoi.projection(name)).rebuild()
    assert (hanoi.log.head(), rows(hanoi)) == (head, before)


def test_a_rebuild_makes_the_same_rows(hanoi: House, fcm: PushSandbox) -> None:
    people(hanoi, fcm)
    choose(hanoi, "topics")
    alert = issue(hanoi, emergency())
    send(hanoi, fcm)
    choose(hanoi, "tokens")
    issue(hanoi, emergency(HOME))
    cancel(hanoi, alert)
    send(hanoi, fcm)
    head, before, members = hanoi.log.head(), rows(hanoi), fcm.members()
    for name in ("fanout", "reach"):
        hanoi.follower(hanoi.projection(name)).rebuild()
    assert (hanoi.log.head(), rows(hanoi)) == (head, before)
    # Exactly the same subscriptions, and nothing that a keeper would change in them.
    assert not look(hanoi, fcm).done
    assert members
    assert fcm.members() == members


def rows(house: House) -> dict[str, list[Any]]:
    tables = [*house.projection("fanout").tables, *house.projection("reach").tables]
    with house.pool.connection() as conn:
        return {
            table: conn.execute(
                sql.SQL("SELECT t::text FROM {} AS t ORDER BY 1").format(sql.Identifier(table))
            ).fetchall()
            for table in tables
        }
