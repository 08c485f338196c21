"""The visitor's own account: roles, where it is signed in, password, authenticator, recovery codes."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.accounts import codes, throttle
from broadcaster.accounts.store import AccountError
from broadcaster.web.console import second_factor
from broadcaster.web.console import visitor as visitors
from broadcaster.web.console.doors.agents import agent_name
from broadcaster.web.console.form import BoundForm, Form
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.screens.history import MOST, Line, named
from broadcaster.web.console.visitor import SIGN_IN, Visitor, WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.services import Services, WithServices
from projections.audit import view as audit

router = APIRouter(prefix="/console/account", include_in_schema=False)


@router.get("")
def account_page(request: Request, services: WithServices, visitor: WithVisitor) -> Response:
    """Roles, sessions, and the ways to sign in."""
    return account_with(request, services, visitor)


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


@router.post("/sessions/revoke-others")
def revoke_others(services: WithServices, visitor: WithVisitor, form: BoundForm) -> Response:
    """Ends every other session of one's own."""
    del form
    services.ports.desk.sessions.revoke_others(visitor.name, visitor.session.id)
    return go("/console/account")


@router.post("/password")
def password(request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm) -> Response:
    """Another password: the former one and a fresh second factor; every other session ends."""
    fault = knows(services, visitor, form)
    if fault is None:
        try:
            services.ports.desk.accounts.set_password(
                visitor.name, _typed(form, "password"), visitor.name, services.now()
            )
        except AccountError as error:
            fault = Fault("password", f"password-{error.code}")
    if fault is not None:
        return account_with(request, services, visitor, faults=(fault,))
    services.ports.desk.sessions.revoke_others(visitor.name, visitor.session.id)
    return account_with(request, services, visitor, done="password")


@router.post("/recovery")
def recovery(request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm) -> Response:
    """New recovery codes, shown this once; the former ones end."""
    wrong = second_factor.fault(services, visitor, form)
    if wrong:
        return account_with(request, services, visitor, faults=(Fault("code", f"code-{wrong}"),))
    made = services.ports.desk.accounts.recovery.renew(visitor.name, services.now())
    return account_with(request, services, visitor, recovery=made)


@router.post("/authenticator")
def authenticator(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm
) -> Response:
    """Begins another authenticator: the password and a fresh second factor, if by a recovery code."""
    fault = knows(services, visitor, form)
    if fault is not None:
        return account_with(request, services, visitor, faults=(fault,))
    return account_with(
        request, services, visitor, secret=services.ports.desk.accounts.begin_secret(visitor.name)
    )


@router.post("/authenticator/confirm")
def confirm_authenticator(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm
) -> Response:
    """Takes the new authenticator once it shows the right code; every other session ends."""
    desk, now = services.ports.desk, services.now()
    secret = desk.accounts.next_secret(visitor.name)
    if secret is None or not visitor.is_fresh:
        return go("/console/account")
    subjects = throttle.of_code(visitor.name)
    if desk.throttle.enter(subjects, now) is not None:
        return account_with(request, services, visitor, faults=(Fault("code", "code-wait"),), secret=secret)
    if not desk.accounts.take_secret(visitor.name, form.one("new_code"), now):
        return account_with(
            request, services, visitor, faults=(Fault("code", "code-wrong"),), secret=secret
        )
    desk.throttle.forgive(subjects)
    desk.sessions.revoke_others(visitor.name, visitor.session.id)
    return account_with(request, services, visitor, done="authenticator")


def _typed(form: Form, name: str) -> str:
    # A space may be meant in a password; `one` would take it away.
    return next(iter(form.all(name)), "")


def knows(services: Services, visitor: Visitor, form: Form) -> Fault | None:
    """What is wrong with the second factor or the present password; a guess of either is counted."""
    wrong = second_factor.fault(services, visitor, form)
    if wrong:
        return Fault("code", f"code-{wrong}")
    desk, now = services.ports.desk, services.now()
    subjects = throttle.of_password(visitor.name)
    if desk.throttle.enter(subjects, now) is not None:
        return Fault("former", "code-wait")
    if not desk.accounts.knows_password(visitor.name, _typed(form, "former")):
        return Fault("former", "former")
    desk.throttle.forgive(subjects)
    return None


def account_with(
    request: Request,
    services: Services,
    visitor: Visitor,
    *,
    faults: tuple[Fault, ...] = (),
    secret: str = "",
    done: str = "",
    recovery: Sequence[str] = (),
    leads_to: str = "",
) -> Response:
    """The page, also after a form of it was wrong or done."""
    name, desk, oidc = services.directory.body_name, services.ports.desk, services.ports.oidc
    return show(
        request,
        visitor,
        "account.html",
        here="account",
        path="/console/account",
        status=422 if faults else 200,
        roles=[(name(body), role) for body, role in sorted(visitor.account.roles)],
        sessions=desk.sessions.of(visitor.name, services.now()),
        agent_name=agent_name,
        codes_left=desk.accounts.recovery.left(visitor.name),
        past=_past(services, visitor.name),
        faults=faults,
        secret=secret,
        address=codes.address(secret, visitor.name) if secret else "",
        done=done,
        recovery=recovery,
        leads_to=leads_to,
        sso=oidc and oidc.settings.name,
        is_linked=bool(oidc and desk.links.is_linked(oidc.settings.issuer, visitor.name)),
    )


def _past(services: Services, account: str) -> list[Line]:
    """What was done to the account, the last first: so that its owner sees what he did not do."""
    with services.reading() as conn:
        return named(services, conn, audit.of_account(conn, account, MOST))
