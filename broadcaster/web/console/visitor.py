"""Who is at the console: a session by its cookie, and what its account may do."""

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from broadcaster.account import Account, Role
from broadcaster.accounts.sessions import Session
from broadcaster.rules import RefusedError, Rule
from broadcaster.web.services import Services, WithServices
from schemas.events import Actor

HOME = "/console"
SIGN_IN = "/console/sign-in"
_PAGE_BEHIND = re.compile(
    r"/console/((drafts|alerts)/[0-9a-f-]{36}(/cancel$|/screens)?|templates(/write/new|/[0-9a-f-]{36})?"
    r"|(dead-letters|bodies|screens|screen-groups)(/[\w-]+)?|people|keys|access)"
)
"""The page that a form is on, from the address that it posts to."""


class SignInRequiredError(Exception):
    """Nobody is signed in."""


@dataclass(frozen=True)
class Visitor:
    """Someone signed in."""

    session: Session
    token: str
    account: Account
    is_fresh: bool
    """Whether the second factor was given a short while ago."""

    @property
    def name(self) -> str:
        """Of the account."""
        return self.account.name

    def bodies(self, *roles: Role) -> tuple[str, ...]:
        """The bodies for which it holds any of the roles (any role at all where none is named)."""
        return tuple(sorted({body for body, role in self.account.roles if not roles or role in roles}))

    def may(self, body: str, *roles: Role) -> bool:
        """Whether it holds one of the roles for the body (any role at all where none is named)."""
        return body in self.bodies(*roles)

    def require(self, body: str, *roles: Role) -> None:
        """Refuses an account without one of the roles for the body. Raises RefusedError."""
        self.account.check(body, *roles)

    def require_somewhere(self, *roles: Role) -> tuple[str, ...]:
        """The bodies for which it holds one of the roles. Raises RefusedError where there is none."""
        found = self.bodies(*roles)
        if not found:
            wanted = " or ".join(role.value for role in roles)
            raise RefusedError(Rule.ROLE, f"{self.name} is not {wanted} of any body")
        return found

    def by(self, body: str) -> Actor:
        """As the log knows it when it acts for the body."""
        return Actor(account=self.name, body=body)

    def taking(self, *bodies: str) -> Actor:
        """As the log knows it when it takes a file away: for the first of these bodies it is of, or any."""
        own = self.bodies()
        return Actor(account=self.name, body=next((each for each in (*bodies, *own) if each in own), None))


def is_secure(services: Services) -> bool:
    """Whether people reach us by https."""
    return services.ports.base_url.startswith("https:")


def cookie(services: Services) -> str:
    """The cookie's name: a browser takes `__Host-` only over https, for this very host, for all paths."""
    return "__Host-session" if is_secure(services) else "session"


def remember(services: Services, response: Response, token: str) -> None:
    """Hands the browser its session."""
    response.set_cookie(
        cookie(services),
        token,
        max_age=int(services.ports.desk.sessions.limits.longest.total_seconds()),
        path="/",
        secure=is_secure(services),
        httponly=True,
        samesite="lax",
    )


def forget(services: Services, response: Response) -> None:
    """Takes the session from the browser."""
    response.delete_cookie(
        cookie(services), path="/", secure=is_secure(services), httponly=True, samesite="lax"
    )


def find(services: Services, request: Request) -> Visitor | None:
    """Who is signed in; None where nobody is."""
    return of_token(services, request.cookies.get(cookie(services), ""))


def of_token(services: Services, token: str) -> Visitor | None:
    """Whose session has this token; None where there is none, or it has ended."""
    sessions, now = services.ports.desk.sessions, services.now()
    session = sessions.find(token, now) if token else None
    if session is None:
        return None
    return Visitor(session, token, services.account(session.account), sessions.is_fresh(session, now))


def visitor(request: Request, services: WithServices) -> Visitor:
    """Who is signed in. Raises SignInRequiredError."""
    found = find(services, request)
    if found is None:
        raise SignInRequiredError
    return found


WithVisitor = Annotated[Visitor, Depends(visitor)]


def to_sign_in(request: Request) -> Response:
    """Leads to the sign-in page, and from there back to the page that was asked for."""
    path = request.url.path if request.method in {"GET", "HEAD"} else page_behind(request.url.path)
    query = f"?next={quote(path, safe='/')}" if path and path != HOME else ""
    return RedirectResponse(SIGN_IN + query, 303, {"Cache-Control": "no-store"})


def page_behind(path: str) -> str:
    """The page that forms for this address are on, where that is known; else nothing."""
    page = _PAGE_BEHIND.match(path.replace("/area-sets", "/templates"))
    return page.group() if page else ""
