"""The gateway to push services against the double: what each answer does, and whom it never asks."""

import asyncio
import logging
from collections.abc import Generator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import jwt
import pytest

from channels.gateway import Message, PayloadFaultError, Recipient, Result
from channels.push.both import PhonesAndBrowsers
from channels.push.client import PushGateway, PushSettings
from channels.push.sandbox import PushSandbox
from channels.push.web import client, render
from channels.push.web.client import WebPushGateway
from channels.push.web.sandbox import WebPushSandbox
from channels.push.web.sandbox.handle import new_key
from channels.push.web.seal import ROOM
from channels.push.web.vapid import LIFE, Vapid
from schemas.content import Lane, Mode, MsgType, Text
from schemas.dispatch import Outcome
from schemas.web_push import Services
from tests.contract.gateways import AT, message
from tests.contract.houses_web_push import settings_of


@pytest.fixture(name="service", scope="module")
def _service(tmp_path_factory: pytest.TempPathFactory) -> Generator[WebPushSandbox]:
    with WebPushSandbox(tmp_path_factory.mktemp("webpush")) as sandbox:
        yield sandbox


def browsers(*addresses: str, kind: str = "subscription") -> list[Recipient]:
    return [Recipient(rank, rank, address, kind, "web", "vi") for rank, address in enumerate(addresses)]


def sent(
    gateway: WebPushGateway | PhonesAndBrowsers, *orders: tuple[Message, Sequence[Recipient]]
) -> list[list[Result]]:
    async def scenario() -> list[list[Result]]:
        async with gateway:
            return [await gateway.send(*order) for order in orders]

    return asyncio.run(scenario())


def test_each_answer_has_its_outcome(service: WebPushSandbox) -> None:
    names = ["good", "gone-1", "expired-1", "never-1", "moved-1", "large-1", "busy-1"]
    gateway = WebPushGateway(settings_of(service), lambda: AT)
    (results,) = sent(gateway, (message(), browsers(*map(service.address, names))))
    found = {result.rank: (result.outcome, result.reason) for result in results}
    assert [found[rank] for rank in range(len(names))] == [
        (Outcome.ACCEPTED, ""),
        (Outcome.GONE, "SUBSCRIPTION_GONE"),
        (Outcome.GONE, "SUBSCRIPTION_EXPIRED"),
        (Outcome.DEFERRED, "HTTP_503"),
        (Outcome.REFUSED, "HTTP_307"),
        (Outcome.REFUSED, "HTTP_413"),
        (Outcome.DEFERRED, "TOO_MANY_REQUESTS"),
    ]
    assert next(result.retry_after for result in results if result.rank == 6) == 1.0


