"""What is joined into one gateway keeps what its parts promise beyond sending: telling and resting."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from channels.gateway import Gateway, Resting, Result, Telling
from channels.push.both import PhonesAndBrowsers
from channels.push.sandbox import Behaviour, PushSandbox
from channels.push.web.client import WebPushGateway
from channels.push.web.sandbox import WebPushSandbox
from schemas.dispatch import Outcome
from tests.contract import houses_push, houses_web_push
from tests.contract.gateways import message
from tests.unit.channels.push.test_client import phones

DOWN = Behaviour(errors={"UNAVAILABLE": 1.0})


@pytest.fixture
def fcm(tmp_path: Path) -> Iterator[PushSandbox]:
    with PushSandbox(tmp_path / "fcm") as sandbox:
        yield sandbox


@pytest.fixture
def browsers(tmp_path: Path) -> Iterator[WebPushGateway]:
    with WebPushSandbox(tmp_path / "webpush") as sandbox:
        yield houses_web_push.gateway(sandbox)


def test_who_is_accepted_is_told_of_through_both_joints(fcm: PushSandbox, browsers: WebPushGateway) -> None:
    roads = houses_push.by_either_road(fcm)
    people = [*phones(30), *phones(3, "gone-")]

    async def told_by(gateway: Gateway) -> tuple[list[Result], list[Result]]:
        told: list[Result] = []
        async with gateway:
            assert isinstance(gateway, Telling)
            return await gateway.send_telling(message(), people, told.append), told

    for gateway in (roads, PhonesAndBrowsers(houses_push.by_either_road(fcm), browsers)):
        results, told = asyncio.run(told_by(gateway))
        accepted = [result for result in results if result.outcome is Outcome.ACCEPTED]
        assert len(accepted) == 30
        assert sorted(told) == sorted(accepted)


def test_phones_rest_and_browsers_are_tried_first(fcm: PushSandbox, browsers: WebPushGateway) -> None:
    fcm.behave(DOWN)

    async def rests() -> tuple[float, float, float]:
        roads = houses_push.by_either_road(fcm)
        both = PhonesAndBrowsers(roads, browsers)
        async with both:
            assert isinstance(roads, Resting)
            assert isinstance(both, Resting)
            await both.send(message(), phones(25))
            return roads.rest(1), both.rest(1), both.rest(2)

    phones_rest, first, second = asyncio.run(rests())
    assert phones_rest > 0
    assert first == 0, "a browser has another service than the one that is down"
    assert 0 < second <= phones_rest
