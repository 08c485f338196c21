"""The people of a body: whom a manager asks to let in, which roles they hold. Never for oneself."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.accounts.store import AccountError, State
from broadcaster.log import ConflictError
from broadcaster.rules import RefusedError
from broadcaster.web.console.form import BoundForm
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.people.letting_in import (
    NOTHING,
    Entered,
    acting_for,
    code_of,
    faults_of,
    managed_bodies,
)
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.services import Services, WithServices
from schemas.areas import unaccented

router = APIRouter(prefix="/console/people", include_in_schema=False)

GRANTED = tuple(Role)
"""What a manager asks for; a second manager confirms each."""
PAGE = 100
"""People on a page: a city's managers see those of some 650 bodies."""


@dataclass(frozen=True)
class Person:
    """Someone who holds roles for a body, or was invited to it."""

    name: str
    state: State
    body: str
    body_name: str
    roles: tuple[str, ...]


class Wanted(BaseModel):
    """What is looked for among them; an empty one finds everyone."""

    model_config = ConfigDict(extra="ignore")

    q: Annotated[str, Field(max_length=120)] = ""
    """Part of a name, of the account or of the body; without accents, too."""
    page: Annotated[int, Field(ge=1, le=10_000)] = 1

    def query(self, page: int) -> str:
        """For a link to another page of the same."""
        return urlencode({"q": self.q, "page": page})


EVERYONE = Wanted()


@router.get("")
def people_page(
    request: Request, services: WithServices, visitor: WithVisitor, wanted: Annotated[Wanted, Query()]
) -> Response:
    """Everyone of the bodies that the visitor decides about: of all of them for the city."""
    visitor.require_somewhere(Role.MANAGER)
    return _page(request, services, visitor, wanted=wanted)


@router.post("/invite")
def invite(request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm) -> Response:
    """Asks to invite a person with a first role. The link is shown this once, and opens nothing yet."""
    body, name = form.one("body"), form.one("account").lower()
    acting = acting_for(services, visitor, body)
    faults, link = faults_of(services, visitor, "invite", form, GRANTED), ""
    if not faults:
        try:
            asked = services.access.ask(
                visitor.by(acting), "invite", name, body, Role(form.one("role")), at=services.now()
            )
            link = f"{services.ports.base_url}/console/welcome/{asked.secret}"
        except (AccountError, RefusedError) as error:
            faults = [Fault("invite-account", code_of(error))]
    entered = Entered.of("invite", form) if faults else NOTHING
    return _page(request, services, visitor, faults=tuple(faults), entered=entered, name=name, link=link)


@router.post("/grant")
def grant(request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm) -> Response:
    """Asks for a role for someone who has an account; `do=revoke` takes it away at once."""
    body, name = form.one("body"), form.one("account").lower()
    by = visitor.by(acting_for(services, visitor, body))
    faults = faults_of(services, visitor, "grant", form, GRANTED)
    if not faults:
        role = Role(form.one("role"))
        try:
            if form.one("do") == "revoke":
                services.access.revoke(by, name, body, role, at=services.now())
                return go("/console/people")
            services.access.ask(by, "grant", name, body, role, at=services.now())
            return go("/console/access")
        except (AccountError, RefusedError) as error:
            faults = [Fault("grant-account", code_of(error))]
        except ConflictError:
            faults = [Fault("grant-account", "moved")]
    return _page(request, services, visitor, faults=tuple(faults), entered=Entered.of("grant", form))


def _people(services: Services, bodies: Iterable[tuple[str, str]], looked_for: str) -> list[Person]:
    states, held = dict(services.ports.desk.accounts.all()), services.access.index.held()
    words = unaccented(looked_for.strip())
    found: list[Person] = []
    for body, body_name in bodies:
        roles: dict[str, list[str]] = defaultdict(list)
        for account, role in held.get(body, ()):
            if account in states:
                roles[account].append(role)
        found += [
            Person(name, states[name], body, body_name, tuple(own))
            for name, own in roles.items()
            if not words or words in unaccented(f"{name} {body_name} {body}")
        ]
    return found


def _page(
    request: Request,
    services: Services,
    visitor: Visitor,
    *,
    faults: tuple[Fault, ...] = (),
    entered: Entered = NOTHING,
    name: str = "",
    link: str = "",
    wanted: Wanted = EVERYONE,
) -> Response:
    managed, now = visitor.bodies(Role.MANAGER), services.now()
    states = dict(services.ports.desk.accounts.all())
    there = {other for body in managed for other in services.access.managers(body, now)}
    # A program's key confirms nothing, whatever role its account was given.
    others = {name for name in there - {visitor.name} if states.get(name) is State.ACTIVE}
    bodies = managed_bodies(services, visitor)
    found = _people(services, bodies, wanted.q)
    first = PAGE * (wanted.page - 1)
    return show(
        request,
        visitor,
        "people.html",
        here="people",
        status=422 if faults else 200,
        path="/console/people",
        people=found[first : first + PAGE],
        wanted=wanted,
        more=len(found) > first + PAGE,
        can_look=len(bodies) > len(managed) or len(found) > PAGE or bool(wanted.q),
        bodies=bodies,
        granted=GRANTED,
        faults=faults,
        entered=entered,
        name=name,
        link=link,
        others=sorted(others),
    )
