"""Saved sets of areas."""

from collections.abc import Callable
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from broadcaster.area_set import AreaSet
from broadcaster.commands.area_sets import AreaSetCommands
from broadcaster.web.api.alert_actions import OnAlert, WithAlert, WithCaller
from broadcaster.web.api.tags import ExpectedStrictly, version_tag
from broadcaster.web.api.template_models import AreaSetAnswer, AreaSetPage, area_set_answer
from broadcaster.web.api.templates import own_body, usable
from broadcaster.web.auth import Staff
from broadcaster.web.openapi import COMMAND_PROBLEMS, problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from schemas.requests import Body, BodyId
from schemas.template_requests import NewAreaSet, NextAreaSet

router = APIRouter(prefix="/v1/area-sets", tags=["templates"])


class Wanted(Body):
    """Which sets."""

    issuer: Annotated[
        BodyId | None, Field(description="Usable by this body; by all of yours without it.")
    ] = None
    retired: Annotated[bool, Field(description="Those out of use, too.")] = False


@router.post("", status_code=201, summary="Save a set of areas", responses=COMMAND_PROBLEMS)
def begin_area_set(caller: WithCaller, request: NewAreaSet) -> AreaSetAnswer:
    """For authors and managers of the body. A set gives no right: what is drafted with it is checked."""
    found = AreaSetCommands(caller.services.ports.office).begin(
        caller.by,
        own_body(caller.principal, request.issuer),
        request.name,
        request.areas,
        at=caller.services.now(),
        once=caller.once,
    )
    caller.response.headers["Location"] = f"/v1/area-sets/{found.id}"
    return _answer(caller.services, found, caller.response)


@router.get("", summary="List sets of areas", responses=problems_of(401, 422))
def list_area_sets(
    services: WithServices, principal: Staff, wanted: Annotated[Wanted, Query()]
) -> AreaSetPage:
    """For staff: what their bodies may use. Those of another edition are listed as out of date."""
    mine, edition = usable(services, principal, wanted.issuer), services.tree().edition
    return AreaSetPage(
        area_sets=[
            area_set_answer(each, edition)
            for each in services.shelf.area_sets().values()
            if each.issuer_id in mine and (wanted.retired or not each.retired)
        ]
    )


@router.get("/{area_set_id}", summary="Read a set of areas", responses=problems_of(401, 404, 422))
def read_area_set(
    services: WithServices, principal: Staff, area_set_id: UUID, response: Response
) -> AreaSetAnswer:
    """Its ETag is what If-Match wants when it is changed."""
    found = services.ports.office.area_set(area_set_id)
    if found.issuer_id not in usable(services, principal):
        raise ProblemError("not-found", "There is no such set of areas, or it is not for you to see.")
    return _answer(services, found, response)


@router.post(
    "/{area_set_id}/versions",
    summary="Save the next version of a set of areas",
    responses=COMMAND_PROBLEMS | problems_of(428),
)
def save_area_set(
    on: WithAlert, area_set_id: UUID, request: NextAreaSet, expected: ExpectedStrictly
) -> AreaSetAnswer:
    """In the edition in force; this is how a set that is out of date becomes usable again."""
    del expected  # What it asks is that the header is there; OnAlert reads it.
    commands = AreaSetCommands(on.services.ports.office)
    return _changed(on, partial(commands.save, on.by, area_set_id, request.name, request.areas))


@router.post("/{area_set_id}/retire", summary="Retire a set of areas", responses=COMMAND_PROBLEMS)
def retire_area_set(on: WithAlert, area_set_id: UUID) -> AreaSetAnswer:
    """For authors and managers of the body."""
    return _changed(on, partial(AreaSetCommands(on.services.ports.office).retire, on.by, area_set_id))


def _changed(on: OnAlert, command: Callable[..., AreaSet]) -> AreaSetAnswer:
    return _answer(on.services, on.done(command), on.response)


def _answer(services: Services, found: AreaSet, response: Response) -> AreaSetAnswer:
    response.headers["ETag"] = version_tag(found.version, inside=True)
    return area_set_answer(found, services.tree().edition)
