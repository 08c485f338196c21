"""Every text of the pages has its English."""

import io
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from broadcaster.web import i18n

WEB = files("broadcaster.web")


def written() -> set[str | tuple[str, ...]]:
    """Every message of the templates."""
    options = {
        "trim_blocks": "true",
        "lstrip_blocks": "true",
        "newstyle_gettext": "true",
        "silent": "false",
    }
    found: set[Any] = set()
    templates = [WEB / "templates", WEB / "templates" / "console"]
    for template in (file for folder in templates for file in folder.iterdir() if file.is_file()):
        source = io.BytesIO(template.read_bytes())
        # Babel's type of an extractor and Jinja's function differ in name only.
        method: Any = babel_extract
        found |= {message for _, message, _, _ in extract(method, source, options=options)}
    return found


def as_key(message: Any) -> str | tuple[str, ...]:
    return message if isinstance(message, str) else tuple(message)


@pytest.fixture(name="english", scope="module")
def _english() -> Catalog:
    return read_po(io.BytesIO((WEB / "locale" / "en.po").read_bytes()), locale="en")


def test_nothing_is_missing_or_left_over(english: Catalog) -> None:
    translated: set[Any] = {as_key(message.id) for message in english if message.id}
    assert written() - translated == set()
    assert translated - written() == set()


def test_nothing_is_empty_or_fuzzy(english: Catalog) -> None:
    for message in english:
        if not message.id:
            continue
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(texts), message.id
        assert not message.fuzzy, message.id
        assert list(message.check(english)) == [], message.id


def test_numbers_times_and_plurals() -> None:
    at = datetime(2026, 11, 21, 15, 5, tzinfo=UTC)
    more = "và %(count)s nơi khác"
    with i18n.speaking("vi"):
        assert (i18n.number(12005), i18n.instant(at)) == ("12.005", "22:05, 21/11/2026")
        assert i18n.span(timedelta(hours=3, minutes=59)) == "3 giờ"
        assert i18n.ngettext(more, more, 1) == more
    with i18n.speaking("en"):
        assert (i18n.number(12005), i18n.instant(at)) == ("12,005", "22:05, 21 Nov 2026")
        assert [i18n.span(timedelta(seconds=n)) for n in (59, 60, 86_399, 86_400)] == [
            "59 seconds",
            "1 minute",
            "23 hours",
            "1 day",
        ]
        assert i18n.ngettext(more, more, 1) == "and %(count)s other place"
        assert i18n.ngettext(more, more, 2) == "and %(count)s other places"
    assert i18n.language() == "vi"


def test_a_midnight_is_the_end_of_the_day_before() -> None:
    midnight = datetime(2026, 11, 25, 17, tzinfo=UTC)
    assert i18n.last_day(midnight) == "25/11/2026"
    assert i18n.last_day(midnight + timedelta(minutes=1)) == ""
    with i18n.speaking("en"):
        assert i18n.last_day(midnight) == "25 Nov 2026"
