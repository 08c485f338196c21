"""What the console answers where it could not do what was asked: what happened, and what was typed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from fastapi import Request
from psycopg_pool import PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from broadcaster.log import ConflictError
from broadcaster.rules import RefusedError, Rule
from broadcaster.web import pages
from broadcaster.web.console.doors import keeping
from broadcaster.web.console.doors.keeping import Kept
from broadcaster.web.console.form import POSTED, Form, Posted, unbound
from broadcaster.web.console.frame import show
from broadcaster.web.console.visitor import HOME, Visitor, find, page_behind
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services
from projections.audit import view as audit

_CONSOLE = "/console"
_MISSING = frozenset({Rule.ROLE, Rule.BODY})
_LATEST = 3
"""Roles taken away that are told of."""
BUSY = UNEXPECTED = 500
"""From this status on it is we who could not."""


@dataclass(frozen=True)
class Ended:
    """A role that was taken from the visitor."""

    at: datetime
    by: str
    vi: str
    en: str


async def answer(request: Request, status: int, error: Exception) -> Response:
    """A page for people; of the console with all that was typed."""
    if not request.url.path.startswith(_CONSOLE):
        return await run_in_threadpool(pages.error_page, request, status)
    posted: Posted | None = getattr(request.state, POSTED, None)
    form = posted and posted.form
    # What broke in our own hands has been read; its body is not there a second time.
    if form is None and request.method == "POST" and status != UNEXPECTED:
        try:
            form = await unbound(request)
        except ProblemError:
            form = None  # Another site's: none of it is shown as if it were the visitor's.
    return await run_in_threadpool(_answer, request, status, error, form)


def _answer(request: Request, status: int, error: Exception, form: Form | None) -> Response:
    services: Services = request.app.state.services
    visitor, ended = _known(services, request, status, error)
    kept = keeping.of(services, request, form) if form is not None else None
    if kept is not None and visitor is not None and kept.account != visitor.name:
        kept = None
    return page(request, services, visitor, case_of(status, error), kept, status=status, ended=ended)


def case_of(status: int, error: Exception) -> str:
    """What happened, as trouble.html names it."""
    if isinstance(error, RefusedError):
        return "role" if error.rule in _MISSING else error.rule.value
    if isinstance(error, ConflictError):
        return "moved"
    if isinstance(error, ProblemError) and error.kind == "form.foreign":
        return "foreign"
    if status >= BUSY:
        return "busy"
    return {403: "role", 404: "gone", 409: "moved"}.get(status, "unread")


def page(
    request: Request,
    services: Services,
    visitor: Visitor | None,
    case: str,
    kept: Kept | None,
    *,
    status: int,
    ended: Sequence[Ended] = (),
) -> Response:
    """Says it, shows the words, and has them tried again: sealed, for who typed them."""
    return show(
        request,
        visitor,
        "trouble.html",
        here="trouble",
        status=status,
        path=page_behind(request.url.path) or HOME,
        fills_in=True,
        case=case,
        ended=ended,
        rows=kept.rows if kept else [],
        sealed=keeping.seal(services, kept) if kept else "",
        back=page_behind(kept.path if kept else request.url.path) or HOME,
    )


def _known(
    services: Services, request: Request, status: int, error: Exception
) -> tuple[Visitor | None, Sequence[Ended]]:
    """The visitor, and what was taken from it; nobody where the database is away."""
    try:
        visitor = find(services, request)
        if visitor is None or case_of(status, error) != "role":
            return visitor, ()
        with services.reading() as conn:
            return visitor, [Ended(*each) for each in audit.roles_taken(conn, visitor.name, _LATEST)]
    except (psycopg.OperationalError, PoolTimeout):
        return None, ()
