"""Pages for people: home, an alert, and what is shown when something is not there."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from broadcaster.web import home, i18n
from broadcaster.web.copies.terms import ends_at, once_it_is_over, while_it_may_change
from broadcaster.web.problems import KINDS
from broadcaster.web.services import WithServices
from broadcaster.web.templating import page, public_page, render, static_response
from projections.cadence.rule import State

router = APIRouter(include_in_schema=False)

_STATES = {state.value for state in State}


@router.api_route("/", methods=["GET", "HEAD"])
def home_page(services: WithServices, request: Request) -> Response:
    """What is live, what came of it, who is late."""
    lang = i18n.chosen(request)
    asked = request.query_params.get("state")
    state = asked if asked in _STATES else None
    whole = request.query_params.get("all") == "1"

    sight = home.home(services, lang, state, whole=whole)
    open_month = services.ports.cadence_public
    html = render("home.html", lang, path="/", here="home", sight=sight, scorecard=open_month)
    return public_page(request, html, while_it_may_change())


@router.api_route("/alerts/{alert_id}", methods=["GET", "HEAD"])
def alert_page(
    services: WithServices, request: Request, alert_id: Annotated[str, Path(max_length=60)]
) -> Response:
    """One alert, for as long as the log lasts."""
    lang = i18n.chosen(request)
    try:
        found = home.alert(services, UUID(alert_id), lang)
    except ValueError:
        found = None
    if found is None:
        raise HTTPException(404)
    story, sight = found
    over = story.is_over(services.now())
    html = render(
        "alert.html",
        lang,
        path=f"/alerts/{sight.id}",
        here="alert",
        sight=sight,
        story=story,
        over=over,
        at=services.now(),
        renamed=story.alert.issued is not None and story.alert.issued.edition != services.tree().edition,
        address=f"{services.ports.base_url}/alerts/{sight.id}",
    )
    if story.is_ended:
        return public_page(request, html, once_it_is_over())
    # Nobody is shown it as in force by a copy of when it was.
    ends_at(request, sight.expires_at)
    return public_page(request, html, while_it_may_change(sight.left.total_seconds()))


@router.api_route("/static/{digest}/{name}", methods=["GET", "HEAD"])
async def static_file(request: Request, digest: str, name: str) -> Response:
    """Style, scripts and images."""
    found = static_response(request, digest, name)
    if found is None:
        raise HTTPException(404)
    return found


@router.get("/problems/{kind}")
async def problem_page(kind: str) -> Response:
    """What a problem's `type` leads to."""
    if kind not in KINDS:
        raise HTTPException(404)
    return RedirectResponse(f"/docs#problem-{kind}", 303)


def error_page(request: Request, status: int) -> Response:
    """For people, in place of a problem."""
    lang = i18n.chosen(request)
    html = render("error.html", lang, path=request.url.path, here="error", status=status)
    return page(request, html, status)
