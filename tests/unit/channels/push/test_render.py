"""What phones are shown: the body we send is the one firebase-admin would send."""

import json
import re
import warnings
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from firebase_admin import messaging
from hypothesis import given
from hypothesis import strategies as st

from channels.gateway import Message, PayloadFaultError
from channels.push.render import ADDRESS_ROOM, LIMIT, clipped, language_of, render, size
from schemas.content import Lane, Language, MsgType, Text
from tests.contract.gateways import AT, message

TOKEN = "dQw4w9WgXcQ:APA91b" + "x" * 145
VIETNAMESE = "Nước sông Hồng đang lên rất nhanh, người dân vùng trũng cần di dời ngay khỏi khu vực ngập. "
LANES = tuple(Lane)


def saying(vi: Text, en: Text | None = None, **changes: Any) -> Message:
    """A message with these texts."""
    texts: dict[Language, Text] = {"vi": vi, "en": en} if en else {"vi": vi}
    original = message()
    return replace(original, content=original.content.model_copy(update={"texts": texts}), **changes)


def body_of(message: Message, language: Language = "vi", kind: str = "token", address: str = TOKEN) -> Any:
    return json.loads(render(message, language, AT).body(kind, address))["message"]


def shown(message: Message, language: Language = "vi") -> tuple[str, str]:
    notification = body_of(message, language)["notification"]
    return notification["title"], notification["body"]


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("kind", ["token", "fid"])
def test_parity_with_firebase_admin(lane: Lane, kind: str) -> None:
    alert = replace(message(), lane=lane)
    urgent = lane is not Lane.BULLETIN
    key, epoch = str(alert.alert_id), str(int(alert.expires_at.timestamp()))
    with warnings.catch_warnings():
        # Tokens are deprecated in favour of fids, and are what phones have.
        warnings.simplefilter("ignore", DeprecationWarning)
        theirs = messaging.Message(
            **{kind: TOKEN},
            notification=messaging.Notification("Ngập sâu tại Phúc Xá", "Nước lên nhanh."),
            data={
                "alert_id": key,
                "version": "1",
                "msg_type": "Alert",
                "category": "ngap_ung",
                "severity": "Severe",
                "kind": "alert",
                "issuer": "Ủy ban nhân dân phường Hồng Hà",
                "mode": "actual",
            },
            android=messaging.AndroidConfig(
                collapse_key=key,
                priority="high" if urgent else "normal",
                ttl=24 * 3600,
                notification=messaging.AndroidNotification(
                    tag=key, channel_id=str(lane), visibility="public"
                ),
            ),
            apns=messaging.APNSConfig(
                headers={
                    "apns-collapse-id": key,
                    "apns-expiration": epoch,
                    "apns-priority": "10" if urgent else "5",
                },
                payload=messaging.APNSPayload(
                    messaging.Aps(
                        sound="default" if urgent else None,
                        custom_data={"interruption-level": "time-sensitive" if urgent else "active"},
                    )
                ),
            ),
            webpush=messaging.WebpushConfig(
                headers={
                    "TTL": "86400",
                    "Urgency": "high" if urgent else "normal",
                    "Topic": key.replace("-", ""),
                },
                notification=messaging.WebpushNotification(tag=key, renotify=True),
            ),
        )
    assert body_of(alert, kind=kind) == json.loads(str(theirs))


def test_every_version_shares_what_a_phone_replaces_by() -> None:
    alert = message()
    first, update = body_of(alert), body_of(replace(alert, version=2, msg_type=MsgType.UPDATE))
    for path in (
        ("android", "collapse_key"),
        ("android", "notification", "tag"),
        ("apns", "headers", "apns-collapse-id"),
        ("webpush", "headers", "Topic"),
        ("webpush", "notification", "tag"),
    ):
        values: list[Any] = [first, update]
        for step in path:
            values = [value[step] for value in values]
        assert values[0] == values[1]
    assert (first["data"]["version"], update["data"]["version"]) == ("1", "2")
    # RFC 8030 §5.4: a topic is at most 32 characters of base64url.
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,32}", first["webpush"]["headers"]["Topic"])


@pytest.mark.parametrize(
    ("left", "ttl"),
    [
        (timedelta(minutes=90), 5400),
        (timedelta(seconds=1.9), 1),
        (timedelta(0), 0),
        (timedelta(seconds=-5), 0),
        (timedelta(days=60), 2_419_200),
    ],
)
def test_lives_as_long_as_the_alert(left: timedelta, ttl: int) -> None:
    body = body_of(replace(message(), sent=AT - timedelta(hours=1), expires_at=AT + left))
    assert body["android"]["ttl"] == f"{ttl}s"
    assert body["webpush"]["headers"]["TTL"] == str(ttl)


VI = Text(headline="Ngập sâu", description="Nước lên nhanh.", instruction="Gọi 114.")
EN = Text(headline="Deep flooding", description="Water is rising.")


