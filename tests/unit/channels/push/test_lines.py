"""Connections that end, refuse, run out or fall silent: who is sent to again, and who is in doubt."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from channels.gateway import Recipient, Result
from channels.push import PushGateway, PushSettings, line, lines
from channels.push.frames import (
    LAST_STREAM,
    PADDED,
    PRIORITY,
    FrameReader,
    Http2Error,
    Kind,
    frame,
    unpadded,
)
from channels.push.pauses import PLATFORM_STREAK
from channels.push.sandbox import Behaviour, PushSandbox
from schemas.dispatch import Outcome
from tests.contract.gateways import AT, message

T = TypeVar("T")
GOOD = (Outcome.ACCEPTED, "", False)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushSandbox]:
    with PushSandbox(tmp_path_factory.mktemp("fcm")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(house: PushSandbox) -> Iterator[PushSandbox]:
    house.behave()
    yield house
    house.behave()


def phones(number: int, platform: str = "android", first: int = 0) -> list[Recipient]:
    return [
        Recipient(n, n, f"phone-{n:030d}", "token", platform, "vi") for n in range(first, first + number)
    ]


def use(
    sandbox: PushSandbox, scenario: Callable[[PushGateway], Coroutine[Any, Any, T]], **changes: Any
) -> T:
    async def play() -> T:
        settings = replace(PushSettings(sandbox.url, sandbox.credentials_file, sandbox.ca_file), **changes)
        async with PushGateway(settings, lambda: AT) as gateway:
            return await scenario(gateway)

    return asyncio.run(play())


def summed(results: list[Result]) -> Counter[tuple[Outcome, str, bool]]:
    return Counter((result.outcome, result.reason, result.ambiguous) for result in results)


def test_goaway_loses_nobody_and_doubts_nobody(sandbox: PushSandbox) -> None:
    sandbox.behave(Behaviour(goaway=0.02, seed=5))
    before = sandbox.count()
    results = use(sandbox, lambda gateway: gateway.send(message(), phones(500)))
    after = sandbox.count()
    assert summed(results) == {GOOD: 500}
    assert after.received - before.received == 500
    assert after.duplicates == before.duplicates
    assert len({entry["connection"] for entry in sandbox.messages(500)}) > 5


def test_a_peer_that_goes_through_its_connections_puts_nobody_off(sandbox: PushSandbox) -> None:
    sandbox.behave(Behaviour(goaway=0.06, seed=5))
    results = use(sandbox, lambda gateway: gateway.send(message(), phones(150)), connections=2)
    assert summed(results) == {GOOD: 150}


def test_nor_is_it_asked_for_ever(sandbox: PushSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LEFT_OVER", 1)
    sandbox.behave(Behaviour(goaway=0.06, seed=5))
    sums = summed(use(sandbox, lambda gateway: gateway.send(message(), phones(150)), connections=2))
    assert sums[GOOD] < 150
    assert not any(ambiguous for _, _, ambiguous in sums)


def test_refused_streams_are_sent_again(sandbox: PushSandbox) -> None:
    sandbox.behave(Behaviour(refused_stream=0.1, seed=5))
    before = sandbox.count()
    results = use(sandbox, lambda gateway: gateway.send(message(), phones(500)))
    assert summed(results)[GOOD] >= 490
    assert not any(result.ambiguous for result in results)
    after = sandbox.count()
    assert after.received - before.received == summed(results)[GOOD]


def test_a_stream_refused_for_ever_is_put_off_without_doubt(sandbox: PushSandbox) -> None:
    sandbox.behave(Behaviour(refused_stream=1.0))
    results = use(sandbox, lambda gateway: gateway.send(message(), phones(30)))
    assert summed(results) == {(Outcome.DEFERRED, "STREAM_REFUSED", False): 30}


def test_a_reset_stream_is_doubt_of_one(sandbox: PushSandbox) -> None:
    sandbox.behave(Behaviour(reset_stream=0.1, seed=5))
    results = use(sandbox, lambda gateway: gateway.send(message(), phones(300)))
    sums = summed(results)
    assert sums.keys() == {GOOD, (Outcome.DEFERRED, "STREAM_RESET", True)}
    assert 10 < sums[Outcome.DEFERRED, "STREAM_RESET", True] < 60


def test_running_out_of_streams(sandbox: PushSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "FIRST_STREAM", LAST_STREAM - 2 * 20)
    results = use(sandbox, lambda gateway: gateway.send(message(), phones(100)), connections=1)
    assert summed(results) == {GOOD: 100}
    each = Counter(entry["connection"] for entry in sandbox.messages(100))
    assert len(each) >= 5
    assert max(each.values()) <= 21


def test_a_peer_with_few_streams(sandbox: PushSandbox) -> None:
    sandbox.behave(Behaviour(streams=3, latency_ms=5))

    async def scenario(gateway: PushGateway) -> tuple[list[Result], int]:
        return await gateway.send(message(), phones(60)), gateway.connections

    results, connections = use(sandbox, scenario, connections=4)
    assert summed(results) == {GOOD: 60}
    assert connections <= 4


def test_an_idle_line_is_no_silent_one(sandbox: PushSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was quiet because nobody asked: a peer slow to its next answer has as long as any other."""
    monkeypatch.setattr(line, "PATIENCE", 0.5)
    monkeypatch.setattr(line, "TICK", 0.02)

    async def scenario(gateway: PushGateway) -> list[Result]:
        await gateway.send(message(), phones(20))
        await asyncio.sleep(1.2)  # twice the patience: the line is idle, and that is what is tried
        os.kill(sandbox.pid, signal.SIGSTOP)
        asyncio.get_running_loop().call_later(0.3, os.kill, sandbox.pid, signal.SIGCONT)
        return await gateway.send(message(), phones(20, first=20))

    try:
        assert summed(use(sandbox, scenario)) == {GOOD: 20}
    finally:
        os.kill(sandbox.pid, signal.SIGCONT)


