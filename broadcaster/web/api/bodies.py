"""Issuing bodies."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from broadcaster.web.api.place_models import BodyAnswer, BodyPage, body_answer
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import WithServices
from schemas.areas import unaccented
from schemas.content import AreaCode
from schemas.requests import Body, BodyId

router = APIRouter(prefix="/v1/bodies", tags=["register"])


class Wanted(Body):
    """Which bodies."""

    level: Annotated[int | None, Field(ge=1, le=9, description="1 is the city.")] = None
    area: Annotated[AreaCode | None, Field(description="In charge of this very area.")] = None
    parent: Annotated[BodyId | None, Field(description="Directly below this body.")] = None
    q: Annotated[
        str | None, Field(max_length=100, description="Words of the name; accents and case aside.")
    ] = None


@router.get("", summary="List or search bodies", responses=problems_of(422))
def list_bodies(services: WithServices, wanted: Annotated[Wanted, Query()]) -> BodyPage:
    """In order of registration."""
    words = unaccented(wanted.q or "")
    found = [
        body_answer(body)
        for body in services.directory.bodies().values()
        if (wanted.level is None or body.level == wanted.level)
        and (wanted.area is None or body.area == wanted.area)
        and (wanted.parent is None or body.parent == wanted.parent)
        and words in unaccented(body.name)
    ]
    return BodyPage(bodies=found)


@router.get("/{body_id}", summary="Read a body", responses=problems_of(404, 422))
def read_body(services: WithServices, body_id: BodyId) -> BodyAnswer:
    """Its area and its fields say what it may issue."""
    body = services.directory.bodies().get(body_id)
    if body is None:
        raise ProblemError("not-found", f"There is no body {body_id}.")
    return body_answer(body)
