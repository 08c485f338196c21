"""Issuing bodies."""

from datetime import time
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import Field, model_validator

from broadcaster.commands.bodies import BodyCommands
from broadcaster.web.api.place_models import BodyAnswer, BodyPage, body_answer
from broadcaster.web.auth import Staff, WithOnce, actor
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import WithServices
from schemas.areas import unaccented
from schemas.content import AreaCode
from schemas.events import IssuerContact
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
    now, edition = services.now(), services.tree().edition
    found = [
        body_answer(body)
        for body in (each.as_of(now, edition) for each in services.directory.bodies().values())
        if (wanted.level is None or body.level == wanted.level)
        and (wanted.area is None or body.seat(edition) == wanted.area)
        and (wanted.parent is None or body.parent == wanted.parent)
        and words in unaccented(body.name)
    ]
    return BodyPage(bodies=found)


@router.get("/{body_id}", summary="Read a body", responses=problems_of(404, 422))
def read_body(services: WithServices, body_id: BodyId) -> BodyAnswer:
    """Its area and its fields say what it may issue."""
    body = services.body(body_id)
    if body is None:
        raise ProblemError("not-found", f"There is no body {body_id}.")
    return body_answer(body)


class Contacts(Body):
    """Ways to reach the office of a body, instead of those that there are. Offices, not persons."""

    contacts: Annotated[tuple[IssuerContact, ...], Field(max_length=10)]


class BulletinPolicy(Body):
    """What a body decides about its bulletins. Alerts take two people and wait for no morning."""

    one_person_bulletins: bool = False
    quiet_from: Annotated[time | None, Field(description="Local, for example 22:00.")] = None
    quiet_until: Annotated[time | None, Field(description="With `quiet_from`, or neither.")] = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValueError("quiet_from, quiet_until: both or neither")
        for at in (self.quiet_from, self.quiet_until):
            if at is not None and (at.tzinfo is not None or at.microsecond):
                raise ValueError("quiet_from, quiet_until: local times of day, to the second")
        return self

    @property
    def quiet_hours(self) -> tuple[time, time] | None:
        """Both, or None."""
        if self.quiet_from is None or self.quiet_until is None:
            return None
        return self.quiet_from, self.quiet_until


_CHANGE = problems_of(401, 403, 404, 409, 422, command=True)


@router.put("/{body_id}/contacts", summary="Set a body's contacts", responses=_CHANGE)
def set_contacts(
    services: WithServices, principal: Staff, once: WithOnce, body_id: BodyId, request: Contacts
) -> BodyAnswer:
    """For managers of the body or of the one above it."""
    commands = BodyCommands(services.ports.office)
    return body_answer(
        commands.set_contacts(actor(principal), body_id, request.contacts, at=services.now(), once=once)
    )


@router.put("/{body_id}/policy", summary="Set a body's policy on bulletins", responses=_CHANGE)
def set_policy(
    services: WithServices, principal: Staff, once: WithOnce, body_id: BodyId, request: BulletinPolicy
) -> BodyAnswer:
    """For managers of the body or of the one above it. What is left out is off."""
    body = BodyCommands(services.ports.office).set_policy(
        actor(principal),
        body_id,
        one_person_bulletins=request.one_person_bulletins,
        quiet_hours=request.quiet_hours,
        at=services.now(),
        once=once,
    )
    return body_answer(body)
