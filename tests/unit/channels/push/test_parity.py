"""Ours and Google's SDK are the same on the wire, and read the same from the answers."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from channels.gateway import Message, Recipient, Result
from channels.push import PushGateway, PushSettings
from channels.push.sandbox import Behaviour, PushSandbox
from channels.push.sdk import SdkGateway
from tests.contract.gateways import AT, message

PREFIXES = ("phone-", "gone-", "bad-", "malformed-", "mismatch-")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushSandbox]:
    with PushSandbox(tmp_path_factory.mktemp("fcm")) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, sandbox: PushSandbox) -> Iterator[None]:
    """The SDK's gateway sets these; they are put back."""
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(sandbox.ca_file))
    yield
    sandbox.behave()


def play(
    kind: type[PushGateway | SdkGateway], sandbox: PushSandbox, text: Message, people: Sequence[Recipient]
) -> list[Result]:
    async def scenario() -> list[Result]:
        settings = PushSettings(sandbox.url, sandbox.credentials_file, sandbox.ca_file)
        async with kind(settings, lambda: AT) as gateway:
            return sorted(await gateway.send(text, people))

    return asyncio.run(scenario())


def people() -> list[Recipient]:
    return [
        Recipient(n, n, f"{prefix}{kind}-{locale}", kind, "ios", locale)
        for n, (prefix, kind, locale) in enumerate(
            (prefix, kind, locale)
            for prefix in PREFIXES
            for kind in ("token", "fid", "msisdn")
            for locale in ("vi", "en")
        )
    ]


def test_same_outcomes_and_same_messages(sandbox: PushSandbox) -> None:
    text = message()
    seen: list[tuple[list[Result], list[Any]]] = []
    for kind in (PushGateway, SdkGateway):
        results = play(kind, sandbox, text, people())
        sent = [(entry["suffix"], entry["message"], entry["request"]) for entry in sandbox.messages(4)]
        seen.append((results, sorted(sent, key=str)))
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("name", "retry_after"),
    [("QUOTA_EXCEEDED", "7"), ("QUOTA_EXCEEDED", None), ("THIRD_PARTY_AUTH_ERROR", "3")],
)
def test_same_errors(sandbox: PushSandbox, name: str, retry_after: str | None) -> None:
    sandbox.behave(Behaviour(errors={name: 1.0}, retry_after=retry_after))
    one = [Recipient(0, 0, "phone-1", "token", "android", "vi")]
    ours, theirs = (play(kind, sandbox, message(), one) for kind in (PushGateway, SdkGateway))
    assert ours == theirs


@pytest.mark.parametrize("name", ["UNAVAILABLE", "QUOTA_EXCEEDED", "THIRD_PARTY_AUTH_ERROR"])
def test_same_breaker(sandbox: PushSandbox, name: str) -> None:
    """After a row of failures nobody is tried, for as long, by the same word; then all are again."""
    crowd = [Recipient(n, n, f"phone-{n}", "token", "ios", "vi") for n in range(30)]

    async def scenario(kind: type[PushGateway | SdkGateway]) -> list[object]:
        now = [0.0]
        settings = PushSettings(sandbox.url, sandbox.credentials_file, sandbox.ca_file)
        seen: list[object] = []
        async with kind(settings, lambda: AT, ticks=lambda: now[0]) as gateway:
            sandbox.behave(Behaviour(errors={name: 1.0}, retry_after="1"))
            await gateway.send(message(), crowd)
            seen.append(round(gateway.rest()))
            asked = sum(sandbox.count().refused.values())
            seen.append(await gateway.send(message(), crowd))
            seen.append(sum(sandbox.count().refused.values()) - asked)
            sandbox.behave()
            now[0] += 61.0
            seen.append((gateway.rest(), await gateway.send(message(), crowd)))
        return seen

    ours, theirs = (asyncio.run(scenario(kind)) for kind in (PushGateway, SdkGateway))
    assert ours == theirs
    assert ours[2] == 0, "nobody was asked for while it rests"