def test_a_line_that_falls_silent_is_given_up(
    sandbox: PushSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "PATIENCE", 0.1)
    monkeypatch.setattr(line, "TICK", 0.02)

    async def scenario(gateway: PushGateway) -> list[Result]:
        await gateway.send(message(), phones(20))
        os.kill(sandbox.pid, signal.SIGSTOP)
        return await gateway.send(message(), phones(20, first=20))

    with capture_logs() as said:
        try:
            results = use(sandbox, scenario)
        finally:
            os.kill(sandbox.pid, signal.SIGCONT)
    assert summed(results) == {(Outcome.DEFERRED, "CONNECTION_LOST", True): 20}
    given_up = {"event": "push.line_given_up", "reason": "no sign of life", "in_doubt": 20}
    assert [each for each in said if given_up.items() <= each.items()], said


def test_connections_follow_the_delay(sandbox: PushSandbox) -> None:
    async def scenario(gateway: PushGateway) -> tuple[int, int]:
        await gateway.send(message(), phones(20))
        near = gateway.connections
        sandbox.behave(Behaviour(latency_ms=100))
        await gateway.send(message(), phones(500))
        return near, gateway.connections

    near, far = use(sandbox, scenario)
    assert near == 1
    assert far >= 4


def test_a_trouble_with_apple_leaves_the_others_alone(sandbox: PushSandbox) -> None:
    async def scenario(gateway: PushGateway) -> tuple[list[Result], list[Result]]:
        sandbox.behave(Behaviour(errors={"THIRD_PARTY_AUTH_ERROR": 1.0}))
        first = await gateway.send(message(), phones(PLATFORM_STREAK, "ios"))
        sandbox.behave()
        return first, await gateway.send(message(), [*phones(5, "ios"), *phones(7, "android", 5)])

    before = sandbox.count().received
    first, second = use(sandbox, scenario)
    trouble = (Outcome.DEFERRED, "THIRD_PARTY_AUTH_ERROR", False)
    assert summed(first) == {trouble: PLATFORM_STREAK}
    assert summed(second) == {trouble: 5, GOOD: 7}
    assert all(50 < (result.retry_after or 0) <= 60 for result in second if result.outcome is not GOOD[0])
    assert sandbox.count().received - before == 7


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=60))), st.integers(1, 40))
def test_frames_come_whole_however_they_arrive(frames: list[tuple[int, bytes]], size: int) -> None:
    sent = [(kind, 0, stream, payload) for stream, (kind, payload) in enumerate(frames, 1)]
    wire = b"".join(frame(*each) for each in sent)
    reader = FrameReader()
    pieces = [wire[at : at + size] for at in range(0, len(wire), size)]
    assert [found for piece in pieces for found in reader.feed(piece)] == sent


@given(st.binary(max_size=50), st.integers(0, 20))
def test_padding_comes_off(content: bytes, padding: int) -> None:
    padded = bytes([padding]) + content + bytes(padding)
    assert unpadded((Kind.DATA, PADDED, 1, padded)) == content
    first = bytes([padding]) + bytes(5) + content + bytes(padding)
    assert unpadded((Kind.HEADERS, PADDED | PRIORITY, 1, first)) == content


def test_what_no_peer_may_send() -> None:
    with pytest.raises(Http2Error):
        unpadded((Kind.DATA, PADDED, 1, b"\x05abc"))
    with pytest.raises(Http2Error):
        list(FrameReader().feed(b"\x01\x00\x00" + bytes(6)))
