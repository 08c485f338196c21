"""The canary on the real log: sent when due, by the road of all others, and an alarm where it is lost."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from broadcaster import runtime
from broadcaster.runtime import House
from channels.delivery import Delivery
from projections.canary import view
from projections.canary.rule import State
from projections.fanout import view as fanout
from projections.reach import view as reach
from schemas.content import Channel, Lane
from schemas.dispatch import Dispatch, Outcome
from schemas.events import CanaryLate
from tests.house import house
from tests.unit.channels.test_delivery import ScriptedGateway


@pytest.fixture
def hanoi(city_database: str) -> Iterator[House]:
    with house(city_database, canary_every=300, canary_token="canary", canary_phone="0912345678") as opened:
        yield opened


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[timedelta]:
    """How much later it is than it is."""
    passed, began = [timedelta()], runtime.clock()
    monkeypatch.setattr(runtime, "clock", lambda: began + passed[0])
    return passed


def follow(hanoi: House) -> list[Dispatch]:
    for name in ("fanout", "canary", "reach"):
        hanoi.follower(hanoi.projection(name)).catch_up()
    with hanoi.pool.connection() as conn:
        return fanout.undone(conn)


def states(hanoi: House) -> dict[tuple[Lane, Channel], State]:
    with hanoi.pool.connection() as conn:
        return {(p.lane, p.channel): p.state(runtime.clock()) for p in view.probes(conn)}


def test_a_probe_goes_the_whole_road(hanoi: House, later: list[timedelta]) -> None:
    assert hanoi.watch_canary() == 3
    assert hanoi.watch_canary() == 0, "the view is behind the log: nothing is sent twice"
    orders = follow(hanoi)
    assert {(order.lane, order.channel) for order in orders} == {
        (lane, channel) for lane in Lane for channel in (Channel.PUSH, Channel.SMS)
    }
    assert set(states(hanoi).values()) == {State.UNDER_WAY}
    for order in orders:
        message = hanoi.ledger.message(order)
        assert message is not None
        assert message.content.lane is order.lane
        (phone,) = hanoi.ledger.recipients(order, order.ranks)
        assert phone.address == ("canary" if order.channel is Channel.PUSH else "0912345678")
        asyncio.run(Delivery(hanoi.ledger, ScriptedGateway(), runtime.clock).deliver(order))
    assert follow(hanoi) == []
    assert set(states(hanoi).values()) == {State.OK}
    with hanoi.pool.connection() as conn:
        totals = reach.totals_by_channel(conn)
    assert {one.final for one in totals.values()} == {0}, "a test item reaches nobody"
    assert hanoi.watch_canary() == 0
    later[0] = timedelta(minutes=5)
    assert hanoi.watch_canary() == 3
    assert {order.version for order in follow(hanoi)} == {2}


def test_a_lost_probe_raises_one_alarm(hanoi: House, later: list[timedelta]) -> None:
    hanoi.watch_canary()
    for order in follow(hanoi):
        if order.channel is Channel.PUSH:
            gateway = ScriptedGateway({0: Outcome.REFUSED})
            asyncio.run(Delivery(hanoi.ledger, gateway, runtime.clock).deliver(order))
    follow(hanoi)
    assert {state for (_, channel), state in states(hanoi).items() if channel is Channel.PUSH} == {
        State.LOST
    }
    head = hanoi.log.head()
    assert hanoi.watch_canary() == 3
    assert hanoi.watch_canary() == 0
    told = [each.event for each in hanoi.log.read(head, 10)]
    assert all(isinstance(event, CanaryLate) and event.channel is Channel.PUSH for event in told)
    later[0] = timedelta(seconds=30)
    assert hanoi.watch_canary() == 1, "the emergency by SMS is late by now"


def test_none_is_sent_unless_asked_for(city_database: str) -> None:
    with house(city_database) as quiet:
        assert quiet.watch_canary() == 0
    with house(city_database, canary_every=300) as without_phone:
        assert without_phone.watch_canary() == 0


def test_a_channel_that_is_taken_away_does_not_silence_the_others(
    city_database: str, later: list[timedelta]
) -> None:
    with house(city_database, canary_every=300, canary_token="canary", canary_phone="0912345678") as both:
        assert both.watch_canary() == 3
        follow(both)
    with house(city_database, canary_every=300, canary_token="canary") as push:
        for minutes in (5, 10):
            later[0] = timedelta(minutes=minutes)
            push.watch_canary()
            numbers = {order.version for order in follow(push) if order.channel is Channel.PUSH}
            assert max(numbers) == 1 + minutes // 5
        assert {channel for _, channel in states(push)} == {Channel.PUSH}, "nobody waits for the other"
