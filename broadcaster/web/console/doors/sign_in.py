"""Signing in and out, and taking an invitation."""

from datetime import timedelta
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from broadcaster.accounts import codes, throttle
from broadcaster.accounts.store import AccountError, is_name
from broadcaster.web.console import visitor as visitors
from broadcaster.web.console.doors import keeping
from broadcaster.web.console.doors.keeping import Kept
from broadcaster.web.console.doors.kept import again
from broadcaster.web.console.doors.turns import turn
from broadcaster.web.console.form import BoundForm, UnboundForm
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.visitor import HOME, SIGN_IN, WithVisitor
from broadcaster.web.services import Services, WithServices

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/console", include_in_schema=False)

Token = Annotated[str, Path(max_length=100)]


def safe_next(text: str) -> str:
    """Where to go on: a page of the console, whatever the address says."""
    inside = text == HOME or text.startswith((f"{HOME}/", f"{HOME}?"))
    return text if inside and text.isascii() and text.isprintable() and "\\" not in text else HOME


@router.get("/sign-in")
def sign_in_page(request: Request, services: WithServices) -> Response:
    """The form."""
    back = safe_next(request.query_params.get("next", ""))
    if visitors.find(services, request) is not None:
        return go(back)
    return _form(request, services, back, recovery=bool(request.query_params.get("recovery")))


@router.post("/sign-in", dependencies=[Depends(turn)])
def sign_in(request: Request, services: WithServices, form: UnboundForm) -> Response:
    """Name, password and second factor together: which of them was wrong is not told."""
    back, name = safe_next(form.one("next")), form.one("account").lower()
    recovery, kept = form.ticked("recovery"), keeping.carried(services, form)
    desk, now = services.ports.desk, services.now()
    if kept is not None:
        if form.one("do") == "recovery":
            return _form(request, services, back, name=name, recovery=True, kept=kept)
        here = visitors.find(services, request)
        if here is not None and here.name == name == kept.account:
            # A reload of the answer, or a second press: the code is spent, and she is signed in.
            return again(request, services, here, kept)
    account = name if is_name(name) else ""
    subjects = throttle.of_sign_in(account, _address(request))
    wait = desk.throttle.enter(subjects, now)
    if wait is not None:
        log.warning("sign_in_throttled")
        return _form(
            request,
            services,
            back,
            name=name,
            status=429,
            error="wait",
            wait=wait,
            recovery=recovery,
            kept=kept,
        )
    # A space may be meant in a password; `one` would take it away.
    password = next(iter(form.all("password")), "")
    if not desk.accounts.sign_in(account, password, form.one("code"), now):
        log.warning("sign_in_refused")
        return _form(
            request, services, back, name=name, status=422, error="wrong", recovery=recovery, kept=kept
        )
    desk.throttle.forgive(subjects)
    drop(services, request)
    agent = request.headers.get("user-agent", "").replace("\x00", "")
    token = desk.sessions.open(account, agent, now)
    visitor = visitors.of_token(services, token)
    response = again(request, services, visitor, kept) if kept and visitor else go(back)
    visitors.remember(services, response, token)
    return response


@router.post("/sign-out")
def sign_out(request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm) -> Response:
    """Ends the session. What someone else typed here before waits on for them."""
    del visitor
    kept = keeping.carried(services, form)
    drop(services, request)
    response = go(SIGN_IN) if kept is None else asked_again(request, services, kept)
    visitors.forget(services, response)
    return response


@router.get("/welcome/{token}")
def welcome_page(request: Request, services: WithServices, token: Token) -> Response:
    """An invitation: the secret for the authenticator, and a password of one's own."""
    return _welcome(request, services, token)


@router.post("/welcome/{token}", dependencies=[Depends(turn)])
def welcome(request: Request, services: WithServices, token: Token, form: UnboundForm) -> Response:
    """Takes the invitation: first its number, where it has one, then all else."""
    accounts, now = services.ports.desk.accounts, services.now()
    invited = accounts.invited(token, now)
    if invited is None:
        return _welcome(request, services, token)
    pin, subjects = form.one("pin"), throttle.of_invitation(token)
    if services.ports.desk.throttle.enter(subjects, now) is not None:
        return _welcome(request, services, token, error="pin-wait", status=429)
    if not accounts.knows_pin(invited, pin):
        return _welcome(request, services, token, error="pin", status=422)
    services.ports.desk.throttle.forgive(subjects)
    if "password" not in form.values:
        return _welcome(request, services, token, pin=pin)
    try:
        accounts.accept(token, next(iter(form.all("password")), ""), form.one("code"), now, pin)
    except AccountError as error:
        return _welcome(request, services, token, pin=pin, error=_named(error), status=422)
    return go(SIGN_IN)


def _named(error: AccountError) -> str:
    """As faults.html names it."""
    return f"password-{error.code}" if error.code in {"short", "long", "name"} else error.code


def _welcome(
    request: Request,
    services: Services,
    token: str,
    *,
    pin: str | None = None,
    error: str | None = None,
    status: int = 200,
) -> Response:
    invited = services.ports.desk.accounts.invited(token, services.now())
    # The secret of the second factor is for who has both the link and the number.
    asks_pin = invited is not None and invited.pin_hash is not None and pin is None
    return show(
        request,
        None,
        "welcome.html",
        here="welcome",
        status=status if invited else 404,
        invited=invited,
        asks_pin=asks_pin,
        pin=pin or "",
        address=codes.address(invited.secret, invited.name) if invited else "",
        error=error,
    )


def asked_again(request: Request, services: Services, kept: Kept) -> Response:
    """The form in answer to what was typed after the session had ended: it carries that along."""
    back = visitors.page_behind(kept.path) or HOME
    response = _form(request, services, back, name=kept.account, status=401, kept=kept)
    response.headers["WWW-Authenticate"] = "Session"  # RFC 9110 §15.5.2: a 401 names what would do.
    return response


def _form(
    request: Request,
    services: Services,
    back: str,
    *,
    status: int = 200,
    name: str = "",
    error: str | None = None,
    wait: timedelta | None = None,
    recovery: bool = False,
    kept: Kept | None = None,
) -> Response:
    return show(
        request,
        None,
        "sign-in.html",
        here="sign-in",
        path=SIGN_IN,
        status=status,
        back=back,
        name=name,
        error=error,
        wait=wait,
        recovery=recovery,
        sealed=keeping.seal(services, kept) if kept else "",
        sso=services.ports.oidc and services.ports.oidc.settings.name,
    )


def drop(services: Services, request: Request) -> None:
    """Ends the session that the browser came with."""
    # Whatever the browser came with ends here: nobody can be handed a session that others know.
    token = request.cookies.get(visitors.cookie(services))
    if token:
        services.ports.desk.sessions.drop(token)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
