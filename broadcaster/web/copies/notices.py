"""Answers that need nothing but their words: there is no such page, and everyone is asking at once."""

from functools import cache

from broadcaster.web import i18n
from broadcaster.web.edge.wire import Header
from broadcaster.web.guard import outgoing
from broadcaster.web.problems import problem
from broadcaster.web.templating import render

_KINDS = {404: "not-found", 503: "unavailable"}


@cache
def notice(status: int, lang: str, *, for_people: bool) -> tuple[list[Header], bytes]:
    """Headers and body; of 404 or 503. No cache keeps them: the next moment there may be such a page."""
    if for_people:
        speaks: i18n.Lang = "en" if lang == "en" else "vi"
        body = render("error.html", speaks, path="/", here="error", status=status).encode()
        given = [(b"content-type", b"text/html; charset=utf-8"), (b"vary", b"Cookie")]
    else:
        made = problem(_KINDS[status])
        body = bytes(made.body)
        given = [each for each in made.raw_headers if each[0] != b"content-length"]
    given.append((b"content-length", str(len(body)).encode()))
    return outgoing("/", given), body
