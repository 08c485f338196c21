"""What pages show, as frozen data: templates only lay it out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from babel import Locale, UnknownLocaleError

from projections.cadence.view import BodyCadence, Summary
from projections.positions import Standing
from projections.reach.view import ReceiptRow, Totals
from schemas.areas import AreaTree
from schemas.content import HOTLINE, Channel, Content, Lane, Severity, Text

_NAMED = 6
"""Areas named in a card; the rest are counted."""
_GRAVITY = {
    Severity.EXTREME: 0,
    Severity.SEVERE: 1,
    Severity.MODERATE: 2,
    Severity.UNKNOWN: 3,
    Severity.MINOR: 4,
}
_LANES = list(Lane)


@dataclass(frozen=True)
class Places:
    """Where an alert is for: the whole city, or areas by name."""

    everywhere: bool
    names: tuple[str, ...]
    more: int


class OtherText(NamedTuple):
    """An alert in another language than the page's."""

    tag: str
    name: str
    """As those who speak it call it."""
    text: Text


@dataclass(frozen=True)
class AlertSight:
    """An alert in a list or on its page."""

    id: UUID
    lane: Lane
    level: int | None
    """Of natural-disaster risk, 1 to 5; other fields have none."""
    content: Content
    text: Text
    text_lang: Literal["vi", "en"]
    category: str
    category_lang: Literal["vi", "en"]
    issuer: str
    places: Places
    sent: datetime
    expires_at: datetime
    left: timedelta

    @property
    def mark(self) -> str:
        """That it is an exercise or a test; empty where it is meant."""
        return self.content.mode.mark(self.text_lang)

    @property
    def contact(self) -> str:
        """Whom to ask."""
        return self.content.contact or HOTLINE

    @property
    def others(self) -> tuple[OtherText, ...]:
        """What it says in further languages."""
        written = (tag for tag in self.content.languages if tag != self.text_lang)
        return tuple(OtherText(tag, language_name(tag), self.content.texts[tag]) for tag in written)

    @property
    def gravity(self) -> tuple[int, int, int]:
        """Sorts the gravest first."""
        return _LANES.index(self.lane), -(self.level or 0), _GRAVITY[self.content.severity]


@dataclass(frozen=True)
class Segment:
    """A part of a bar, in hundredths of its width."""

    kind: str
    start: float
    width: float


@dataclass(frozen=True)
class ChannelSight:
    """What came of all sends on one channel."""

    channel: Channel
    totals: Totals
    bar: tuple[Segment, ...]
    receipts: tuple[ReceiptRow, ...]


@dataclass(frozen=True)
class CadenceSight:
    """The bodies' standing; `shown` is the worst of those asked for."""

    summary: Summary
    state: str | None
    shown: tuple[BodyCadence, ...]
    hidden: int


@dataclass(frozen=True)
class HomeSight:
    """The home page."""

    at: datetime
    alerts: tuple[AlertSight, ...]
    bulletins: tuple[AlertSight, ...]
    channels: tuple[ChannelSight, ...]
    cadence: CadenceSight
    standings: tuple[Standing, ...]


def places(tree: AreaTree, codes: Sequence[str]) -> Places:
    """Areas in words."""
    if tree.root in codes:
        return Places(everywhere=True, names=(), more=0)
    # Two places may bear one name; both are named. A code of another edition stands for itself.
    names = tuple(tree[code].name if code in tree else code for code in codes)
    named = names if len(names) <= _NAMED + 1 else names[:_NAMED]
    return Places(everywhere=False, names=named, more=len(names) - len(named))


def text_of(content: Content, lang: Literal["vi", "en"]) -> tuple[Text, Literal["vi", "en"]]:
    """The text in the language, or in Vietnamese, and which it is."""
    return content.text(lang), lang if lang in content.texts else "vi"


def language_name(tag: str) -> str:
    """The name of a language in itself; its tag where Babel knows none."""
    try:
        return Locale.parse(tag, sep="-").get_display_name() or tag
    except (UnknownLocaleError, ValueError):
        return tag


def bar(totals: Totals) -> tuple[Segment, ...]:
    """Accepted, by topic, failed and still to come, in parts of the audience."""
    if not totals.audience:
        return ()
    failed = totals.refused + totals.dead
    other = totals.gone + totals.expired + totals.superseded
    parts = (
        ("ok", totals.accepted),
        ("topic", totals.by_topic),
        ("other", other),
        ("failed", failed),
        ("open", max(0, totals.in_flight)),
    )
    return tuple(_segments(parts, totals.audience))


def _segments(parts: Iterable[tuple[str, int]], whole: int) -> Iterable[Segment]:
    start = 0.0
    for kind, count in parts:
        width = round(100 * count / whole, 2)
        if count:
            yield Segment(kind, round(start, 2), width)
        start += width
