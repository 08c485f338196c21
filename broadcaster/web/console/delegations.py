"""Giving another body the right to issue, and taking it back; on the page of the body that gives."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.commands.delegations import DelegationCommands
from broadcaster.log import ConflictError, UnknownStreamError
from broadcaster.rules import RefusedError
from broadcaster.web.console import bodies, second_factor, writing
from broadcaster.web.console.bodies import BodyId
from broadcaster.web.console.form import BoundForm, Form
from broadcaster.web.console.frame import go
from broadcaster.web.console.moments import moment
from broadcaster.web.console.visitor import WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.services import Services, WithServices

router = APIRouter(prefix="/console/bodies/{body_id}/delegations", include_in_schema=False)

DelegationId = Annotated[UUID, Path()]


@router.post("")
def grant(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, body_id: BodyId
) -> Response:
    """Lets another body issue in this one's right, from now or later until an end."""
    bodies.known(services, body_id)
    visitor.require(body_id, Role.MANAGER)
    areas, starts, ends, faults = _read(services, form, body_id)
    if wrong := second_factor.fault(services, visitor, form):
        faults.append(Fault("code", f"code-{wrong}"))
    if not faults and ends is not None:
        try:
            DelegationCommands(services.ports.office).grant(
                visitor.by(body_id),
                body_id,
                form.one("grantee"),
                fields=list(dict.fromkeys(form.all("fields"))),
                areas=areas,
                starts_at=starts,
                ends_at=ends,
                at=services.now(),
            )
            return go(f"/console/bodies/{body_id}#given")
        except RefusedError as refusal:
            faults = [Fault("", refusal.rule.value)]
        except UnknownStreamError:
            faults = [Fault("grantee", "invalid")]
        except ConflictError:
            faults = [Fault("", "moved-on")]
    return bodies.page(request, services, visitor, body_id, tuple(faults), typed=form)


@router.post("/{delegation_id}/revoke")
def revoke(
    request: Request,
    services: WithServices,
    visitor: WithVisitor,
    form: BoundForm,
    body_id: BodyId,
    delegation_id: DelegationId,
) -> Response:
    """Ends it at once; what was issued under it stands."""
    bodies.known(services, body_id)
    visitor.require(body_id, Role.MANAGER)
    found = services.ports.office.every_delegation().get(delegation_id)
    if found is None or found.grantor != body_id:
        raise HTTPException(404)
    faults: list[Fault] = []
    if wrong := second_factor.fault(services, visitor, form):
        faults.append(Fault("code", f"code-{wrong}"))
    else:
        try:
            commands = DelegationCommands(services.ports.office)
            commands.revoke(visitor.by(body_id), delegation_id, at=services.now())
            return go(f"/console/bodies/{body_id}#given")
        except RefusedError as refusal:
            faults.append(Fault("", refusal.rule.value))
        except ConflictError:
            faults.append(Fault("", "moved-on"))
    return bodies.page(request, services, visitor, body_id, tuple(faults))


def _read(
    services: Services, form: Form, body_id: str
) -> tuple[list[str], datetime | None, datetime | None, list[Fault]]:
    tree, faults = services.tree(), list[Fault]()
    own = services.ports.office.issuer(body_id).seat(tree.edition)
    within = [own] if own and own in tree else []
    found, strange = writing.named_areas(tree, form.one("areas"), within)
    if strange:
        faults.append(Fault("areas", "paste"))
    elif not found:
        faults.append(Fault("areas", "missing"))
    if not form.one("grantee"):
        faults.append(Fault("grantee", "missing"))
    if not form.all("fields"):
        faults.append(Fault("fields", "missing"))
    moments: dict[str, datetime | None] = {}
    for name in ("starts", "ends"):
        try:
            moments[name] = moment(form.one(name))
        except ValueError:
            faults.append(Fault(name, "date"))
    if not form.one("ends"):
        faults.append(Fault("ends", "missing"))
    return writing.tidy_areas(tree, found), moments.get("starts"), moments.get("ends"), faults
