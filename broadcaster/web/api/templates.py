"""Templates: writing them, having them approved, and drafting alerts from them."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from broadcaster.commands.template_drafts import Given, TemplateDrafts
from broadcaster.commands.templates import Saved, TemplateCommands
from broadcaster.keys import Principal
from broadcaster.office.shelf import shelves
from broadcaster.template import Template
from broadcaster.web.api.alert_actions import OnAlert, WithAlert, WithCaller
from broadcaster.web.api.models import AlertState
from broadcaster.web.api.tags import ExpectedStrictly, version_tag
from broadcaster.web.api.template_models import (
    TemplateAnswer,
    TemplatePage,
    TemplateVersions,
    template_answer,
    template_summary,
    version_answer,
)
from broadcaster.web.auth import Staff
from broadcaster.web.openapi import COMMAND_PROBLEMS, problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from schemas.requests import Body, BodyId
from schemas.template import Purpose
from schemas.template_requests import (
    FilledTemplate,
    NewTemplate,
    NextTemplate,
    NothingToReport,
    TemplateApproval,
)

router = APIRouter(prefix="/v1", tags=["templates"])


class Wanted(Body):
    """Which templates."""

    issuer: Annotated[
        BodyId | None, Field(description="Usable by this body; by all of yours without it.")
    ] = None
    purpose: Annotated[Purpose | None, Field(description="For this only.")] = None
    retired: Annotated[bool, Field(description="Those out of use, too.")] = False


def own_body(principal: Principal, named: str | None) -> str:
    """The body that is named, else the one the key speaks for. Raises ProblemError."""
    issuer = named or principal.body
    if issuer is None:
        raise ProblemError(
            "body.not-yours", "issuer: name one, for the key speaks for no body.", rule="body.not-yours"
        )
    return issuer


def usable(services: Services, principal: Principal, issuer: str | None = None) -> frozenset[str]:
    """The bodies whose templates and sets the caller's bodies may use; of one of them where it is named."""
    mine: Iterable[str] = {body for body, _ in services.account(principal.account).roles}
    chosen = [body for body in mine if issuer in {None, body}]
    office, at = services.ports.office, services.now()
    return frozenset(shelf for body in chosen for shelf in shelves(office, body, at))


def _found(services: Services, principal: Principal, template_id: UUID) -> Template:
    template = services.ports.office.template(template_id)
    if template.issuer_id not in usable(services, principal):
        raise ProblemError("not-found", "There is no such template, or it is not for you to see.")
    return template


def _changed(on: OnAlert, command: Callable[..., Template]) -> TemplateAnswer:
    return _answer(on.services, on.done(command), on.response)


def _answer(services: Services, template: Template, response: Response) -> TemplateAnswer:
    response.headers["ETag"] = version_tag(template.version, inside=True)
    return template_answer(template, services.tree().edition)


@router.post("/templates", status_code=201, summary="Save a template", responses=COMMAND_PROBLEMS)
def begin(caller: WithCaller, request: NewTemplate) -> TemplateAnswer:
    """For authors and managers of the body. The bodies below it may use it at once.

    Gaps stand in the texts as `{name}`; every gap is one of the `fields`, and every field is used.
    """
    template = _commands(caller.services).begin(
        caller.by,
        own_body(caller.principal, request.issuer),
        Saved(request.name, request.purpose, request.body),
        at=caller.services.now(),
        once=caller.once,
    )
    caller.response.headers["Location"] = f"/v1/templates/{template.id}"
    return _answer(caller.services, template, caller.response)


@router.get("/templates", summary="List templates", responses=problems_of(401, 422))
def list_templates(
    services: WithServices, principal: Staff, wanted: Annotated[Wanted, Query()]
) -> TemplatePage:
    """For staff: what their bodies may use, their own and those of the bodies above."""
    mine = usable(services, principal, wanted.issuer)
    return TemplatePage(
        templates=[
            template_summary(each)
            for each in services.shelf.templates().values()
            if each.issuer_id in mine
            and wanted.purpose in {None, each.latest.purpose}
            and (wanted.retired or not each.retired)
        ]
    )


