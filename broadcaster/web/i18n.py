"""Vietnamese first, English second. Templates are written in Vietnamese; locale/en.po translates."""

import io
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal

from babel.dates import format_date, format_datetime, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.support import NullTranslations, Translations
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from schemas.local_time import HANOI

Lang = Literal["vi", "en"]
LANGS: tuple[Lang, ...] = ("vi", "en")
COOKIE = "lang"

_YEAR = 365 * 24 * 3600
_PATTERNS = {"vi": "HH:mm, dd/MM/y", "en": "HH:mm, d MMM y"}
_current: ContextVar[Lang] = ContextVar("lang", default="vi")


@cache
def translations(lang: Lang) -> NullTranslations:
    """The catalogue of a language; what the templates say themselves, for Vietnamese."""
    if lang == "vi":
        return NullTranslations()
    source = files("broadcaster.web") / "locale" / f"{lang}.po"
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source.read_bytes()), locale=lang))
    compiled.seek(0)
    return Translations(compiled)


@contextmanager
def speaking(lang: Lang) -> Generator[None]:
    """Inside, texts and numbers are of that language."""
    token = _current.set(lang)
    try:
        yield
    finally:
        _current.reset(token)


def language() -> Lang:
    """The one being spoken."""
    return _current.get()


def gettext(message: str) -> str:
    """The message in the language being spoken."""
    return translations(language()).gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """The message for so many, in the language being spoken."""
    return translations(language()).ngettext(one, many, count)


def words(message: str, **values: object) -> Markup:
    """The message for a page, whose values are escaped: `_` of the templates.

    The extension's own looks it up and makes it anew each time, which was half the time of a long table.
    """
    said = _words(message, language())
    return said % values if values else said


def number(value: float | Decimal) -> str:
    """With the language's grouping: 12.005 or 12,005."""
    return _number(value, language())


def percent(share: float, *, signed: bool = False) -> str:
    """A share of 1 with one digit: 98,5% or 98.5%; `signed` for a change."""
    return _percent(round(share, 3), "+#,##0.0%;-#,##0.0%" if signed else "#,##0.0%", language())


def instant(at: datetime) -> str:
    """Hanoi's clock and calendar."""
    return _instant(at, language())


def last_day(at: datetime) -> str:
    """The day that ends with the instant, where it is a midnight of Hanoi; nothing where it is not."""
    local = at.astimezone(HANOI)
    return "" if local.time() != time() else day(local.date() - timedelta(days=1))


def day(on: date) -> str:
    """A day of the calendar."""
    return format_date(on, _PATTERNS[language()].removeprefix("HH:mm, "), locale=language())


@lru_cache(maxsize=4096)
def _words(message: str, lang: Lang) -> Markup:
    # With values the pattern stays as it is; without any, a doubled percent sign becomes one.
    said = Markup(translations(lang).gettext(message))  # noqa: S704 (a catalogue of our own)
    return said if "%(" in said else said % ()


# Babel takes a tenth of a millisecond for each, and a page of figures says the same ones again and again.
@lru_cache(maxsize=8192)
def _number(value: float | Decimal, lang: Lang) -> str:
    return format_decimal(value, locale=lang)


@lru_cache(maxsize=8192)
def _percent(share: float, pattern: str, lang: Lang) -> str:
    return format_percent(share, pattern, locale=lang)


@lru_cache(maxsize=8192)
def _instant(at: datetime, lang: Lang) -> str:
    return format_datetime(at.astimezone(HANOI), _PATTERNS[lang], locale=lang)


def span(length: timedelta) -> str:
    """In its largest unit: 3 giờ, 2 days. Rounded down, so that nobody waits for what is past."""
    seconds = max(0, int(length.total_seconds()))
    for unit in (86_400, 3_600, 60):
        if seconds >= unit:
            seconds -= seconds % unit
            break
    return format_timedelta(timedelta(seconds=seconds), threshold=1.0, locale=language())


def chosen(request: Request) -> Lang:
    """The language asked for in the address, else the one asked for before, else Vietnamese."""
    for asked in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if asked in LANGS:
            return asked
    return "vi"


def remember(request: Request, response: Response) -> None:
    """Keeps the language asked for in the address."""
    asked = request.query_params.get("lang")
    if asked in LANGS:
        response.set_cookie(
            COOKIE,
            asked,
            max_age=_YEAR,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
