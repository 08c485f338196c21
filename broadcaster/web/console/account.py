"""The visitor's own account: its roles, and where it is signed in."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.web.console import visitor as visitors
from broadcaster.web.console.form import BoundForm
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.visitor import SIGN_IN, WithVisitor
from broadcaster.web.services import WithServices

router = APIRouter(prefix="/console/account", include_in_schema=False)


@router.get("")
def account_page(request: Request, services: WithServices, visitor: WithVisitor) -> Response:
    """Roles and sessions."""
    name = services.directory.body_name
    return show(
        request,
        visitor,
        "account.html",
        here="account",
        roles=[(name(body), role) for body, role in sorted(visitor.account.roles)],
        sessions=services.ports.desk.sessions.of(visitor.name, services.now()),
    )


@router.post("/sessions/{session_id}/revoke")
def revoke(
    services: WithServices, visitor: WithVisitor, form: BoundForm, session_id: Annotated[UUID, Path()]
) -> Response:
    """Ends one of one's own sessions."""
    del form
    if not services.ports.desk.sessions.revoke(visitor.name, session_id):
        raise HTTPException(404)
    if session_id != visitor.session.id:
        return go("/console/account")
    response = go(SIGN_IN)
    visitors.forget(services, response)
    return response
