"""What a phone shows: one FCM v1 message body per language, into which each address is spliced."""

import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from json.encoder import encode_basestring_ascii
from typing import Any

from firebase_admin import messaging

from channels.gateway import Message, PayloadFaultError
from schemas.content import Lane, Language, MsgType

LIMIT = 4096
"""FCM's most bytes for what a phone is sent; we count the whole body, which is a little more."""
ADDRESS_ROOM = 256
LONGEST_TTL = timedelta(seconds=2_419_200)
"""FCM keeps a message at most four weeks."""
KINDS = ("token", "fid")
"""A registration token, or the Firebase installation id that replaces it: FCM's own field names."""

PREFIXES: dict[MsgType, dict[Language, str]] = {
    MsgType.ALERT: {"vi": "", "en": ""},
    MsgType.UPDATE: {"vi": "CẬP NHẬT: ", "en": "UPDATED: "},
    MsgType.CANCEL: {"vi": "HỦY: ", "en": "CANCELLED: "},
}
WITHDRAWN: dict[Language, str] = {
    "vi": "Thông tin này không còn hiệu lực.",
    "en": "This message is no longer in effect.",
}


@dataclass(frozen=True)
class Rendered:
    """A body that lacks only its address."""

    language: Language
    tail: bytes

    def body(self, kind: str, address: str) -> bytes:
        """The request body for one address; `kind` is one of KINDS."""
        return b'{"message":{"%b":%b%b' % (
            kind.encode(),
            encode_basestring_ascii(address).encode(),
            self.tail,
        )


def language_of(message: Message, locale: str) -> Language:
    """What was written for the reader's locale; else Vietnamese."""
    return message.content.language(locale)


def words_of(words: Mapping[Language, str], language: Language) -> str:
    """Our own words in the language, in English where we have none."""
    return words.get(language, words["en"])


def render(message: Message, language: Language, at: datetime, limit: int = LIMIT) -> Rendered:
    """The body for readers of the language; its lifetime ends with the alert, counted from `at`.

    A text too long for FCM is cut at a word: the app fetches the whole from its inbox.
    Raises PayloadFaultError where not even the headline fits.
    """
    return Rendered(language, _encoded(message, language, text_for(message, language, at, limit), at))


def text_for(message: Message, language: Language, at: datetime, limit: int = LIMIT) -> str:
    """What the notification says under its title; see `render`."""
    return body_within(message, language, limit - ADDRESS_ROOM - len(_encoded(message, language, "", at)))


def body_within(message: Message, language: Language, room: int) -> str:
    """What is said under the title, in so many bytes of JSON. Raises PayloadFaultError for less than 0."""
    if room < 0:
        raise PayloadFaultError(f"message is {-room} bytes too long without its text")
    if message.msg_type is MsgType.CANCEL:
        return clipped(message.reason or words_of(WITHDRAWN, language), room)
    text = message.content.text(language)
    if not text.instruction:
        return clipped(text.description, room)
    # What to do comes last and must not be what is cut: it has half the room, or what is left.
    room -= size("\n")
    instruction = clipped(text.instruction, max(room // 2, room - size(text.description)))
    return "\n".join(filter(None, (clipped(text.description, room - size(instruction)), instruction)))


def size(text: str) -> int:
    """Bytes the text takes in the body: UTF-8, with what JSON must escape."""
    return len(json.dumps(text, ensure_ascii=False).encode()) - len('""')


def clipped(text: str, room: int) -> str:
    """The text, or as many of its first words as fit in `room` bytes with an ellipsis; else nothing."""
    if size(text) <= room:
        return text
    room -= size("…")
    end = bisect_right(range(1, len(text)), room, key=lambda end: size(text[:end]))
    kept = text[:end]
    space = max(kept.rfind(" "), kept.rfind("\n"))
    if space > 0 and not text[end].isspace():
        kept = kept[:space]
    kept = kept.rstrip()
    return f"{kept}…" if kept else ""


def _encoded(message: Message, language: Language, body: str, at: datetime) -> bytes:
    """The body after its address, as firebase-admin encodes it, in the fewest bytes."""
    encoded = json.loads(str(model(message, language, body, at)))
    del encoded["fid"]
    return b"," + json.dumps(encoded, ensure_ascii=False, separators=(",", ":")).encode()[1:] + b"}"


def model(message: Message, language: Language, body: str, at: datetime) -> messaging.Message:
    """firebase-admin's own message, to an address still to be named: its encoder checks every field."""
    prefix = message.content.mode.mark(language) + words_of(PREFIXES[message.msg_type], language)
    title = prefix + message.content.text(language).headline
    urgent = message.lane is not Lane.BULLETIN
    ttl = min(max(message.expires_at - at, timedelta()), LONGEST_TTL) // timedelta(seconds=1)
    key = message.collapse_key
    aps: dict[str, Any] = {"interruption-level": "time-sensitive" if urgent else "active"}
    return messaging.Message(
        fid="-",
        notification=messaging.Notification(title=title, body=body),
        data={
            "alert_id": str(message.alert_id),
            "version": str(message.version),
            "msg_type": message.msg_type.value,
            "category": message.content.category,
            "severity": message.content.severity.value,
            "kind": message.content.kind.value,
            "issuer": message.issuer_name,
            "mode": message.content.mode.value,
        },
        android=messaging.AndroidConfig(
            collapse_key=key,
            priority="high" if urgent else "normal",
            ttl=ttl,
            notification=messaging.AndroidNotification(
                tag=key, channel_id=message.lane.value, visibility="public"
            ),
        ),
        apns=messaging.APNSConfig(
            headers={
                "apns-collapse-id": key,
                "apns-expiration": str(int(message.expires_at.timestamp())),
                "apns-priority": "10" if urgent else "5",
            },
            payload=messaging.APNSPayload(
                messaging.Aps(sound="default" if urgent else None, custom_data=aps)
            ),
        ),
        webpush=messaging.WebpushConfig(
            # RFC 8030 §5.2-5.4; a topic has at most 32 characters of base64url, and a UUID in hex has 32.
            headers={
                "TTL": str(ttl),
                "Urgency": "high" if urgent else "normal",
                "Topic": message.alert_id.hex,
            },
            notification=messaging.WebpushNotification(tag=key, renotify=True),
        ),
    )
