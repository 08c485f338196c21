"""What an alert costs by SMS, before anyone approves it. Pure: the very texts that would be sent.

`estimate` tells an author, text by text; `at_most` bounds an order whose readers' languages and carrier
are not known yet.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from channels.gateway import Message
from channels.sms.brand import Rules
from channels.sms.render import NO_RULES, render
from channels.sms.segments import Encoding, costly, count
from schemas.content import Content, Language, MsgType

LANGUAGES: tuple[Language, ...] = ("vi", "en")
_NO_ONE, _NEVER = UUID(int=0), datetime(2000, 1, 1, tzinfo=UTC)


class Tariff(NamedTuple):
    """What one carrier takes, and how it wants texts."""

    price: int = 0
    """VND for one short message."""
    accented: bool = False
    rules: Rules = NO_RULES


class Estimate(NamedTuple):
    """One text to so many readers."""

    language: Language
    text: str
    encoding: Encoding
    units: int
    """The text's length in its alphabet: 160 fit one message of GSM-7 and 153 each of several; 70 and 67
    of UCS-2."""
    parts: int
    """Short messages for one reader, 1 to 3."""
    costly: tuple[str, ...]
    """The characters that force UCS-2, each once: without them the text would cost less."""
    recipients: int
    segments: int
    """Short messages for all."""
    vnd: int


def estimate(
    content: Content,
    issuer_name: str,
    recipients: Mapping[Language, int],
    tariff: Tariff,
    *,
    msg_type: MsgType = MsgType.ALERT,
    reason: str = "",
) -> tuple[Estimate, ...]:
    """What the content would be as SMS, in each language that has a count of readers (0 and more).

    `msg_type` and `reason` (of a cancel) are as in Message: an update begins with a word of its own.
    """
    message = Message(_NO_ONE, 1, msg_type, content.lane, issuer_name, content, _NEVER, _NEVER, reason)
    return tuple(
        _of_text(language, render(message, language, tariff.accented, tariff.rules), readers, tariff)
        for language, readers in recipients.items()
    )


def at_most(message: Message, recipients: int, tariffs: Iterable[Tariff]) -> tuple[int, int]:
    """Segments and VND that the message to so many can come to, whatever they read and whoever carries."""
    texts = [
        _of_text(language, render(message, language, tariff.accented, tariff.rules), recipients, tariff)
        for tariff in tariffs
        for language in LANGUAGES
    ]
    return max((one.segments for one in texts), default=0), max((one.vnd for one in texts), default=0)


def _of_text(language: Language, text: str, recipients: int, tariff: Tariff) -> Estimate:
    told = count(text + "." * tariff.rules.reserved)
    segments = told.parts * recipients
    return Estimate(
        language,
        text,
        told.encoding,
        told.units,
        told.parts,
        costly(text),
        recipients,
        segments,
        segments * tariff.price,
    )
