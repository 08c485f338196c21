"""The one stream of what changes, for a whole browser; its tabs pick what is theirs."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response, StreamingResponse

from broadcaster.accounts.sessions import Session
from broadcaster.web.console.visitor import SignInRequiredError, Visitor, cookie
from broadcaster.web.live.sight import Scope, scope_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import WithServices

router = APIRouter(prefix="/console", include_in_schema=False)

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""A proxy that gathered the stream before passing it on would make it useless."""


def watching(request: Request, services: WithServices) -> Session:
    """The session that asks, which does not count as used. Raises SignInRequiredError."""
    token = request.cookies.get(cookie(services), "")
    if token:
        with services.reading() as conn:
            found = services.ports.desk.sessions.peek(conn, token, services.now())
        if found is not None:
            return found
    raise SignInRequiredError


def watching_visitor(
    request: Request, services: WithServices, session: Annotated[Session, Depends(watching)]
) -> Visitor:
    """Who is signed in, for what a page asks for by itself: that does not count as use either."""
    fresh = services.ports.desk.sessions.is_fresh(session, services.now())
    token = request.cookies.get(cookie(services), "")
    return Visitor(session, token, services.account(session.account), fresh)


WatchingVisitor = Annotated[Visitor, Depends(watching_visitor)]


def bodies(services: WithServices, session: Annotated[Session, Depends(watching)]) -> Scope:
    """The bodies for which its account holds a role."""
    return scope_of(services.account(session.account))


@router.get("/live")
async def live_stream(
    services: WithServices,
    session: Annotated[Session, Depends(watching)],
    scope: Annotated[Scope, Depends(bodies)],
) -> Response:
    """Server-sent events: `alerts`, `mine`, and `end` with the reason why."""
    if services.hub.is_full:
        raise ProblemError("unavailable", headers={"Retry-After": "30"})
    frames = services.hub.frames(session.id, session.account, scope)
    return StreamingResponse(frames, media_type="text/event-stream", headers=_HEADERS)