@router.get("/templates/{template_id}", summary="Read a template", responses=problems_of(401, 404, 422))
def read(services: WithServices, principal: Staff, template_id: UUID, response: Response) -> TemplateAnswer:
    """Its latest version."""
    return _answer(services, _found(services, principal, template_id), response)


@router.get(
    "/templates/{template_id}/versions",
    summary="Read every version of a template",
    responses=problems_of(401, 404, 422),
)
def read_versions(services: WithServices, principal: Staff, template_id: UUID) -> TemplateVersions:
    """Who saved and who approved each."""
    template = _found(services, principal, template_id)
    return TemplateVersions(versions=[version_answer(each) for each in template.versions])


@router.post(
    "/templates/{template_id}/versions",
    summary="Save the next version of a template",
    responses=COMMAND_PROBLEMS | problems_of(428),
)
def save(
    on: WithAlert, template_id: UUID, request: NextTemplate, expected: ExpectedStrictly
) -> TemplateAnswer:
    """The text is replaced whole, and is not approved. If-Match keeps two editors apart."""
    del expected  # What it asks is that the header is there; OnAlert reads it.
    text = Saved(request.name, request.purpose, request.body)
    return _changed(on, partial(_commands(on.services).save, on.by, template_id, text))


@router.post("/templates/{template_id}/approve", summary="Approve a template", responses=COMMAND_PROBLEMS)
def approve(on: WithAlert, template_id: UUID, request: TemplateApproval) -> TemplateAnswer:
    """For an approver of the body who wrote nothing of what was saved since the last approval.

    A correction from an approved template goes out without a second person.
    """
    return _changed(on, partial(_commands(on.services).approve, on.by, template_id, request.version))


@router.post("/templates/{template_id}/retire", summary="Retire a template", responses=COMMAND_PROBLEMS)
def retire(on: WithAlert, template_id: UUID) -> TemplateAnswer:
    """For approvers and managers of the body. What was drafted from it stands."""
    return _changed(on, partial(_commands(on.services).retire, on.by, template_id))


@router.post(
    "/templates/{template_id}/draft",
    status_code=201,
    summary="Draft an alert from a template",
    responses=COMMAND_PROBLEMS,
)
def draft(caller: WithCaller, template_id: UUID, request: FilledTemplate) -> AlertState:
    """Fills the gaps and begins an alert, in one call. Fields that are missing or too long are named."""
    given = Given(
        request.values,
        request.areas,
        request.area_set,
        request.expires_at,
        request.version,
        request.mode,
    )
    alert = _drafts(caller.services).draft(
        caller.by,
        own_body(caller.principal, request.issuer),
        template_id,
        given,
        at=caller.services.now(),
        once=caller.once,
    )
    caller.response.headers["Location"] = f"/v1/alerts/{alert.id}"
    return caller.answer(alert)


@router.post(
    "/bulletins/nothing-to-report",
    status_code=201,
    summary="Draft the bulletin that nothing is to report",
    responses=COMMAND_PROBLEMS,
)
def nothing_to_report(caller: WithCaller, request: NothingToReport) -> AlertState:
    """How a body answers a reminder: the nearest template for it, to the body's own area.

    It is a draft like any other: it is submitted, approved and issued.
    """
    alert = _drafts(caller.services).nothing_to_report(
        caller.by,
        own_body(caller.principal, request.issuer),
        Given(request.values),
        at=caller.services.now(),
        once=caller.once,
    )
    caller.response.headers["Location"] = f"/v1/alerts/{alert.id}"
    return caller.answer(alert)


def _commands(services: Services) -> TemplateCommands:
    return TemplateCommands(services.ports.office, services.ports.alerts.limits)


def _drafts(services: Services) -> TemplateDrafts:
    return TemplateDrafts(services.ports.office, services.ports.alerts, services.shelf)
