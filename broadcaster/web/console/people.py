"""The people of a body: whom a manager asks to let in, which roles they hold. Never for oneself."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.accounts.store import AccountError, State
from broadcaster.log import ConflictError
from broadcaster.rules import RefusedError, Rule
from broadcaster.web.console import second_factor
from broadcaster.web.console.form import BoundForm, Form
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.services import Services, WithServices

router = APIRouter(prefix="/console/people", include_in_schema=False)

GRANTED = tuple(Role)
"""What a manager asks for; a second manager confirms each."""


@dataclass(frozen=True)
class Person:
    """Someone who holds roles for a body, or was invited to it."""

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
    """Asks to invite a person with a first role. The link is shown this once, and opens nothing yet."""
    body, name = form.one("body"), form.one("account").lower()
    acting = acting_for(services, visitor, body)
    faults, link = faults_of(services, visitor, form, GRANTED), ""
    if not faults:
        try:
            asked = services.access.ask(
                visitor.by(acting), "invite", name, body, Role(form.one("role")), at=services.now()
            )
            link = f"{services.ports.base_url}/console/welcome/{asked.secret}"
        except (AccountError, RefusedError) as error:
            faults = [Fault("account", code_of(error))]
    return _page(request, services, visitor, faults=tuple(faults), name=name, link=link)


@router.post("/grant")
def grant(request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm) -> Response:
    """Asks for a role for someone who has an account; `do=revoke` takes it away at once."""
    body, name = form.one("body"), form.one("account").lower()
    by = visitor.by(acting_for(services, visitor, body))
    faults = faults_of(services, visitor, form, GRANTED)
    if not faults:
        role = Role(form.one("role"))
        try:
            if form.one("do") == "revoke":
                services.access.revoke(by, name, body, role, at=services.now())
                return go("/console/people")
            services.access.ask(by, "grant", name, body, role, at=services.now())
            return go("/console/access")
        except (AccountError, RefusedError) as error:
            faults = [Fault("account", code_of(error))]
        except ConflictError:
            faults = [Fault("account", "moved")]
    return _page(request, services, visitor, faults=tuple(faults), name=name)


def acting_for(services: Services, visitor: Visitor, body: str) -> str:
    """The body as whose manager the visitor decides about this one. Raises RefusedError."""
    if services.body(body) is None:
        raise RefusedError(Rule.BODY, f"{visitor.name} does not act for that body")
    return services.access.acting(visitor.name, body, services.now())


def code_of(error: AccountError | RefusedError) -> str:
    """As faults.html names it."""
    if isinstance(error, AccountError):
        return f"account-{error.code}"
    return {Rule.FOUR_EYES: "not-oneself", Rule.EXISTS: "taken", Rule.STATE: "not-held"}.get(
        error.rule, error.rule.value
    )


def faults_of(services: Services, visitor: Visitor, form: Form, roles: tuple[Role, ...]) -> list[Fault]:
    """What is wrong with the role asked for, or with the second factor."""
    if form.one("role") not in {role.value for role in roles}:
        return [Fault("role", "invalid")]
    wrong = second_factor.fault(services, visitor, form)
    return [Fault("code", f"code-{wrong}")] if wrong else []


def managed_bodies(services: Services, visitor: Visitor) -> list[tuple[str, str]]:
    """The bodies that the visitor decides about, by id and name: the own ones first."""
    own, every = visitor.bodies(Role.MANAGER), services.directory.bodies()
    found = [(body, services.directory.body_name(body)) for body in own]
    if any(every[body].parent is None for body in own if body in every):
        found += sorted(
            ((each.issuer_id, each.name) for each in every.values() if each.issuer_id not in own),
            key=lambda each: each[1],
        )
    return found


def _people(services: Services, managed: tuple[str, ...]) -> list[Person]:
    states = dict(services.ports.desk.accounts.all())
    found: list[Person] = []
    for body in managed:
        held = services.access.index.holders(body)
        for name in sorted({account for account, _ in held if account in states}):
            roles = tuple(role for account, role in held if account == name)
            found.append(Person(name, states[name], body, services.directory.body_name(body), roles))
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
    managed, now = visitor.bodies(Role.MANAGER), services.now()
    states = dict(services.ports.desk.accounts.all())
    there = {other for body in managed for other in services.access.managers(body, now)}
    # A program's key confirms nothing, whatever role its account was given.
    others = {name for name in there - {visitor.name} if states.get(name) is State.ACTIVE}
    return show(
        request,
        visitor,
        "people.html",
        here="people",
        status=422 if faults else 200,
        path="/console/people",
        people=_people(services, managed),
        bodies=managed_bodies(services, visitor),
        granted=GRANTED,
        faults=faults,
        name=name,
        link=link,
        others=sorted(others),
    )
