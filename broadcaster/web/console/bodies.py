"""Bodies: how one is reached, what it decided about bulletins, its SMS budget, its delegations."""

from datetime import time
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.commands.bodies import BodyCommands
from broadcaster.commands.sms_budgets import SmsBudgetCommands
from broadcaster.delegation import Delegation
from broadcaster.issuer import Issuer
from broadcaster.issuer_settings import MOST_CONTACTS
from broadcaster.log import ConflictError
from broadcaster.rules import RefusedError
from broadcaster.sms_budget import Usage, day_of
from broadcaster.web import i18n
from broadcaster.web.console import areas
from broadcaster.web.console.form import BoundForm, Form
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.i18n import Lang
from broadcaster.web.services import Services, WithServices
from broadcaster.web.subjects import subject, subjects
from projections.sms import view as sms
from schemas.areas import AreaTree
from schemas.events import IssuerContact

router = APIRouter(prefix="/console/bodies", include_in_schema=False)

BodyId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]
KINDS = ("phone", "email", "web")


@router.get("")
def bodies_page(request: Request, services: WithServices, visitor: WithVisitor) -> Response:
    """The visitor's own bodies, and those directly below them."""
    mine = visitor.require_somewhere(*Role)
    now, edition = services.now(), services.tree().edition
    every = [body.as_of(now, edition) for body in services.directory.bodies().values()]
    return show(
        request,
        visitor,
        "bodies.html",
        here="bodies",
        own=[body for body in every if body.issuer_id in mine],
        below=sorted((body for body in every if body.parent in mine), key=lambda body: body.name),
        now=now,
    )


@router.get("/{body_id}")
def body_page(request: Request, services: WithServices, visitor: WithVisitor, body_id: BodyId) -> Response:
    """One body, for any of the staff."""
    visitor.require_somewhere(*Role)
    return page(request, services, visitor, body_id)


@router.post("/{body_id}/contacts")
def contacts(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, body_id: BodyId
) -> Response:
    """Replaces all contacts. Offices, not persons: the log cannot forget."""
    acting = manager_of(services, visitor, body_id)
    faults: list[Fault] = []
    given: list[IssuerContact] = []
    for row, (kind, value) in enumerate(zip(form.all("kind"), form.all("value"), strict=False), 1):
        if not value.strip():
            continue
        try:
            given.append(IssuerContact.model_validate({"kind": kind, "value": value.strip()}))
        except ValidationError:
            faults.append(Fault(f"c-value-{row}", "invalid"))
    if not faults:
        try:
            BodyCommands(services.ports.office).set_contacts(
                visitor.by(acting), body_id, given, at=services.now()
            )
            return _back(services, body_id)
        except RefusedError as refusal:
            if refusal.rule.is_authority:
                raise
            faults = [Fault("value", "contact")]
        except ConflictError:
            faults = [Fault("", "moved-on")]
    typed = list(zip(form.all("kind"), form.all("value"), strict=False))
    return page(request, services, visitor, body_id, tuple(faults), contacts_typed=typed)


@router.post("/{body_id}/policy")
def policy(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, body_id: BodyId
) -> Response:
    """What the body decides about its bulletins; alerts are never subject to it."""
    acting = manager_of(services, visitor, body_id)
    hours: tuple[time, time] | None = None
    if form.one("quiet_from") or form.one("quiet_until"):
        try:
            hours = (
                time.fromisoformat(form.one("quiet_from")),
                time.fromisoformat(form.one("quiet_until")),
            )
        except ValueError:
            return page(request, services, visitor, body_id, (Fault("quiet", "hours"),))
        if any(each.tzinfo or each.second or each.microsecond for each in hours):
            return page(request, services, visitor, body_id, (Fault("quiet", "hours"),))
    try:
        BodyCommands(services.ports.office).set_policy(
            visitor.by(acting),
            body_id,
            one_person_bulletins=form.ticked("one_person"),
            quiet_hours=hours,
            at=services.now(),
        )
    except RefusedError as refusal:
        if refusal.rule.is_authority:
            raise
        return page(request, services, visitor, body_id, (Fault("quiet", "hours"),))
    except ConflictError:
        return page(request, services, visitor, body_id, (Fault("", "moved-on"),))
    return _back(services, body_id)


def manager_of(services: Services, visitor: Visitor, body_id: str) -> str:
    """The body for which the visitor manages this one: itself, or the one above. Raises RefusedError."""
    body = known(services, body_id)
    if body.parent is not None and visitor.may(body.parent, Role.MANAGER):
        return body.parent
    visitor.require(body_id, Role.MANAGER)
    return body_id


def known(services: Services, body_id: str) -> Issuer:
    """The body as it is now. Raises HTTPException."""
    body = services.body(body_id)
    if body is None:
        raise HTTPException(404)
    return body


def page(
    request: Request,
    services: Services,
    visitor: Visitor,
    body_id: str,
    faults: tuple[Fault, ...] = (),
    *,
    contacts_typed: list[tuple[str, str]] | None = None,
    typed: Form | None = None,
) -> Response:
    """The page, also after a form of it was wrong."""
    body, now, tree = known(services, body_id), services.now(), services.tree()
    budget = SmsBudgetCommands(services.ports.office).of(body_id)
    with services.reading() as conn:
        spent = {key: Usage(*took) for key, took in sms.spent(conn, body_id, day_of(now)).items()}
    every = services.ports.office.every_delegation().values()
    shown = contacts_typed or [(each.kind, each.value) for each in body.contacts]
    lang = i18n.chosen(request)
    categories = services.ports.office.categories.values()
    others = services.directory.bodies()
    can_manage = visitor.may(body_id, Role.MANAGER)
    return show(
        request,
        visitor,
        "body.html",
        here="bodies",
        status=422 if faults else 200,
        path=f"/console/bodies/{body_id}",
        body=body,
        now=now,
        area=areas.names(tree, [body.area])[0],
        parent=services.directory.body_name(body.parent) if body.parent else "",
        faults=faults,
        contacts=[*shown, *[("phone", "")] * min(2, MOST_CONTACTS - len(shown))],
        kinds=KINDS,
        budget=budget,
        used=budget.used(day_of(now), spent),
        given=[_sight(services, tree, one, lang) for one in every if one.grantor == body_id],
        received=[_sight(services, tree, one, lang) for one in every if one.grantee == body_id],
        typed=typed or Form({}),
        may_set=can_manage or (body.parent is not None and visitor.may(body.parent, Role.MANAGER)),
        may_delegate=can_manage,
        fields=subjects((each for each in categories if body.has_field(each.code)), lang),
        grantees=sorted(((one.issuer_id, one.name) for one in others.values()), key=lambda one: one[1])
        if can_manage
        else [],
    )


def _sight(services: Services, tree: AreaTree, one: Delegation, lang: Lang) -> dict[str, object]:
    """A delegation in words."""
    now, name = services.now(), services.directory.body_name
    if one.revoked:
        state = "revoked"
    elif one.ends_at <= now:
        state = "ended"
    elif one.edition != tree.edition:
        state = "lapsed"
    else:
        state = "in_force" if one.starts_at <= now else "upcoming"
    return {
        "id": one.id,
        "grantor": name(one.grantor),
        "grantee": name(one.grantee),
        "fields": [subject(services, code, lang) for code in sorted(one.fields)],
        "areas": areas.names(tree, one.areas) if one.edition == tree.edition else list(one.areas),
        "starts_at": one.starts_at,
        "ends_at": one.ends_at,
        "state": state,
    }


def _back(services: Services, body_id: str) -> Response:
    services.directory.refresh()
    return go(f"/console/bodies/{body_id}")
