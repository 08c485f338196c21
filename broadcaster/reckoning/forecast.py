"""What a version will take to send: short messages, their cost, and the time at the quotas. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from channels.gateway import Message
from channels.sms.render import render
from channels.sms.segments import Encoding, count
from schemas.content import Channel, Language

LANGUAGES: tuple[Language, ...] = ("vi", "en")
"""Those that a subscriber may read."""


@dataclass(frozen=True)
class Quotas:
    """How fast all workers together may send, and what a short message costs."""

    push_per_second: float = 10_000.0
    sms_parts_per_second: float = 1_000.0
    sms_accented: bool = False
    sms_price: Decimal | None = None
    """Of one part, in đồng; costs are not told where it is not known."""


class SmsForecast(NamedTuple):
    """The short message for the readers of one language."""

    language: Language
    text: str
    encoding: Encoding
    parts: int
    recipients: int
    """Who reads it."""

    @property
    def messages(self) -> int:
        """Parts to all of them."""
        return self.parts * self.recipients


class Effort(NamedTuple):
    """What a channel takes. `messages` is what its quota counts: pushes, or parts of short messages."""

    messages: int
    seconds: float
    """To drain at the quota, with nothing else under way."""
    cost: Decimal | None
    sms: tuple[SmsForecast, ...] = ()


def push(recipients: int, quotas: Quotas) -> Effort:
    """A push counts once whatever it says, and costs nothing."""
    return Effort(recipients, recipients / quotas.push_per_second, None)


def sms(message: Message, readers: Mapping[Language, int], quotas: Quotas) -> Effort:
    """The text is the one that the channel would send."""
    made: list[SmsForecast] = []
    for language in LANGUAGES:
        text = render(message, language, quotas.sms_accented)
        segments = count(text)
        made.append(
            SmsForecast(language, text, segments.encoding, segments.parts, readers.get(language, 0))
        )
    total = sum(each.messages for each in made)
    cost = None if quotas.sms_price is None else quotas.sms_price * total
    return Effort(total, total / quotas.sms_parts_per_second, cost, tuple(made))


def effort(channel: Channel, message: Message, readers: Mapping[Language, int], quotas: Quotas) -> Effort:
    """What a channel with subscribers takes. Raises ValueError for any other."""
    if channel is Channel.PUSH:
        return push(sum(readers.values()), quotas)
    if channel is Channel.SMS:
        return sms(message, readers, quotas)
    raise ValueError(f"channel: {channel} has no subscribers")
