"""How far everyone can use the pages: what was checked and when, what does not work, whom to tell."""

from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from broadcaster.web import i18n
from broadcaster.web.copies.terms import once_it_is_over
from broadcaster.web.templating import public_page, render
from schemas.content import HOTLINE

router = APIRouter(include_in_schema=False)

CHECKED_ON = date(2026, 11, 22)
"""The day someone last went through the list below. It is moved by hand, with the list."""


@router.api_route("/accessibility", methods=["GET", "HEAD"])
def accessibility_page(request: Request) -> Response:
    """The statement."""
    lang = i18n.chosen(request)
    with i18n.speaking(lang):
        checked = i18n.day(CHECKED_ON)
    html = render(
        "accessibility.html",
        lang,
        path="/accessibility",
        here="accessibility",
        checked=checked,
        checked_on=CHECKED_ON,
        contact=HOTLINE,
    )
    return public_page(request, html, once_it_is_over(300))
