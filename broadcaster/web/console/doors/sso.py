"""Signing in by the city's identity provider, where the operator set one; linking an account to it."""

from datetime import timedelta

import structlog
from fastapi import APIRouter, Depends, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from broadcaster.accounts.oidc import Attempt, Identity, Oidc, OidcError
from broadcaster.accounts.oidc_links import ENDS_AFTER, Kept
from broadcaster.web.console import visitor as visitors
from broadcaster.web.console.doors.account import account_with, knows
from broadcaster.web.console.doors.sign_in import drop, safe_next
from broadcaster.web.console.doors.turns import turn
from broadcaster.web.console.form import BoundForm
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.visitor import HOME, SIGN_IN, WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.services import Services, WithServices

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/console", include_in_schema=False)

_BACK = "/console/sso/callback"
_LONG_AGO = timedelta(days=1)


@router.get("/sso", dependencies=[Depends(turn)])
def begin(request: Request, services: WithServices) -> Response:
    """To the provider, to sign in."""
    back = safe_next(request.query_params.get("next", ""))
    try:
        attempt = _provider(services).begin(_redirect_uri(services))
    except OidcError as error:
        return _failed(request, services, error.code)
    response = RedirectResponse(attempt.url, 303, {"Cache-Control": "no-store"})
    _bind(services, response, attempt, None, back)
    return response


@router.get("/sso/callback", dependencies=[Depends(turn)])
def callback(request: Request, services: WithServices) -> Response:
    """Back from the provider: a session for the account that is linked, or the link that was wanted."""
    provider, desk, now = _provider(services), services.ports.desk, services.now()
    kept = desk.links.take(request.cookies.get(_cookie(services), ""), now)
    if kept is None:
        return _failed(request, services, "state")
    attempt = Attempt("", kept.state, kept.nonce, kept.verifier)
    try:
        identity = provider.finish(attempt, _redirect_uri(services), str(request.url), now)
    except OidcError as error:
        return _failed(request, services, error.code)
    if kept.account is not None:
        return _link(request, services, identity, kept.account)
    account = desk.links.account_of(identity.issuer, identity.subject)
    if account is None:
        return _failed(request, services, "unlinked")
    drop(services, request)
    # A second factor that the provider vouches for is as fresh as it says; else the next step wants ours.
    proved_at = identity.proved_at or now - _LONG_AGO
    agent = request.headers.get("user-agent", "").replace("\x00", "")
    response = go(safe_next(kept.back))
    token = desk.sessions.open(account, agent, now, fresh_at=proved_at)
    visitors.remember(services, response, token)
    _unbind(services, response)
    return response


@router.post("/account/sso/link")
def link(request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm) -> Response:
    """Wants a link: the password and a fresh second factor; then a page that leads to the provider.

    A page, since the policy on forms lets none be sent on to another host.
    """
    provider = _provider(services)
    fault = knows(services, visitor, form)
    if fault is not None:
        return account_with(request, services, visitor, faults=(fault,))
    try:
        attempt = provider.begin(_redirect_uri(services))
    except OidcError:
        return account_with(request, services, visitor, faults=(Fault("", "sso-unreachable"),))
    response = account_with(request, services, visitor, leads_to=attempt.url)
    _bind(services, response, attempt, visitor.name, HOME)
    return response


@router.post("/account/sso/unlink")
def unlink(services: WithServices, visitor: WithVisitor, form: BoundForm) -> Response:
    """Ends one's own link."""
    del form
    services.ports.desk.links.unlink(_provider(services).settings.issuer, visitor.name, services.now())
    return go("/console/account")


def _link(request: Request, services: Services, identity: Identity, account: str) -> Response:
    visitor = visitors.find(services, request)
    # Who began it is who is still here: nobody's account gets a link while someone else is signed in.
    if visitor is None or visitor.name != account:
        return _failed(request, services, "state")
    made = services.ports.desk.links.link(identity.issuer, identity.subject, account, services.now())
    if not made:
        return account_with(request, services, visitor, faults=(Fault("", "sso-taken"),))
    return account_with(request, services, visitor, done="linked")


def _provider(services: Services) -> Oidc:
    if services.ports.oidc is None:
        raise HTTPException(404)
    return services.ports.oidc


def _redirect_uri(services: Services) -> str:
    return f"{services.ports.base_url}{_BACK}"


def _cookie(services: Services) -> str:
    return "__Host-sso" if visitors.is_secure(services) else "sso"


def _bind(services: Services, response: Response, attempt: Attempt, account: str | None, back: str) -> None:
    kept = Kept(attempt.state, attempt.nonce, attempt.verifier, account, back)
    response.set_cookie(
        _cookie(services),
        services.ports.desk.links.keep(kept, services.now()),
        max_age=int(ENDS_AFTER.total_seconds()),
        path="/",
        secure=visitors.is_secure(services),
        httponly=True,
        samesite="lax",
    )


def _unbind(services: Services, response: Response) -> None:
    response.delete_cookie(
        _cookie(services), path="/", secure=visitors.is_secure(services), httponly=True, samesite="lax"
    )


def _failed(request: Request, services: Services, code: str) -> Response:
    log.warning("sso_refused", code=code)
    response = show(request, None, "sso-failed.html", here="sign-in", path=SIGN_IN, status=422, error=code)
    _unbind(services, response)
    return response
