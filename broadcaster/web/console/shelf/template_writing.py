"""Writing a template, approving it, taking it out of use."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.commands.templates import WRITERS, TemplateCommands
from broadcaster.log import ConflictError, Once
from broadcaster.rules import RefusedError, Rule
from broadcaster.template import Template
from broadcaster.web import i18n
from broadcaster.web.console import second_factor
from broadcaster.web.console.alerts.unfit import unfit
from broadcaster.web.console.form import BoundForm, Form
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.shelf import template_forms
from broadcaster.web.console.shelf.templates import categories, found, one_page
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault, detail_of
from broadcaster.web.services import Services, WithServices

router = APIRouter(prefix="/console/templates", include_in_schema=False)

TemplateId = Annotated[UUID, Path()]
_FIELDS = {
    Rule.UNKNOWN_CATEGORY: "category",
    Rule.RISK_LEVEL: "risk_level",
    Rule.EXPIRY: "lifetime_hours",
}


@router.get("/write/new")
def new_page(request: Request, services: WithServices, visitor: WithVisitor) -> Response:
    """An empty form."""
    visitor.require_somewhere(*WRITERS)
    return _new_page(request, services, visitor, Form({}))


@router.post("/write/new")
def begin(request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm) -> Response:
    """Saves a new template."""
    body = form.one("body")
    visitor.require(body, *WRITERS)
    read = template_forms.read(form)
    if isinstance(read, list):
        return _new_page(request, services, visitor, form, tuple(read))
    try:
        # A second press, or a lost answer, begins no second one.
        once = Once(visitor.name, f"console template {form.mark().hex()[:40]}", form.mark())
        made = _commands(services).begin(visitor.by(body), body, read, at=services.now(), once=once)
    except RefusedError as refusal:
        return _new_page(request, services, visitor, form, (_refused(refusal),))
    return go(f"/console/templates/{made.id}")


def new_shown_again(request: Request, services: Services, visitor: Visitor, form: Form) -> Response:
    """The form of a new one, with what was typed when the session had ended."""
    visitor.require_somewhere(*WRITERS)
    return _new_page(request, services, visitor, form)


def shown_again(
    request: Request, services: Services, visitor: Visitor, form: Form, template_id: UUID
) -> Response:
    """The form of the next version, with what was typed when the session had ended."""
    template = found(services, visitor, template_id)
    visitor.require(template.issuer_id, *WRITERS)
    moved = form.number("version") != template.version
    faults = (Fault("", "moved-on"),) if moved else ()
    return one_page(request, services, visitor, template, faults, typed=form)


@router.post("/{template_id}")
def save(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, template_id: TemplateId
) -> Response:
    """Saves the next version, over the one that was read."""
    template = found(services, visitor, template_id)
    visitor.require(template.issuer_id, *WRITERS)
    read = template_forms.read(form, template.latest.body)
    if isinstance(read, list):
        return one_page(request, services, visitor, template, tuple(read), typed=form)
    by, expected = visitor.by(template.issuer_id), form.number("version")

    def act() -> object:
        return _commands(services).save(by, template_id, read, at=services.now(), expected=expected)

    return _done(request, services, visitor, template, act, form)


@router.post("/{template_id}/approve")
def approve(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, template_id: TemplateId
) -> Response:
    """Approves the version that was read, by someone who wrote nothing of it."""
    template = found(services, visitor, template_id)
    visitor.require(template.issuer_id, Role.APPROVER)
    if wrong := second_factor.fault(services, visitor, form):
        return one_page(request, services, visitor, template, (Fault("code", f"code-{wrong}"),))
    by, number = visitor.by(template.issuer_id), form.number("number")
    return _done(
        request,
        services,
        visitor,
        template,
        lambda: _commands(services).approve(by, template_id, number, at=services.now()),
    )


@router.post("/{template_id}/retire")
def retire(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, template_id: TemplateId
) -> Response:
    """Takes it out of use; what was drafted from it stands."""
    template = found(services, visitor, template_id)
    by, expected = visitor.by(template.issuer_id), form.number("version")
    return _done(
        request,
        services,
        visitor,
        template,
        lambda: _commands(services).retire(by, template_id, at=services.now(), expected=expected),
    )


def _done(
    request: Request,
    services: Services,
    visitor: Visitor,
    template: Template,
    act: Callable[[], object],
    typed: Form | None = None,
) -> Response:
    try:
        act()
    except RefusedError as refusal:
        if refusal.rule.is_authority and refusal.rule is not Rule.FOUR_EYES:
            raise
        return one_page(request, services, visitor, template, (_refused(refusal),), typed=typed)
    except ConflictError:
        now = found(services, visitor, template.id)
        return one_page(request, services, visitor, now, (Fault("", "moved-on"),), typed=typed)
    return go(f"/console/templates/{template.id}")


def _refused(refusal: RefusedError) -> Fault:
    text = unfit(refusal)
    if text is not None:
        return Fault(text.field, text.code, detail=text.detail)
    return Fault(_FIELDS.get(refusal.rule, ""), refusal.rule.value, detail=detail_of(refusal))


def _commands(services: Services) -> TemplateCommands:
    return TemplateCommands(services.ports.office, services.ports.alerts.limits)


def _new_page(
    request: Request, services: Services, visitor: Visitor, typed: Form, faults: tuple[Fault, ...] = ()
) -> Response:
    return show(
        request,
        visitor,
        "template-new.html",
        here="templates",
        status=422 if faults else 200,
        path="/console/templates/write/new",
        faults=faults,
        typed=typed,
        bodies=[(body, services.directory.body_name(body)) for body in visitor.bodies(*WRITERS)],
        categories=categories(services, i18n.chosen(request)),
        nonce=uuid4(),
    )
