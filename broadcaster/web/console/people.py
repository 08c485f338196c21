"""The people of a body: whom its manager invites, which roles they hold. Never for oneself."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.accounts.store import AccountError, State, is_name
from broadcaster.log import ConflictError
from broadcaster.rules import RefusedError
from broadcaster.web.console import second_factor
from broadcaster.web.console.form import BoundForm, Form
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.services import Services, WithServices

router = APIRouter(prefix="/console/people", include_in_schema=False)

GRANTED = (Role.AUTHOR, Role.APPROVER, Role.AUDITOR)
"""What a manager gives; another manager is made by the operator."""


@dataclass(frozen=True)
class Person:
    """Someone who holds roles for a body, or was invited by its manager."""

    name: str
    state: State
    body: str
    body_name: str
    roles: tuple[str, ...]


@router.get("")
def people_page(request: Request, services: WithServices, visitor: WithVisitor) -> Response:
    """Everyone of the bodies that the visitor manages."""
    visitor.require_somewhere(Role.MANAGER)
    return _page(request, services, visitor)


@router.post("/invite")
def invite(request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm) -> Response:
    """Invites a person and gives the first role. The link is shown this once."""
    body = form.one("body")
    visitor.require(body, Role.MANAGER)
    name = form.one("account").lower()
    faults = _faults(services, visitor, form)
    if not is_name(name):
        faults.append(Fault("account", "name"))
    elif _is_someone(services, name, body):
        faults.append(Fault("account", "taken"))
    link = ""
    if not faults:
        try:
            with services.ports.office.refusals(visitor.by(body), "grant", services.now(), issuer_id=body):
                services.account(name).grant(visitor.by(body), body, Role(form.one("role")))
            token = services.ports.desk.accounts.invite(name, visitor.name, services.now())
            _grant(services, visitor, name, body, form.one("role"))
            link = f"{services.ports.base_url}/console/welcome/{token}"
        except AccountError as error:
            faults = [Fault("account", error.code)]
        except RefusedError as error:
            faults = [Fault("account", error.rule.value)]
    return _page(request, services, visitor, faults=tuple(faults), name=name, link=link)


@router.post("/grant")
def grant(request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm) -> Response:
    """Gives a role to someone who has an account, or takes it away with `do=revoke`."""
    body, name = form.one("body"), form.one("account").lower()
    visitor.require(body, Role.MANAGER)
    faults = _faults(services, visitor, form)
    if services.ports.desk.accounts.state(name) is None:
        faults.append(Fault("account", "unknown"))
    if not faults:
        at, by = services.now(), visitor.by(body)
        try:
            with services.ports.office.refusals(by, "grant", at, issuer_id=body):
                if form.one("do") == "revoke":
                    event = services.account(name).revoke(by, body, Role(form.one("role")))
                    services.ports.log.append([event], at=at)
                else:
                    _grant(services, visitor, name, body, form.one("role"))
            return go("/console/people")
        except RefusedError as error:
            faults = [Fault("account", error.rule.value)]
        except ConflictError:
            faults = [Fault("account", "moved")]
    return _page(request, services, visitor, faults=tuple(faults), name=name)


def _is_someone(services: Services, name: str, body: str) -> bool:
    """Whether that name holds roles already, if only by a key: an invitation would hand them over."""
    roles = services.account(name).roles
    if services.ports.desk.accounts.state(name) is State.INVITED:
        return any(of != body for of, _ in roles)
    return bool(roles)


def _grant(services: Services, visitor: Visitor, name: str, body: str, role: str) -> None:
    services.ports.setup.grant(visitor.by(body), name, body, Role(role), at=services.now())


def _faults(services: Services, visitor: Visitor, form: Form) -> list[Fault]:
    if form.one("role") not in {role.value for role in GRANTED}:
        return [Fault("role", "invalid")]
    wrong = second_factor.fault(services, visitor, form)
    return [Fault("code", f"code-{wrong}")] if wrong else []


def _people(services: Services, managed: tuple[str, ...]) -> list[Person]:
    found: list[Person] = []
    for name, state in services.ports.desk.accounts.all():
        roles = services.account(name).roles
        for body in managed:
            held = tuple(sorted(role for of, role in roles if of == body))
            if held:
                found.append(Person(name, state, body, services.directory.body_name(body), held))
    return found


def _page(
    request: Request,
    services: Services,
    visitor: Visitor,
    *,
    faults: tuple[Fault, ...] = (),
    name: str = "",
    link: str = "",
) -> Response:
    managed = visitor.bodies(Role.MANAGER)
    return show(
        request,
        visitor,
        "people.html",
        here="people",
        status=422 if faults else 200,
        path="/console/people",
        people=_people(services, managed),
        bodies=[(body, services.directory.body_name(body)) for body in managed],
        granted=GRANTED,
        faults=faults,
        name=name,
        link=link,
    )
