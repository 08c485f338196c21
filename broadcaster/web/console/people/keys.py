"""API keys of programs: which there are, asking for one, ending one."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from broadcaster.access import ROLES_OF_KEYS
from broadcaster.account import Role
from broadcaster.accounts.store import AccountError
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
from projections.audit import view as audit
from schemas.events import Actor

router = APIRouter(prefix="/console/keys", include_in_schema=False)

KeyId = Annotated[str, Path(max_length=40)]


@router.get("")
def keys_page(request: Request, services: WithServices, visitor: WithVisitor) -> Response:
    """The keys of the bodies that the visitor decides about."""
    visitor.require_somewhere(Role.MANAGER)
    return _page(request, services, visitor)


@router.post("/ask")
def ask(request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm) -> Response:
    """Asks for a key. It is shown this once, and opens nothing until a second manager confirmed it."""
    body, name = form.one("body"), form.one("account").lower()
    by = visitor.by(acting_for(services, visitor, body))
    faults, key = faults_of(services, visitor, "key", form, ROLES_OF_KEYS), ""
    if not faults:
        try:
            asked = services.access.ask(by, "key", name, body, Role(form.one("role")), at=services.now())
            key = asked.secret or ""
        except (AccountError, RefusedError) as error:
            faults = [Fault("key-account", code_of(error))]
    entered = Entered.of("key", form) if faults else NOTHING
    return _page(request, services, visitor, faults=tuple(faults), entered=entered, name=name, key=key)


@router.post("/{key_id}/revoke")
def revoke(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, key_id: KeyId
) -> Response:
    """Ends a key within seconds; nobody else is needed."""
    del form
    try:
        services.access.revoke_key(Actor(account=visitor.name), key_id, at=services.now())
    except RefusedError as error:
        if error.rule.is_authority:
            raise
        return _page(request, services, visitor, faults=(Fault("", "settled"),))
    except ConflictError:
        return _page(request, services, visitor, faults=(Fault("", "settled"),))
    return go("/console/keys")


def _page(
    request: Request,
    services: Services,
    visitor: Visitor,
    *,
    faults: tuple[Fault, ...] = (),
    entered: Entered = NOTHING,
    name: str = "",
    key: str = "",
) -> Response:
    found = services.access.keys_of(visitor.name, services.now())
    with services.reading() as conn:
        ended_by = audit.ends_of_keys(conn, [each.key_id for each in found if each.revoked_at])
    return show(
        request,
        visitor,
        "keys.html",
        here="people",
        status=422 if faults else 200,
        path="/console/keys",
        keys=[(each, services.directory.body_name(each.body or "")) for each in found],
        ended_by=ended_by,
        bodies=managed_bodies(services, visitor),
        granted=ROLES_OF_KEYS,
        faults=faults,
        entered=entered,
        name=name,
        key=key,
    )
