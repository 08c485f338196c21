"""Templates and saved sets of areas that the visitor's bodies may use; drafting from them."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, Path, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.area_set import AreaSet
from broadcaster.commands.template_drafts import Given, TemplateDrafts, known_values
from broadcaster.commands.templates import RETIRERS, WRITERS
from broadcaster.drafting.drafts import DraftConflictError, DraftsFullError
from broadcaster.log import Once, UnknownStreamError
from broadcaster.office.shelf import shelves
from broadcaster.rules import RefusedError
from broadcaster.template import Template
from broadcaster.web import i18n
from broadcaster.web.console import areas, writing
from broadcaster.web.console.form import BoundForm, Form
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.shelf import template_forms
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.i18n import Lang
from broadcaster.web.services import Services, WithServices
from broadcaster.web.subjects import subject, subjects

router = APIRouter(prefix="/console/templates", include_in_schema=False)

TemplateId = Annotated[UUID, Path()]


@router.get("")
def templates_page(request: Request, services: WithServices, visitor: WithVisitor) -> Response:
    """Their own and those of the bodies above."""
    visitor.require_somewhere(*Role)
    return list_page(request, services, visitor)


@router.post("/nothing-to-report")
def nothing_to_report(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm
) -> Response:
    """Drafts the bulletin that answers a reminder, from the nearest template for it."""
    body = form.one("body")
    visitor.require(body, Role.AUTHOR)
    drafts = TemplateDrafts(services.ports.office, services.ports.alerts, services.shelf)
    try:
        # A second press drafts no second bulletin.
        once = Once(visitor.name, f"console nothing {form.one('nonce')[:60]}", body.encode())
        alert = drafts.nothing_to_report(visitor.by(body), body, Given(), at=services.now(), once=once)
    except RefusedError as refusal:
        return list_page(request, services, visitor, (Fault("", refusal.rule.value),))
    return go(f"/console/alerts/{alert.id}")


@router.get("/{template_id}")
def template_page(
    request: Request, services: WithServices, visitor: WithVisitor, template_id: TemplateId
) -> Response:
    """The latest version, those before it, and the form to use it."""
    return one_page(request, services, visitor, found(services, visitor, template_id))


@router.post("/{template_id}/use")
def use(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, template_id: TemplateId
) -> Response:
    """Fills the gaps, and opens what comes of it as a draft to go on with."""
    template, body = found(services, visitor, template_id), form.one("body")
    visitor.require(body, Role.AUTHOR)
    gaps = {each.name: form.one(f"gap-{each.name}") for each in template.latest.body.fields}
    at = services.now()
    if faults := _gaps(template, gaps, known_values(services.ports.office.issuer(body), at)):
        return one_page(request, services, visitor, template, faults, used=form)
    given = Given(
        values={name: value for name, value in gaps.items() if value}, version=template.latest.number
    )
    own = not template.latest.body.areas
    if chosen := form.one("area_set"):
        own = False
        if chosen not in {str(each.id) for each in sets(services, visitor)}:
            raise HTTPException(404)
        given = Given(given.values, area_set=UUID(chosen), version=given.version)
    elif own:
        # The form asks for areas itself; a text needs some to be a whole one.
        given = Given(given.values, (services.ports.office.issuer(body).area,), version=given.version)
    drafts = TemplateDrafts(services.ports.office, services.ports.alerts, services.shelf)
    try:
        content = drafts.filled(visitor.by(body), body, template_id, given, at=at)
        fields = writing.fields_of(content, body)
        if own:
            fields.pop("areas")
        # A second press, or a lost answer, begins no second draft.
        draft_id = uuid5(template_id, f"{visitor.name} {form.mark().hex()}")
        _begin(services, visitor, draft_id, body, fields)
    except RefusedError as refusal:
        fault = Fault("use", refusal.rule.value)
        return one_page(request, services, visitor, template, (fault,), used=form)
    except DraftsFullError:
        return one_page(request, services, visitor, template, (Fault("", "full"),), used=form)
    except UnknownStreamError:
        raise HTTPException(404) from None
    return go(f"/console/drafts/{draft_id}")


def _gaps(template: Template, given: Mapping[str, str], known: Mapping[str, str]) -> tuple[Fault, ...]:
    faults: list[Fault] = []
    for gap in template.latest.body.fields:
        value = given[gap.name]
        if not value and gap.name not in known:
            faults.append(Fault(f"gap-{gap.name}", "missing"))
        elif len(value) > gap.longest:
            faults.append(Fault(f"gap-{gap.name}", "long", gap.longest))
    return tuple(faults)


def _begin(
    services: Services, visitor: Visitor, draft_id: UUID, body: str, fields: dict[str, list[str]]
) -> None:
    # Where this very form began it before, its page says what became of it.
    with suppress(DraftConflictError, LookupError):
        services.ports.drafts.save(draft_id, body, fields, expected=0, by=visitor.name, at=services.now())


def use_shown_again(
    request: Request, services: Services, visitor: Visitor, form: Form, template_id: UUID
) -> Response:
    """The gaps as they were filled in when the session had ended."""
    return one_page(request, services, visitor, found(services, visitor, template_id), used=form)


def usable(services: Services, visitor: Visitor) -> frozenset[str]:
    """The bodies whose templates and sets the visitor may see."""
    office, at = services.ports.office, services.now()
    return frozenset(shelf for body in visitor.bodies() for shelf in shelves(office, body, at))


def found(services: Services, visitor: Visitor, template_id: UUID) -> Template:
    """The template, if it is for the visitor to see. Raises HTTPException."""
    template = services.shelf.templates().get(template_id)
    if template is None or template.issuer_id not in usable(services, visitor):
        raise HTTPException(404)
    return template


def sets(services: Services, visitor: Visitor) -> list[AreaSet]:
    """The sets of areas in use."""
    mine = usable(services, visitor)
    every = services.shelf.area_sets().values()
    return [each for each in every if each.issuer_id in mine and not each.retired]


def list_page(
    request: Request,
    services: Services,
    visitor: Visitor,
    faults: tuple[Fault, ...] = (),
    typed: Form | None = None,
    *,
    changed: UUID | None = None,
) -> Response:
    """Both lists, and the forms below them; also after a form of theirs was wrong.

    `typed` is what stood in that of a new set of areas, or of the one that was to be `changed`.
    """
    mine, tree = usable(services, visitor), services.tree()
    name = services.directory.body_name
    return show(
        request,
        visitor,
        "templates.html",
        here="templates",
        status=422 if faults else 200,
        path="/console/templates",
        faults=faults,
        templates=[each for each in services.shelf.templates().values() if each.issuer_id in mine],
        sets=[(each, areas.names(tree, each.areas)) for each in sets(services, visitor)],
        edition=tree.edition,
        body_name=name,
        writes=[(body, name(body)) for body in visitor.bodies(*WRITERS)],
        authors=[(body, name(body)) for body in visitor.bodies(Role.AUTHOR)],
        typed=typed if typed and changed is None else Form({}),
        changed=changed,
        retyped=typed or Form({}),
        nonce=uuid4(),
    )


def one_page(
    request: Request,
    services: Services,
    visitor: Visitor,
    template: Template,
    faults: tuple[Fault, ...] = (),
    *,
    used: Form | None = None,
    typed: Form | None = None,
) -> Response:
    """A template; `used` and `typed` are what stood in its two forms."""
    name, latest, now = services.directory.body_name, template.latest, services.now()
    lang = i18n.chosen(request)
    authors = visitor.bodies(Role.AUTHOR)
    known = known_values(services.ports.office.issuer(authors[0]), now) if authors else {}
    tree = services.tree()
    return show(
        request,
        visitor,
        "template.html",
        here="templates",
        status=422 if faults else 200,
        path=f"/console/templates/{template.id}",
        saved=template,
        latest=latest,
        faults=faults,
        used=used or Form({}),
        known=known,
        typed=typed or template_forms.fields_of(latest),
        owner=name(template.issuer_id),
        area_names=areas.names(tree, latest.body.areas),
        outdated=latest.body.edition not in {None, tree.edition},
        authors=[(body, name(body)) for body in authors],
        nonce=uuid4(),
        sets=[(each.id, each.name) for each in sets(services, visitor) if each.edition == tree.edition],
        categories=categories(services, lang),
        category=subject(services, latest.body.category, lang),
        may_write=visitor.may(template.issuer_id, *WRITERS) and not template.retired,
        may_retire=visitor.may(template.issuer_id, *RETIRERS) and not template.retired,
        may_approve=visitor.may(template.issuer_id, Role.APPROVER)
        and not template.retired
        and latest.approved_by is None
        and visitor.name not in template.writers(latest.number),
    )


def categories(services: Services, lang: Lang) -> list[tuple[str, str]]:
    """What templates may be about, by name: one may serve the bodies below, in fields of theirs."""
    return [(each.code, each.name) for each in subjects(services.ports.office.categories.values(), lang)]
