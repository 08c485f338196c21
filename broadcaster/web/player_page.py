"""The browser player for televisions: one page, its modules, and a worker that keeps it for outages."""

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.web import i18n
from broadcaster.web.templating import page, render, static_files

router = APIRouter(include_in_schema=False)

POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self';"
    " worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Own modules and own addresses only; the guard leaves it as it is."""


@router.api_route("/screens/player", methods=["GET", "HEAD"])
def player_page(request: Request) -> Response:
    """Shows the feed of the screen whose key is entered there, once."""
    response = page(request, render("player.html", i18n.chosen(request)))
    response.headers["Content-Security-Policy"] = POLICY
    return response


@router.api_route("/screens/sw.js", methods=["GET", "HEAD"])
async def player_worker() -> Response:
    """Its address is its scope: the player's pages and no others."""
    found = static_files().get("player_sw.js")
    if found is None:
        raise HTTPException(404)
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": POLICY}
    return Response(found.body, media_type=found.media_type, headers=headers)
