"""Ten minutes without a provider, and a clock that is set: the time is an argument, the rest is real."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from broadcaster.process.steady import SteadyClock
from broadcaster.registry.subscribers import NewSubscriber
from broadcaster.runtime import House, clock
from channels.delivery import Delivery
from channels.push import PushGateway, PushSettings
from channels.push.sandbox import Behaviour, PushSandbox
from channels.retry import wait
from projections.fanout import view as fanout
from projections.reach import view as reach
from projections.reach.view import VersionReach
from schemas.content import Channel, Kind
from schemas.dispatch import Dispatch
from tests.house import PHUC_XA, approver, author, content, house

PHONES = 700
OUTAGE = 600.0
DOWN = Behaviour(errors={"UNAVAILABLE": 1.0})


@pytest.fixture
def hanoi(city_database: str) -> Iterator[House]:
    with house(city_database) as opened:
        for number in range(PHONES):
            phone = NewSubscriber(token=f"tok-{number:030d}", platform="android", home="00001")
            opened.registry.register(phone, clock())
        yield opened


@pytest.fixture
def fcm(tmp_path: Path) -> Iterator[PushSandbox]:
    with PushSandbox(tmp_path / "fcm") as sandbox:
        yield sandbox


class Story:
    """A house whose workers live in a time of their own. The broker is played: what waits, waits."""

    def __init__(self, hanoi: House, fcm: PushSandbox) -> None:
        self.hanoi, self.fcm = hanoi, fcm
        self.began = clock()
        self.passed = 0.0
        self.wrong = timedelta()
        """By how much the machine's clock is wrong."""
        self.clock = SteadyClock(
            lambda: self.began + timedelta(seconds=self.passed) + self.wrong, self.ticks
        )
        self.tries = 0

    def ticks(self) -> float:
        return self.passed

    def issue(self, **changes: Any) -> UUID:
        hanoi = self.hanoi
        said = content(channels=(Channel.PUSH,), kind=Kind.ALERT, **changes)
        alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, said, at=clock()).id
        hanoi.alerts.submit(author(PHUC_XA), alert, at=clock())
        hanoi.alerts.approve(approver(PHUC_XA), alert, at=clock())
        hanoi.alerts.issue(author(PHUC_XA), alert, at=clock())
        return alert

    def follow(self) -> None:
        for name in ("fanout", "reach"):
            self.hanoi.follower(self.hanoi.projection(name)).catch_up()

    def undone(self) -> Sequence[Dispatch]:
        self.follow()
        with self.hanoi.pool.connection() as conn:
            return fanout.undone(conn)

    async def run(self, happens: Callable[[float], None]) -> None:
        """Until nothing is left to do; `happens` is told the time before each look, in seconds."""
        push = PushSettings(self.fcm.url, self.fcm.credentials_file, self.fcm.ca_file)
        async with PushGateway(push, self.clock, ticks=self.ticks) as gateway:
            delivery = Delivery(self.hanoi.ledger, gateway, self.clock)
            while dispatches := await asyncio.to_thread(self.undone):
                happens(self.passed)
                waits = {each.id: wait(each, self.clock(), gateway.rest()) for each in dispatches}
                due = [each for each in dispatches if waits[each.id] <= 0]
                self.tries += len(due)
                await asyncio.gather(*map(delivery.deliver, due))
                if not due:
                    self.passed += min(60.0, min(waits.values()) + 0.001)

    def books(self, alert: UUID) -> VersionReach:
        with self.hanoi.pool.connection() as conn:
            (row,) = reach.of_alert(conn, alert)
        return row

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self.passed)


def test_ten_minutes_without_a_provider(hanoi: House, fcm: PushSandbox) -> None:
    story = Story(hanoi, fcm)
    lasting, short = story.issue(), story.issue(expires_at=clock() + timedelta(minutes=5))
    fcm.behave(DOWN)

    def happens(passed: float) -> None:
        if passed >= OUTAGE:
            fcm.behave(Behaviour())

    asyncio.run(story.run(happens))
    story.follow()
    totals = story.books(lasting).totals
    assert (totals.audience, totals.accepted, totals.dead) == (PHONES, PHONES, 0)
    assert story.passed < OUTAGE + 100, "it is found soon after it is back"
    late = story.books(short).totals
    assert late.audience == late.expired + late.dead == PHONES, "nobody gets what is over"
    assert late.accepted == 0
    counted = fcm.count()
    assert (counted.unique, counted.duplicates) == (PHONES, 0)
    assert counted.refused["UNAVAILABLE"] < 20 * PHONES, "it is not hammered"
    assert story.tries < 120, "nor is the log filled with tries"


@pytest.mark.parametrize("step", [timedelta(hours=7), timedelta(hours=-7), timedelta(minutes=20)])
def test_a_clock_that_is_set_and_set_right(hanoi: House, fcm: PushSandbox, step: timedelta) -> None:
    story = Story(hanoi, fcm)
    alert = story.issue()
    fcm.behave(Behaviour(errors={"UNAVAILABLE": 0.3}, seed=1))

    def happens(passed: float) -> None:
        story.wrong = step if 1 <= passed < 10 else timedelta()

    asyncio.run(story.run(happens))
    story.follow()
    totals = story.books(alert).totals
    assert (totals.audience, totals.accepted, totals.expired) == (PHONES, PHONES, 0)
    assert story.passed < 300, "nothing stalled"
    assert (fcm.count().unique, fcm.count().duplicates) == (PHONES, 0)


@pytest.mark.parametrize("step", [timedelta(hours=2), timedelta(hours=-2)])
def test_a_clock_that_stays_set(hanoi: House, fcm: PushSandbox, step: timedelta) -> None:
    story = Story(hanoi, fcm)
    alert = story.issue()
    fcm.behave(Behaviour(errors={"UNAVAILABLE": 0.3}, seed=1))

    def happens(passed: float) -> None:
        story.wrong = step if passed >= 1 else timedelta()

    asyncio.run(story.run(happens))
    story.follow()
    totals = story.books(alert).totals
    assert (totals.audience, totals.accepted) == (PHONES, PHONES), "six hours are not over in two"
    assert (fcm.count().unique, fcm.count().duplicates) == (PHONES, 0)
