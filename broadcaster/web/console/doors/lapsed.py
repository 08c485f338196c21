"""When a form comes and its session has ended: nothing is done, and nothing that was typed is lost."""

from typing import Any, cast

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from broadcaster.accounts.store import State
from broadcaster.web.console import trouble, visitor
from broadcaster.web.console.doors import keeping
from broadcaster.web.console.doors.keeping import Kept
from broadcaster.web.console.doors.kept import KEPT, again
from broadcaster.web.console.doors.sign_in import asked_again
from broadcaster.web.console.form import StaleFormError, shown_to, unbound
from broadcaster.web.handlers import wants_page
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services

CLOSED = 410
"""What a script is told where signing in again will not do (draft.js)."""


async def signed_out(request: Request, error: Exception) -> Response:
    """To the sign-in page; in answer to a form of ours that page itself, carrying what was typed."""
    del error
    services: Services = request.app.state.services
    if request.method == "POST" and wants_page(request):
        try:
            form = await unbound(request)
        except ProblemError:
            return visitor.to_sign_in(request)  # Another site's: it plants nothing here.
        if request.url.path == KEPT:
            kept = keeping.carried(services, form)
        else:
            kept = keeping.of(services, request, form)
        if kept is not None:
            return await run_in_threadpool(_asked, request, services, kept)
    elif request.method == "POST" and await run_in_threadpool(_is_closed, services, await _shown(request)):
        return Response(status_code=CLOSED)
    # A script keeps what was typed on its own page, and only wants to know that nobody is signed in.
    return visitor.to_sign_in(request)


async def stale(request: Request, error: Exception) -> Response:
    """Of who signed in anew elsewhere meanwhile: refused, and the form once more with what was typed."""
    found = cast("StaleFormError", error)
    services: Services = request.app.state.services
    kept = keeping.of(services, request, found.form, by=found.visitor.name) if wants_page(request) else None
    if kept is None:
        handle: Any = request.app.exception_handlers[ProblemError]
        return await handle(request, error)
    response = await run_in_threadpool(again, request, services, found.visitor, kept)
    if response.status_code == 200:  # noqa: PLR2004
        response.status_code = 403
    return response


def _asked(request: Request, services: Services, kept: Kept) -> Response:
    # Who cannot sign in any more is told so, with what was typed: it was on this very page a moment ago.
    if _is_closed(services, kept.account):
        return trouble.page(request, services, None, "closed", kept, status=403)
    return asked_again(request, services, kept)


async def _shown(request: Request) -> str | None:
    try:
        return shown_to(request.app.state.services, await unbound(request))
    except ProblemError:
        return None


def _is_closed(services: Services, account: str | None) -> bool:
    return account is not None and services.ports.desk.accounts.state(account) is State.CLOSED