@pytest.mark.parametrize(
    ("msg_type", "language", "reason", "title", "body"),
    [
        (MsgType.ALERT, "vi", "", "Ngập sâu", "Nước lên nhanh.\nGọi 114."),
        (MsgType.ALERT, "en", "", "Deep flooding", "Water is rising."),
        (MsgType.UPDATE, "vi", "", "CẬP NHẬT: Ngập sâu", "Nước lên nhanh.\nGọi 114."),
        (MsgType.UPDATE, "en", "", "UPDATED: Deep flooding", "Water is rising."),
        (MsgType.CANCEL, "vi", "Nước đã rút.", "HỦY: Ngập sâu", "Nước đã rút."),
        (MsgType.CANCEL, "en", "Nước đã rút.", "CANCELLED: Deep flooding", "Nước đã rút."),
        (MsgType.CANCEL, "vi", "", "HỦY: Ngập sâu", "Thông tin này không còn hiệu lực."),
        (MsgType.CANCEL, "en", "", "CANCELLED: Deep flooding", "This message is no longer in effect."),
    ],
)
def test_words(msg_type: MsgType, language: Language, reason: str, title: str, body: str) -> None:
    assert shown(saying(VI, EN, msg_type=msg_type, reason=reason), language) == (title, body)


def test_language() -> None:
    both, one = saying(VI, EN), saying(VI)
    assert [language_of(both, locale) for locale in ("vi", "en", "en-GB", "fr", "")] == [
        "vi",
        "en",
        "en",
        "vi",
        "vi",
    ]
    assert language_of(one, "en") == "vi"


def test_another_language_with_words_of_ours_in_english() -> None:
    both = saying(VI, EN, msg_type=MsgType.UPDATE)
    texts = both.content.texts | {"ko": Text(headline="침수", description="물이 차오릅니다.")}
    told = replace(both, content=both.content.model_copy(update={"texts": texts}))
    assert language_of(told, "ko-KR") == "ko"
    assert shown(told, "ko") == ("UPDATED: 침수", "물이 차오릅니다.")


def test_2000_characters_of_vietnamese_prose_fit_whole() -> None:
    description = (VIETNAMESE * 30)[:2000].strip()
    alert = saying(Text(headline="Ngập sâu", description=description, instruction="Gọi 114."))
    assert len(render(alert, "vi", AT).body("token", TOKEN)) <= LIMIT
    assert shown(alert)[1] == f"{description}\nGọi 114."


def test_2000_vietnamese_characters_of_the_widest_are_cut_at_a_word() -> None:
    description = ("ẩưỡ ệịộ ữẫ " * 200)[:2000].strip()
    alert = saying(Text(headline="Ngập sâu", description=description, instruction="Gọi 114."))
    assert LIMIT - 100 < len(render(alert, "vi", AT).body("token", "x" * 200)) <= LIMIT
    told, instruction = shown(alert)[1].split("…\n")
    assert instruction == "Gọi 114."
    assert description.startswith(told)
    assert description[len(told)] == " ", "it was cut at a word"


def test_instruction_keeps_half_the_room() -> None:
    alert = saying(
        Text(
            headline="Ngập sâu",
            description=(VIETNAMESE * 30)[:2000],
            instruction=("Di dời ệ " * 200)[:1000],
        )
    )
    assert len(render(alert, "vi", AT).body("token", TOKEN)) <= LIMIT
    told, instruction = shown(alert)[1].split("\n")
    assert size(instruction) > 1000
    assert size(told) > 1000


CHARACTERS = st.characters(exclude_categories=("Cc", "Cs", "Co")) | st.sampled_from('\n "\\ ệ')


def _long(piece: str, times: int) -> str:
    return (piece * times)[:2000]


LONG = st.builds(
    _long, st.text(CHARACTERS, min_size=1, max_size=20).filter(str.strip), st.integers(1, 2000)
)


@given(LONG, LONG | st.just(""))
def test_never_too_long(description: str, instruction: str) -> None:
    # Not validated, so that every character is tried.
    vi = Text.model_construct(headline="Ệ" * 160, description=description, instruction=instruction)
    alert = saying(vi, msg_type=MsgType.UPDATE, lane=Lane.EMERGENCY)
    rendered = render(alert, "vi", AT)
    assert len(rendered.body("token", "x" * (ADDRESS_ROOM - len('{"message":{"token":""')))) <= LIMIT
    whole = f"{description}\n{instruction}" if instruction else description
    body = shown(alert)[1]
    assert body == whole or "…" in body


@given(st.text(CHARACTERS), st.integers(0, 200))
def test_clipped(text: str, room: int) -> None:
    short = clipped(text, room)
    assert size(short) <= room
    if size(text) <= room:
        assert short == text
    else:
        assert short == "" or (short.endswith("…") and text.startswith(short[:-1]))


@given(st.text(min_size=1, max_size=300))
def test_address_is_spliced_whole(address: str) -> None:
    spliced = render(ONE, "vi", AT).body("token", address)
    assert json.loads(spliced)["message"].pop("token") == address


ONE = message()


def test_content_that_cannot_be_said() -> None:
    with pytest.raises(PayloadFaultError, match="bytes too long"):
        render(replace(message(), issuer_name="Ủy ban " * 1000), "vi", AT)
