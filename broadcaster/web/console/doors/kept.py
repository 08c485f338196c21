"""Back at a form whose session had ended: shown as it was typed. Nothing is saved or sent by that."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.rules import RefusedError
from broadcaster.web.console import bodies
from broadcaster.web.console.alerts import cancel, compose, left_out, review
from broadcaster.web.console.doors import keeping
from broadcaster.web.console.doors.keeping import LASTS, Kept
from broadcaster.web.console.form import POSTED, Posted, UnboundForm
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.oversight import dead_letters, proof
from broadcaster.web.console.people import keys, people
from broadcaster.web.console.screens import groups as screen_groups
from broadcaster.web.console.screens import overview as screens
from broadcaster.web.console.screens import page as screen_page
from broadcaster.web.console.shelf import area_sets, template_writing, templates
from broadcaster.web.console.visitor import HOME, Visitor, WithVisitor, page_behind
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices

KEPT = "/console/kept"

router = APIRouter(prefix=KEPT, include_in_schema=False)

Restore = Callable[..., Response | None]
"""Takes the request, the services, the visitor, the form and each variable part of its address."""
Page = Callable[..., Response]
"""The same without the form: a page that refill.py fills in."""

_ID = r"([0-9a-f-]{36})"
_BODY = r"([a-z0-9-]+)"
_FORMS: Mapping[str, Restore] = {
    rf"/console/drafts/{_ID}": compose.shown_again,
    rf"/console/alerts/{_ID}/cancel": cancel.shown_again,
    rf"/console/alerts/{_ID}/do/([a-z-]+)": review.shown_again,
    rf"/console/alerts/{_ID}/screens": left_out.shown_again,
    r"/console/templates/write/new": template_writing.new_shown_again,
    rf"/console/templates/{_ID}": template_writing.shown_again,
    rf"/console/templates/{_ID}/use": templates.use_shown_again,
    rf"/console/area-sets(?:/{_ID})?": area_sets.shown_again,
}
"""Forms of pages that must know what was typed."""
_PAGES: Mapping[str, Page] = {
    r"/console/people/(?:invite|grant)": partial(people.people_page, wanted=people.EVERYONE),
    r"/console/keys/ask": keys.keys_page,
    rf"/console/bodies/{_BODY}/(?:contacts|policy|delegations)": bodies.body_page,
    rf"/console/dead-letters/{_ID}": dead_letters.letter_page,
    r"/console/screens": partial(screens.screens_page, wanted=screens.Wanted()),
    rf"/console/screens/{_ID}/(?:place|display)": screen_page.screen_page,
    r"/console/screen-groups": screen_groups.groups_page,
    rf"/console/screen-groups/{_ID}/(?:screens|display)": screen_groups.group_page,
    r"/console/audit/evidence": partial(proof.as_of_page, asked=proof.Asked()),
}
"""Every other form that something is typed into. What has neither line gives its words, to be copied."""


@router.get("")
def back_page(request: Request, visitor: WithVisitor) -> Response:
    """For who signed in in another tab: the text is in the tab before."""
    return show(request, visitor, "kept.html", here="kept", case="elsewhere", rows=(), back=HOME, sealed="")


@router.post("")
def back(request: Request, services: WithServices, visitor: WithVisitor, form: UnboundForm) -> Response:
    """From that tab, signed in elsewhere meanwhile. It changes nothing, so a reload may ask it again."""
    kept = keeping.carried(services, form)
    return go(HOME) if kept is None else again(request, services, visitor, kept)


def again(request: Request, services: Services, visitor: Visitor, kept: Kept) -> Response:
    """The form with what was typed in it, for who typed it and while that may still be written."""
    if kept.account != visitor.name:
        # Still sealed: whoever typed it may sign in after this.
        sealed = keeping.seal(services, kept)
        return _page(request, visitor, kept, "other", sealed=sealed, status=403)
    if services.now() - kept.at > LASTS:
        return _page(request, visitor, kept, "old", status=410)
    request.state.kept = True
    restored = _restored(request, services, visitor, kept)
    if restored is not None:
        return restored
    request.state.kept = False
    return _page(request, visitor, kept, "words")


def _restored(request: Request, services: Services, visitor: Visitor, kept: Kept) -> Response | None:
    setattr(request.state, POSTED, Posted(kept.path, kept.form, kept=True))
    try:
        for pattern, restore in _FORMS.items():
            if found := re.fullmatch(pattern, kept.path):
                return restore(request, services, visitor, kept.form, *_parts(found))
        for pattern, page in _PAGES.items():
            if found := re.fullmatch(pattern, kept.path):
                return page(request, services, visitor, *_parts(found))
    except (RefusedError, HTTPException, ProblemError, ValueError):
        return None  # No longer hers to write, or no longer there: the words are hers all the same.
    return None


def _parts(found: re.Match[str]) -> list[UUID | str | None]:
    return [UUID(part) if part and re.fullmatch(_ID, part) else part for part in found.groups()]


def _page(
    request: Request, visitor: Visitor, kept: Kept, case: str, *, sealed: str = "", status: int = 200
) -> Response:
    return show(
        request,
        visitor,
        "kept.html",
        here="kept",
        status=status,
        path=KEPT,
        case=case,
        rows=kept.rows if case == "words" else [],
        back=page_behind(kept.path) or HOME,
        sealed=sealed,
    )
