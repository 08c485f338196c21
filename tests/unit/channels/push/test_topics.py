"""Topics: who is subscribed, tried again and accounted for; and one message for all of them."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import uuid4

import firebase_admin
import pytest
from firebase_admin import messaging
from firebase_admin.credentials import Certificate
from hypothesis import given
from hypothesis import settings as settings_
from hypothesis import strategies as st

from channels.gateway import Message, Recipient, Result
from channels.push import PushSettings
from channels.push.render import render
from channels.push.sandbox import Behaviour, PushSandbox
from channels.push.subscriptions import MOST, TRIES, Change, Subscriptions
from channels.push.topics import KIND, LIMIT, TopicGateway, topic_of
from schemas.content import Mode, Text
from schemas.dispatch import Outcome
from tests.contract.gateways import AT, message


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushSandbox]:
    with PushSandbox(tmp_path_factory.mktemp("fcm")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(house: PushSandbox) -> Iterator[PushSandbox]:
    house.behave()
    yield house
    house.behave()


class Told(NamedTuple):
    results: list[Result]
    waits: list[float]


def change(
    sandbox: PushSandbox,
    what: Change,
    topic: str,
    *addresses: str,
    kind: str = "token",
    heals: bool = False,
) -> Told:
    waits: list[float] = []

    async def pause(seconds: float) -> None:
        waits.append(seconds)
        if heals:
            await asyncio.to_thread(sandbox.behave)

    async def play() -> list[Result]:
        async with Subscriptions(settings(sandbox), lambda: AT, sandbox.url, pause) as client:
            people = [
                Recipient(n, n, each, kind, "android", "vi") for n, each in enumerate(addresses, start=7)
            ]
            return await client.change(what, topic, people)

    return Told(asyncio.run(play()), waits)


def settings(sandbox: PushSandbox) -> PushSettings:
    return PushSettings(sandbox.url, sandbox.credentials_file, sandbox.ca_file)


def phones(count: int, prefix: str = "phone") -> list[str]:
    return [f"{prefix}-{n:0150d}" for n in range(count)]


def test_a_full_batch_in_and_out_and_again(sandbox: PushSandbox) -> None:
    topic, everyone = topic_of("00001", "vi"), phones(MOST)
    for _ in range(2):
        told = change(sandbox, Change.SUBSCRIBE, topic, *everyone)
        assert [result.rank for result in told.results] == list(range(7, 7 + MOST))
        assert {result.outcome for result in told.results} == {Outcome.ACCEPTED}
        assert sandbox.topics()[topic] == MOST
    for _ in range(2):
        change(sandbox, Change.UNSUBSCRIBE, topic, *everyone[1:])
        assert sandbox.topics()[topic] == 1


def test_each_is_accounted_for_and_only_who_may_pass_is_tried_again(sandbox: PushSandbox) -> None:
    topic = topic_of("00004", "vi")
    addresses = [each for prefix in ("phone", "gone", "bad", "busy", "never") for each in phones(2, prefix)]
    told = change(sandbox, Change.SUBSCRIBE, topic, *addresses)
    assert [(result.outcome, result.reason) for result in told.results[::2]] == [
        (Outcome.ACCEPTED, ""),
        (Outcome.GONE, "NOT_FOUND"),
        (Outcome.REFUSED, "INVALID_ARGUMENT"),
        (Outcome.ACCEPTED, ""),
        (Outcome.DEFERRED, "INTERNAL"),
    ]
    assert sandbox.topics()[topic] == 4
    assert len(told.waits) == TRIES - 1
    assert told.waits == sorted(told.waits)


@pytest.mark.parametrize("name", ["UNAVAILABLE", "INTERNAL", "QUOTA_EXCEEDED", "UNAUTHENTICATED"])
def test_a_service_in_trouble_is_asked_again_when_it_wishes(sandbox: PushSandbox, name: str) -> None:
    topic = topic_of(name, "en")
    sandbox.behave(Behaviour(errors={name: 1.0}, retry_after="40"))
    down = change(sandbox, Change.SUBSCRIBE, topic, *phones(3))
    assert {result.outcome for result in down.results} == {Outcome.DEFERRED}
    assert topic not in sandbox.topics()
    if name != "UNAUTHENTICATED":
        assert min(down.waits) >= 40
    up = change(sandbox, Change.SUBSCRIBE, topic, *phones(3), heals=True)
    assert (Counter(result.outcome for result in up.results), len(up.waits)) == ({Outcome.ACCEPTED: 3}, 1)
    assert sandbox.topics()[topic] == 3


def test_what_will_never_pass_is_not_tried_again(sandbox: PushSandbox) -> None:
    topic = topic_of("00006", "vi")
    sandbox.behave(Behaviour(errors={"SENDER_ID_MISMATCH": 1.0}))
    told = change(sandbox, Change.SUBSCRIBE, topic, *phones(2))
    assert [(each.outcome, each.reason) for each in told.results] == [(Outcome.DEFERRED, "HTTP_403")] * 2
    assert told.waits == []
    sandbox.behave()
    told = change(sandbox, Change.SUBSCRIBE, topic, "installation", kind="fid")
    assert [(each.outcome, each.reason) for each in told.results] == [(Outcome.REFUSED, "ADDRESS_KIND")]
    assert topic not in sandbox.topics()
    with pytest.raises(ValueError, match="recipients"):
        change(sandbox, Change.SUBSCRIBE, topic, *phones(MOST + 1))
    with pytest.raises(ValueError, match="topic"):
        change(sandbox, Change.SUBSCRIBE, "Phúc Xá", *phones(1))


def test_a_token_endpoint_that_is_down_changes_nothing(sandbox: PushSandbox) -> None:
    topic = topic_of("00007", "vi")
    sandbox.behave(Behaviour(token_endpoint_down=True))
    told = change(sandbox, Change.SUBSCRIBE, topic, *phones(1))
    assert [each.reason for each in told.results] == ["TOKEN_UNAVAILABLE"]
    assert topic not in sandbox.topics()


def test_same_as_the_sdk(sandbox: PushSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's own client says the same to the service, and reads the same from it."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(sandbox.ca_file))
    service: Any = vars(messaging)["_MessagingService"]
    monkeypatch.setattr(service, "IID_URL", sandbox.url)
    app = firebase_admin.initialize_app(Certificate(str(sandbox.credentials_file)), name=uuid4().hex)
    addresses = [*phones(3), *phones(1, "gone"), *phones(1, "bad")]
    with pytest.warns(DeprecationWarning, match="legacy"):
        theirs = messaging.subscribe_to_topic_legacy(addresses, "theirs", app)
    ours = change(sandbox, Change.SUBSCRIBE, "ours", *addresses).results
    errors = [(n, result.reason) for n, result in enumerate(ours) if result.reason]
    assert errors == [(error.index, error.reason) for error in theirs.errors]
    assert sandbox.topics()["ours"] == sandbox.topics()["theirs"] == theirs.success_count == 3
    firebase_admin.delete_app(app)


# --- one message for all of them -----------------------------------------------------------------------


def send(sandbox: PushSandbox, text: Message, people: Sequence[Recipient]) -> list[Result]:
    async def play() -> list[Result]:
        async with TopicGateway(settings(sandbox), lambda: AT) as gateway:
            return await gateway.send(text, people)

    return asyncio.run(play())


TOPICS = [
    Recipient(n, n, topic_of("00001", language), KIND, "", language)
    for n, language in enumerate(("vi", "en"))
]


def test_one_message_for_each_topic_in_its_language(sandbox: PushSandbox) -> None:
    text = message()
    results = send(sandbox, text, TOPICS)
    assert [(each.rank, each.outcome) for each in results] == [
        (0, Outcome.ACCEPTED),
        (1, Outcome.ACCEPTED),
    ]
    sent = {entry["message"]["topic"]: entry["message"] for entry in sandbox.messages(2)}
    titles = {topic: each["notification"]["title"] for topic, each in sent.items()}
    assert titles == {"hn-00001-vi": "Ngập sâu tại Phúc Xá", "hn-00001-en": "Deep flooding in Phuc Xa"}
    # As to a phone, so that one that is sent both shows one.
    key = text.collapse_key
    for each in sent.values():
        assert each["android"]["notification"]["tag"] == each["android"]["collapse_key"] == key
        assert each["apns"]["headers"]["apns-collapse-id"] == key


@settings_(max_examples=40, deadline=None)
@given(st.integers(1, 130), st.integers(1, 60))
def test_it_fits_a_topic(words: int, more: int) -> None:
    said = Text(headline="Ngập sâu", description="nước lên nhanh " * words, instruction="đi ngay " * more)
    text = message()
    text = replace(text, content=text.content.model_copy(update={"texts": {"vi": said}}))
    body = render(text, "vi", AT, LIMIT).body(KIND, topic_of("00001", "vi"))
    assert len(body) <= LIMIT


def test_a_long_alert_goes_to_a_topic_cut_at_a_word(sandbox: PushSandbox) -> None:
    said = Text(headline="Ngập sâu", description="nước lên nhanh " * 130)
    text = message()
    text = replace(text, content=text.content.model_copy(update={"texts": {"vi": said}}))
    assert [each.outcome for each in send(sandbox, text, TOPICS[:1])] == [Outcome.ACCEPTED]
    (entry,) = sandbox.messages(1)
    assert entry["message"]["notification"]["body"].endswith("…")


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.ACTUAL])
def test_what_is_not_meant_goes_to_no_topic(sandbox: PushSandbox, mode: Mode) -> None:
    text = message()
    text = replace(text, content=text.content.model_copy(update={"mode": mode}))
    before = sandbox.count().received
    with pytest.raises(ValueError, match="mode"):
        send(sandbox, text, TOPICS)
    assert sandbox.count().received == before


def test_a_phone_is_no_topic(sandbox: PushSandbox) -> None:
    phone = Recipient(0, 0, "phone-1", "token", "android", "vi")
    assert [(e.outcome, e.reason) for e in send(sandbox, message(), [phone])] == [
        (Outcome.DEAD, "ADDRESS_KIND")
    ]


def test_a_topic_that_is_refused_says_nothing_of_the_alert(sandbox: PushSandbox) -> None:
    """The phones of all other topics, and those with tokens, are sent to all the same."""
    sandbox.behave(Behaviour(errors={"INVALID_ARGUMENT": 1.0}))
    results = send(sandbox, message(), TOPICS)
    assert [each.outcome for each in results] == [Outcome.DEAD] * 2


def test_what_is_too_long_for_a_topic_may_go_to_a_phone(sandbox: PushSandbox) -> None:
    text = message()
    text = replace(text, issuer_name="Ủy ban " * 200)
    before = sandbox.count().received
    assert {each.outcome for each in send(sandbox, text, TOPICS[:1])} == {Outcome.DEAD}
    assert render(text, "vi", AT).body("token", "t")
    assert sandbox.count().received == before
