"""Which addresses are answered from a copy, and what of an address counts.

A link is passed on with marks of those who passed it (fbclid, utm_source); they make no other page.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from broadcaster.web import i18n

_LONGEST = 400
"""Bytes of an address that is looked at; nobody of ours is given a longer one."""
_FIELDS = 40
_UUID = "[0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}"
_ALERT = re.compile(f"/alerts/({_UUID})")
_CAP = re.compile(rf"/v1/alerts/({_UUID})\.cap")
_LIST = {"when", "area", "before", "lang"}
_FOR_GOOD = 86_400.0


class Kind(NamedTuple):
    """Pages that are kept alike."""

    name: str
    """To count by."""
    seconds: float
    """So long at most one copy is given out, whatever is heard: names and figures move by themselves."""
    fields: frozenset[str] = frozenset()
    """Of the query, those that count."""
    in_languages: bool = True
    """Whether the reader's cookie chooses the language."""
    moves: bool = True
    """Whether news of alerts ends a copy; files of the program do not change while it runs."""


class Ask(NamedTuple):
    """An address, as far as it counts."""

    kind: Kind
    path: str
    query: str
    lang: str
    """The language that the address itself asks for; it is remembered in the reader's cookie."""
    alert: UUID | None = None
    """The alert that must exist for there to be an answer."""

    @property
    def is_common(self) -> bool:
        """Whether there are no more such addresses than there are alerts and files."""
        return not self.query or self.kind.name in {"home", "alert", "statement"}


_LANG = frozenset({"lang"})
_HOME = Kind("home", 2.0, frozenset({"state", "all", "lang"}))
_ONE = Kind("alert", 5.0, _LANG)
_MANY = Kind("alerts", 5.0, frozenset(_LIST))
_MINE = Kind("mine", 2.0, frozenset({"area", "lang"}))
_CAP_FILE = Kind("cap", 5.0, frozenset({"version"}), in_languages=False)
_FEED = Kind("feed", 5.0, in_languages=False)
_FILE = Kind("file", _FOR_GOOD, in_languages=False, moves=False)
_APP = Kind("app", 60.0, in_languages=False, moves=False)
_FEEDS = frozenset(
    f"/v1/feeds/{name}" for name in ("cap.atom", "alerts.rss", "alerts.json", "alerts.geojson")
)
_KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "/": _HOME,
        "/alerts": _MANY,
        "/accessibility": Kind("statement", 60.0, _LANG, moves=False),
        "/my/alerts.json": _MINE,
        "/manifest.webmanifest": _APP,
        "/sw.js": _APP,
    }
    | dict.fromkeys(_FEEDS, _FEED)
)
_FILES = ("/static/", "/icons/", "/my/offline/")


@lru_cache(maxsize=4096)
def ask_of(target: bytes) -> Ask | None:
    """What is asked for; None where that is not kept. `target` is of origin form, as it was sent."""
    if len(target) > _LONGEST or not target.startswith(b"/") or not target.isascii():
        return None
    path, _, query = target.decode().partition("?")
    if "%" in path or "#" in query:
        return None
    found = _kind_of(path)
    if found is None:
        return None
    kind, path, alert = found
    if kind is _FEED or kind is _APP:
        # They say themselves what is wrong with what they are asked.
        return Ask(kind, path, query, "")
    try:
        given = parse_qsl(query, keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        return None
    if kind is _MANY and any(name in {"place", "words"} and value for name, value in given):
        return None  # Words are without number.
    return _asked(kind, path, given, alert)


def _asked(kind: Kind, path: str, given: list[tuple[str, str]], alert: UUID | None) -> Ask | None:
    lang = next((value for name, value in reversed(given) if name == "lang"), "")
    if lang not in i18n.LANGS:
        lang = ""
    if kind is _MINE:
        areas = [("area", value) for name, value in given if name == "area"]
        if not areas:
            return None  # Those of the reader's cookie.
        counted = areas
    else:
        last = dict(given)
        counted = [(name, last[name]) for name in sorted(kind.fields - {"lang"}) if name in last]
    if lang:
        counted.append(("lang", lang))
    return Ask(kind, path, urlencode(counted), lang, alert)


def _kind_of(path: str) -> tuple[Kind, str, UUID | None] | None:
    if (kind := _KINDS.get(path)) is not None:
        return kind, path, None
    if (match := _ALERT.fullmatch(path)) is not None:
        alert = UUID(match[1])
        return _ONE, f"/alerts/{alert}", alert
    if (match := _CAP.fullmatch(path)) is not None:
        alert = UUID(match[1])
        return _CAP_FILE, f"/v1/alerts/{alert}.cap", alert
    if path.startswith(_FILES):
        return (_APP if path.startswith("/my/") else _FILE), path, None
    return None


def language_of(cookies: bytes) -> str:
    """The language that a reader chose before; empty where there is none."""
    if b"lang=" not in cookies:
        return ""
    chosen = ""
    for part in cookies.split(b";"):
        name, _, value = part.strip().partition(b"=")
        if name.strip() == i18n.COOKIE.encode():
            chosen = value.strip().strip(b'"').decode("latin-1")
    return chosen if chosen in i18n.LANGS else ""
