"""What every page of the console stands in: navigation, who is signed in, exercise or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from broadcaster.account import Role
from broadcaster.web import i18n
from broadcaster.web.console.form import POSTED, Posted, masked
from broadcaster.web.console.pending import pending
from broadcaster.web.console.refill import refilled
from broadcaster.web.console.visitor import Visitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.monitoring.soundness import manages_city
from broadcaster.web.services import Services
from broadcaster.web.templating import compressed, environment, page, render
from schemas.content import Mode

REFUSED = 400
"""From this status on nothing was done."""


@dataclass(frozen=True)
class Place:
    """An entry of the navigation; its words are in console/base.html."""

    here: str
    path: str
    roles: tuple[Role, ...] = ()
    """Who sees it; everyone where empty."""
    city: bool = False
    """Only who holds it for the body of the whole city."""


# A new page adds its line here, and its words to `menu_word` in templates/console/base.html.
MENU: Sequence[Place] = (
    Place("home", "/console"),
    Place("compose", "/console/compose", (Role.AUTHOR,)),
    Place("alerts", "/console/alerts"),
    Place("people", "/console/people", (Role.MANAGER,)),
    Place("cadence", "/console/cadence"),
    Place("reach", "/console/reach"),
    Place("templates", "/console/templates"),
    Place("bodies", "/console/bodies"),
    Place("dead-letters", "/console/dead-letters", (Role.MANAGER,)),
    Place("screens", "/console/screens"),
    Place("audit", "/console/audit", (Role.AUDITOR,)),
    Place("system", "/console/system", (Role.MANAGER,), city=True),
)


def menu(services: Services, visitor: Visitor) -> list[Place]:
    """The entries that the visitor sees."""
    mine = [place for place in MENU if not place.roles or visitor.bodies(*place.roles)]
    return [place for place in mine if not place.city or manages_city(services, visitor.account)]


def show(
    request: Request,
    visitor: Visitor | None,
    template: str,
    *,
    here: str,
    status: int = 200,
    path: str | None = None,
    mode: Mode = Mode.ACTUAL,
    faults: Sequence[Fault] = (),
    fills_in: bool = False,
    **values: Any,
) -> Response:
    """A page. `path` is where its GET is, for a page that answers a POST.

    A form that was posted stands in it as it was posted, and `faults` at its fields; unless the page fills
    in its own.
    """
    lang = i18n.chosen(request)
    html = render(
        f"console/{template}",
        lang,
        path=path or request.url.path,
        here=here,
        menu=menu(request.app.state.services, visitor) if visitor else [],
        # The first page shows each of them, and keeps itself up to date.
        pending=pending(request.app.state.services, visitor) if visitor and here != "home" else 0,
        visitor=visitor,
        csrf=masked(request.app.state.services, visitor) if visitor else "",
        kept=getattr(request.state, "kept", False),
        mode=mode,
        faults=faults,
        **values,
    )
    posted: Posted | None = getattr(request.state, POSTED, None)
    if posted is not None and not fills_in and (status >= REFUSED or posted.kept):
        html = refilled(html, posted.path, posted.form, _worded(faults, lang))
    answer = page(request, html, status)
    answer.headers["Cache-Control"] = "no-store"
    return compressed(request, answer)


def _worded(faults: Sequence[Fault], lang: i18n.Lang) -> list[tuple[str, str]]:
    word: Any = environment().get_template("console/faults.html").module
    with i18n.speaking(lang):
        return [(each.field, str(word.word(each)).strip()) for each in faults if each.field]


def fragment(request: Request, template: str, **values: Any) -> Response:
    """A part of a page, for a script that puts it in its place."""
    answer = Response(
        render(f"console/{template}", i18n.chosen(request), **values),
        media_type="text/html; charset=utf-8",
        headers={"Cache-Control": "no-store"},
    )
    return compressed(request, answer)


def go(path: str) -> Response:
    """On to a page, after a form: a reload then posts nothing again."""
    return RedirectResponse(path, 303, {"Cache-Control": "no-store"})
