"""What a phone without the app reads: one alert in at most three short messages."""

from bisect import bisect_left
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from channels.gateway import Message
from channels.sms.brand import Rules
from channels.sms.segments import count, plain, unwritable
from schemas.content import HOTLINE, Kind, Language, MsgType

MOST_PARTS = 3
"""What one alert may cost: 459 units of GSM-7, 201 of UCS-2."""


class Words(NamedTuple):
    """The fixed words of a language."""

    alert: str
    bulletin: str
    update: str
    cancel: str
    because: str
    hotline: str


WORDS: dict[Language, Words] = {
    "vi": Words("[CẢNH BÁO]", "[THÔNG TIN]", "CẬP NHẬT", "HỦY", "Lý do", HOTLINE),
    "en": Words("[WARNING]", "[NOTICE]", "UPDATE", "CANCELLED", "Reason", "1022 ext. 8"),
}


class Pieces(NamedTuple):
    """A message's pieces; `news` gives way to the others where there is no room for all."""

    start: str
    news: str
    advice: str
    end: str

    def __str__(self) -> str:
        return " ".join(filter(None, self))


NO_RULES = Rules()


def render(message: Message, locale: str, accented: bool = False, rules: Rules = NO_RULES) -> str:
    """The text for a reader of the locale, at most MOST_PARTS messages long; unaccented unless asked.

    The author's own `sms_text` comes before what is derived. Where it would be cut only because of
    its marks, it goes out whole without them. A script that has no unaccented form goes out as it is.
    """
    language = language_of(message, locale)
    pieces = Pieces(*map(rules.cleaned, _pieces(message, language)))
    if rules.opening:
        pieces = pieces._replace(start=f"{rules.opening} {pieces.start}")
    fits = partial(_fits, reserved=rules.reserved)
    if language not in WORDS and unwritable(str(pieces)):
        return _fitted(pieces, fits)
    if not (accented and fits(f"{pieces.start} {pieces.end}".strip())):
        pieces = Pieces(*(rules.cleaned(plain(piece)) for piece in pieces))
    return _fitted(pieces, fits)


def whole(message: Message, locale: str) -> str:
    """The text before anything is cut or unaccented: what a limit is measured on."""
    return str(_pieces(message, language_of(message, locale)))


def language_of(message: Message, locale: str) -> Language:
    """What was written for the reader's locale; else Vietnamese.

    Who reads English is told so much in English as our own words can say, whatever was written.
    """
    written = message.content.language(locale)
    return "en" if written == "vi" and locale[:2].lower() == "en" else written


def _pieces(message: Message, language: Language) -> Pieces:
    words, text = WORDS.get(language, WORDS["en"]), message.content.text(language)
    mark = message.content.mode.mark(language)
    label = words.alert if message.content.kind is Kind.ALERT else words.bulletin
    start = _sentence(f"{label} {text.headline}")
    end = f"{message.issuer_name}, {message.content.contact or words.hotline}"
    if message.msg_type is MsgType.CANCEL:
        # A withdrawal says what and why; the warning's own words would read as the warning again.
        why = _sentence(f"{words.because}: {message.reason}") if message.reason else ""
        return Pieces(f"{mark}{words.cancel}: {start}", why, "", end)
    prefix = mark + (f"{words.update}: " if message.msg_type is MsgType.UPDATE else "")
    if text.sms_text:
        return Pieces(prefix + text.sms_text, "", "", "")
    return Pieces(prefix + start, _sentence(text.description), _sentence(text.instruction or ""), end)


Fits = Callable[[str], bool]


def _fitted(pieces: Pieces, fits: Fits) -> str:
    """The whole if it fits; else with less news, then less advice, then cut where it must be."""
    for piece in ("news", "advice"):
        if fits(str(pieces)):
            break
        cut = _cut(
            getattr(pieces, piece),
            lambda kept, pieces=pieces, piece=piece: pieces._replace(**{piece: kept}),
            fits,
        )
        pieces = pieces._replace(**{piece: cut})
    return _cut(str(pieces), str, fits) or _hard_cut(str(pieces), fits)


def _cut(text: str, placed: Callable[[str], object], fits: Fits) -> str:
    """As many of the text's words as fit where it is placed, with dots if some are left out."""
    if fits(str(placed(text))):
        return text
    words = text.split()

    def kept(n: int) -> str:
        return f"{' '.join(words[:n]).rstrip(' ,;:.-')}..." if n else ""

    most = bisect_left(range(1, len(words)), True, key=lambda n: not fits(str(placed(kept(n)))))
    return kept(most)


def _hard_cut(text: str, fits: Fits) -> str:
    """A text without a place to cut: its beginning, for something must be said."""
    return text[: bisect_left(range(1, len(text)), True, key=lambda n: not fits(text[:n]))]


def _fits(text: str, reserved: int = 0) -> bool:
    # What the carrier adds counts in the alphabet of the text.
    return count(text + "." * reserved).parts <= MOST_PARTS


def _sentence(text: str) -> str:
    """One line that ends as a sentence does."""
    line = " ".join(text.split())
    return line if not line or line[-1] in ".!?…" else f"{line}."
