"""What a browser's notification says: one JSON object per language, which the page's worker shows."""

import json
from datetime import datetime, timedelta
from typing import Any

from channels.gateway import Message, PayloadFaultError
from channels.push.render import LONGEST_TTL, PREFIXES, body_within, words_of
from channels.push.web.seal import ROOM
from schemas.content import Lane, Language


def render(message: Message, language: Language) -> bytes:
    """At most ROOM bytes: a longer text is cut at a word, for the notification leads to the whole.

    The tag is the alert's, whatever the version: what comes later takes the place of what is shown.
    Raises PayloadFaultError where not even the headline fits.
    """
    prefix = message.content.mode.mark(language) + words_of(PREFIXES[message.msg_type], language)
    told: dict[str, Any] = {
        "title": prefix + message.content.text(language).headline,
        "body": "",
        "tag": message.collapse_key,
        "url": f"/alerts/{message.alert_id}",
        "version": message.version,
        "lang": language,
        "urgent": message.lane is not Lane.BULLETIN,
        "stays": message.lane is Lane.EMERGENCY,
        "expires_at": message.expires_at.isoformat(),
    }
    room = ROOM - len(_encoded(told))
    if room < 0:
        raise PayloadFaultError(f"message is {-room} bytes over {ROOM} without its text")
    return _encoded(told | {"body": body_within(message, language, room)})


def headers(message: Message, at: datetime) -> tuple[tuple[str, str], ...]:
    """RFC 8030 §5.2-5.4: kept no longer than the alert lasts; a later version replaces one that waits."""
    left = min(max(message.expires_at - at, timedelta()), LONGEST_TTL) // timedelta(seconds=1)
    return (
        ("ttl", str(left)),
        ("urgency", "normal" if message.lane is Lane.BULLETIN else "high"),
        ("topic", message.alert_id.hex),
    )


def _encoded(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