def test_what_a_stranger_registered_leads_nowhere_else(
    service: WebPushSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    good = service.address("good")
    keys = good.partition("|")[2]
    odd = [f"https://127.0.0.1:1/x|{keys}", f"https://fcm.googleapis.com/x|{keys}", "x", good]
    before = service.count().received
    with caplog.at_level(logging.DEBUG):
        gateway = WebPushGateway(settings_of(service), lambda: AT)
        (results,) = sent(
            gateway, (message(), [*browsers(*odd), Recipient(9, 9, "t", "token", "web", "vi")])
        )
    found = {result.rank: (result.outcome, result.reason) for result in results}
    assert found == {
        0: (Outcome.REFUSED, "SERVICE_NOT_ALLOWED"),
        1: (Outcome.REFUSED, "SERVICE_NOT_ALLOWED"),
        2: (Outcome.GONE, "INVALID_SUBSCRIPTION"),
        3: (Outcome.ACCEPTED, ""),
        9: (Outcome.REFUSED, "ADDRESS_KIND"),
    }
    assert service.count().received == before + 1
    assert "/push/" not in caplog.text


def test_what_the_service_is_told(service: WebPushSandbox) -> None:
    alert = message()
    update = replace(alert, version=2, msg_type=MsgType.UPDATE, lane=Lane.EMERGENCY)
    calm = replace(message(), lane=Lane.BULLETIN, expires_at=AT + timedelta(days=99))
    people = browsers(service.address("told"))
    gateway = WebPushGateway(settings_of(service), lambda: AT)
    sent(gateway, (alert, people), (update, people), (calm, people))
    first, second, third = service.pushes(3)
    assert first["headers"] == {"ttl": "86400", "urgency": "high", "topic": alert.alert_id.hex}
    assert second["headers"]["topic"] == first["headers"]["topic"], "one that waits is replaced"
    assert second["told"]["tag"] == first["told"]["tag"] == str(alert.alert_id), "one that is shown, too"
    assert (first["told"]["stays"], second["told"]["stays"]) == (False, True)
    assert second["told"]["title"].startswith("CẬP NHẬT: ")
    assert third["headers"]["urgency"] == "normal"
    assert third["headers"]["ttl"] == "2419200"
    assert first["told"]["url"] == f"/alerts/{alert.alert_id}"


def test_another_key_is_deferred_and_erases_nobody(service: WebPushSandbox, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(new_key())
    sent(WebPushGateway(settings_of(service), lambda: AT), (message(), browsers(service.address("good"))))
    stranger = WebPushGateway(replace(settings_of(service), key_file=other), lambda: AT)
    people = browsers(*(service.address(f"good{number}") for number in range(client.STREAK)))
    refused, paused = sent(stranger, (message(), people), (message(), people[:2]))
    assert {result.outcome for result in refused} == {Outcome.DEFERRED}
    assert {result.reason for result in paused} == {"VAPID_REFUSED"}
    assert all(result.retry_after and 50 < result.retry_after <= 60 for result in paused)


def test_subscriptions_by_a_strangers_key_stop_nobody_else(service: WebPushSandbox) -> None:
    gateway = WebPushGateway(settings_of(service), lambda: AT)
    mine = browsers(service.address("mine"))
    theirs = browsers(*(service.address(f"theirs-{number}") for number in range(2 * client.STREAK)))
    first, refused, after = sent(gateway, (message(), mine), (message(), theirs), (message(), mine))
    assert {(result.outcome, result.reason) for result in refused} == {(Outcome.DEFERRED, "VAPID_REFUSED")}
    assert [result.outcome for result in (*first, *after)] == [Outcome.ACCEPTED] * 2


def test_a_long_text_is_cut_and_a_headline_is_not() -> None:
    long = message()
    texts = {"vi": Text(headline="Ngập sâu", description="ướt " * 499, instruction="Lên cao. " * 100)}
    long = replace(long, content=long.content.model_copy(update={"texts": texts}))
    body = render.render(long, "vi")
    assert ROOM - 20 < len(body) <= ROOM
    assert "Lên cao." in body.decode()
    whole = {"vi": Text.model_construct(headline="ướt" * 2000, description="", instruction="")}
    with pytest.raises(PayloadFaultError):
        render.render(replace(long, content=long.content.model_copy(update={"texts": whole})), "vi")


def test_an_exercise_says_so() -> None:
    drill = message()
    drill = replace(drill, content=drill.content.model_copy(update={"mode": Mode.EXERCISE}))
    assert "[DIỄN TẬP] " in render.render(drill, "vi").decode()


def test_our_word_is_good_for_half_a_day(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(new_key())
    now = [AT]
    vapid = Vapid(path, "mailto:x@y.example", lambda: now[0])
    first = vapid.authorization("https://a.example")
    assert vapid.authorization("https://a.example") is first
    assert vapid.authorization("https://b.example") != first
    token = first.removeprefix("vapid t=").partition(",")[0]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims == {
        "aud": "https://a.example",
        "exp": int((AT + LIFE).timestamp()),
        "sub": "mailto:x@y.example",
    }
    now[0] += LIFE - timedelta(minutes=59)
    assert vapid.authorization("https://a.example") != first
    path.write_text("-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n")
    with pytest.raises(ValueError, match=r"PEM|key"):
        Vapid(path, "mailto:x@y.example", lambda: AT)


def test_phones_and_browsers_side_by_side(service: WebPushSandbox, tmp_path: Path) -> None:
    with PushSandbox(tmp_path / "fcm") as fcm:
        phones = PushGateway(PushSettings(fcm.url, fcm.credentials_file, fcm.ca_file), lambda: AT)
        both = PhonesAndBrowsers(phones, WebPushGateway(settings_of(service), lambda: AT))
        people = [
            Recipient(0, 0, "phone-1", "token", "android", "vi"),
            *browsers(*(service.address(f"b{number}") for number in range(1, 4)))[1:],
            Recipient(7, 7, "gone-1", "token", "android", "vi"),
        ]
        windows = list(both.route(message(), people))
        assert [(window[0].via, len(window)) for window in windows] == [("fcm", 2), ("webpush", 2)]
        (results,) = sent(both, (message(), people))
        assert {result.rank: (result.via, result.outcome) for result in results} == {
            0: ("fcm", Outcome.ACCEPTED),
            7: ("fcm", Outcome.GONE),
            1: ("webpush", Outcome.ACCEPTED),
            2: ("webpush", Outcome.ACCEPTED),
        }


def test_settings_that_are_none(service: WebPushSandbox) -> None:
    with pytest.raises(ValueError, match="subject"):
        replace(settings_of(service), subject="x")
    assert not Services().allows(service.url + "/push/x")
