"""What a text must hold to before it may go out; asked at submit, for a draft may be half written.

A limit is measured on what is sent: the SMS by its segments. It is said with what to do about it, while
there is still somebody to do it. What signs can show is signage.py's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from broadcaster.alert import Alert
from broadcaster.cap.rules import MARKUP
from broadcaster.reference import Category
from broadcaster.rules import Refusal, RefusedError, Rule
from channels.gateway import Message
from channels.sms.render import MOST_PARTS, render, whole
from channels.sms.segments import Encoding, costly, count, plain
from schemas.areas import unaccented
from schemas.content import Channel, Content, Language, MsgType, Text

_NAMED = 12
"""Offending characters that are named; the rest are counted."""
_ALPHABET = {Encoding.GSM7: "GSM-7", Encoding.UCS2: "UCS-2"}


@dataclass(frozen=True)
class Limits:
    """The limits of one deployment."""

    sms_parts: int = MOST_PARTS
    """Segments that one alert may cost a phone; at most MOST_PARTS."""

    def check(self, alert: Alert, category: Category, issuer_name: str, at: datetime) -> None:
        """Refuses the version in work where it breaks a limit, by the first one. Other states pass."""
        if alert.work is None:
            return
        for refusal in self.broken(alert, category, issuer_name, at):
            raise RefusedError(*refusal)

    def broken(self, alert: Alert, category: Category, issuer_name: str, at: datetime) -> Iterator[Refusal]:
        """Every limit that the version in work breaks, each naming its field."""
        assert alert.work is not None
        content = alert.work.content
        yield from lifetime(content, category, at)
        yield from self.of_texts(
            Message(
                alert_id=alert.id,
                version=alert.work.version,
                msg_type=MsgType.UPDATE if alert.issued else MsgType.ALERT,
                lane=content.lane,
                issuer_name=issuer_name,
                content=content,
                sent=at,
                expires_at=content.expires_at or at + category.lifetime,
            )
        )

    def check_texts(self, message: Message) -> None:
        """Refuses words that break a limit, by the first one."""
        for refusal in self.of_texts(message):
            raise RefusedError(*refusal)

    def of_texts(self, message: Message) -> Iterator[Refusal]:
        """Every limit that its words break, each naming its field."""
        content = message.content
        for language, text in content.texts.items():
            yield from wording(language, text)
        if Channel.SMS in content.reaches:
            for language in content.languages:
                yield from self._sms(message, language)

    def _sms(self, message: Message, language: Language) -> Iterator[Refusal]:
        given = message.content.texts[language].sms_text
        field = f"texts.{language}.sms_text"
        if given is None:
            sent = render(message, language)
            if count(sent).parts > self.sms_parts:
                yield Refusal(
                    Rule.LIMIT,
                    f"{field}: what is derived from the headline and the rest takes {_cost(sent)}, "
                    f"{self.sms_parts} is the most; write one",
                )
            return
        # With what stands before it; our own words cost no marks where the author wrote none.
        sent = whole(message, language)
        forcing = costly(given)
        if not forcing:
            sent = plain(sent)
        if count(sent).parts > self.sms_parts:
            detail = f"{field}: takes {_cost(sent)}, {self.sms_parts} is the most"
            if forcing:
                detail += f"; these characters force UCS-2: {_named(forcing)}"
            yield Refusal(Rule.LIMIT, detail)


def lifetime(content: Content, category: Category, at: datetime) -> Iterator[Refusal]:
    """Its end lies ahead, and no further than the category allows."""
    if content.expires_at is None:
        return
    if content.expires_at <= at:
        yield Refusal(Rule.EXPIRY, f"expires_at: {content.expires_at.isoformat()} has passed")
    elif content.expires_at > at + category.longest:
        hours = int(category.longest.total_seconds() // 3600)
        yield Refusal(
            Rule.EXPIRY,
            f"expires_at: {content.expires_at.isoformat()} is more than {hours} hours from now, "
            f"the most for {category.code}",
        )


def wording(language: Language, text: Text) -> Iterator[Refusal]:
    """The parts say different things, and none of them in HTML (CAP 1.2 takes plain text only)."""
    for name, part in text:
        if not isinstance(part, str):
            continue
        if name in {"description", "instruction"} and unaccented(part) == unaccented(text.headline):
            yield Refusal(
                Rule.LIMIT, f"texts.{language}.{name}: says the headline again; say what it does not"
            )
        if found := MARKUP.search(part):
            yield Refusal(
                Rule.LIMIT,
                f"texts.{language}.{name}: an HTML tag or entity at character {found.start() + 1}; "
                "write plain text",
            )


def _cost(text: str) -> str:
    cost = count(text)
    return f"{cost.parts} segments of {_ALPHABET[cost.encoding]}"


def _named(characters: tuple[str, ...]) -> str:
    shown = " ".join(characters[:_NAMED])
    more = len(characters) - _NAMED
    return f"{shown} and {more} more" if more > 0 else shown
