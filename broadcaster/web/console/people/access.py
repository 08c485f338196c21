"""What waits for a second manager: reading it, confirming it, saying no."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from broadcaster.access import AccessRequest
from broadcaster.account import Role
from broadcaster.accounts.store import AccountError
from broadcaster.log import ConflictError
from broadcaster.rules import RefusedError, Rule
from broadcaster.web.console import second_factor
from broadcaster.web.console.form import BoundForm
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.people.letting_in import code_of
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.services import Services, WithServices

router = APIRouter(prefix="/console/access", include_in_schema=False)

RequestId = Annotated[UUID, Path()]
_MOST_SETTLED = 20


@dataclass(frozen=True)
class AccessLine:
    """A request in a list."""

    request: AccessRequest
    body_name: str
    state: str
    can_confirm: bool
    is_mine: bool


@router.get("")
def access_page(request: Request, services: WithServices, visitor: WithVisitor) -> Response:
    """What waits, and what became of the last ones."""
    visitor.require_somewhere(Role.MANAGER)
    return _page(request, services, visitor)


@router.post("/{request_id}/confirm")
def confirm(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, request_id: RequestId
) -> Response:
    """Confirms. An invitation's number is shown this once."""
    wanted = services.access.request(request_id)
    by = visitor.by(services.access.acting(visitor.name, wanted.body, services.now()))
    wrong = second_factor.fault(services, visitor, form)
    if wrong:
        return _page(request, services, visitor, faults=(Fault("code", f"code-{wrong}"),))
    try:
        done = services.access.confirm(by, request_id, at=services.now())
    except (AccountError, RefusedError) as error:
        late = isinstance(error, RefusedError) and error.rule is Rule.STATE
        fault = Fault("", "settled" if late else code_of(error))
        return _page(request, services, visitor, faults=(fault,))
    except ConflictError:
        return _page(request, services, visitor, faults=(Fault("", "settled"),))
    return _page(request, services, visitor, confirmed=done.request, pin=done.pin or "")


@router.post("/{request_id}/refuse")
def refuse(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, request_id: RequestId
) -> Response:
    """Says no, or takes one's own request back."""
    del form
    wanted = services.access.request(request_id)
    by = visitor.by(services.access.acting(visitor.name, wanted.body, services.now()))
    try:
        services.access.refuse(by, request_id, at=services.now())
    except (RefusedError, ConflictError):
        return _page(request, services, visitor, faults=(Fault("", "settled"),))
    return go("/console/access")


def waiting(services: Services, visitor: Visitor) -> Sequence[AccessLine]:
    """The requests that the visitor has a say in; those that need it first."""
    found = [_line(services, visitor, each) for each in services.access.of(visitor.name, services.now())]
    return sorted(found, key=lambda line: not line.can_confirm)


def _settled(services: Services, visitor: Visitor) -> list[AccessLine]:
    now, managed = services.now(), set(visitor.bodies(Role.MANAGER))
    found: list[AccessLine] = []
    for each in reversed(list(services.access.index.requests().values())):
        if len(found) == _MOST_SETTLED:
            break
        done = each.standing(now).value != "waiting"
        if done and not managed.isdisjoint(services.access.overseers(each.body, now)):
            found.append(_line(services, visitor, each))
    return found


def _line(services: Services, visitor: Visitor, each: AccessRequest) -> AccessLine:
    return AccessLine(
        each,
        services.directory.body_name(each.body),
        each.standing(services.now()).value,
        each.is_for(visitor.name),
        each.asked_by.account == visitor.name,
    )


def _page(
    request: Request,
    services: Services,
    visitor: Visitor,
    *,
    faults: tuple[Fault, ...] = (),
    confirmed: AccessRequest | None = None,
    pin: str = "",
) -> Response:
    return show(
        request,
        visitor,
        "access.html",
        here="people",
        status=422 if faults else 200,
        path="/console/access",
        waiting=waiting(services, visitor),
        settled=_settled(services, visitor),
        faults=faults,
        confirmed=confirmed,
        pin=pin,
    )
