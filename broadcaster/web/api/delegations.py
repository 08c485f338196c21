"""Delegations of rights: giving them, taking them back, and who holds which."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from broadcaster.commands.delegations import DelegationCommands
from broadcaster.delegation import Delegation
from broadcaster.web.api.models import Answer, Instant
from broadcaster.web.auth import Staff, WithOnce, actor
from broadcaster.web.openapi import DELEGATION_EXAMPLE, problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import WithServices
from schemas.requests import Body, BodyId, NewDelegation

router = APIRouter(prefix="/v1/delegations", tags=["register"])

State = Literal["upcoming", "in_force", "ended", "lapsed", "revoked"]


class DelegationAnswer(Answer):
    """A right to issue that one body gave another, until just before `ends_at`."""

    id: UUID
    grantor: str
    grantee: str
    fields: list[str]
    """Category codes."""
    areas: list[str]
    """Each with all that lies below it."""
    edition: str
    """Of the area register; with another edition in force the delegation has lapsed."""
    starts_at: Instant
    ends_at: Instant
    state: State


class DelegationPage(Answer):
    """Delegations, in order of grant."""

    delegations: list[DelegationAnswer]


class Wanted(Body):
    """Which delegations."""

    body: Annotated[BodyId | None, Field(description="Given by this body or to it.")] = None


@router.post(
    "",
    status_code=201,
    summary="Delegate a right",
    responses=problems_of(401, 403, 404, 409, 422, command=True),
    openapi_extra=DELEGATION_EXAMPLE,
)
def grant(
    services: WithServices, principal: Staff, once: WithOnce, request: NewDelegation, response: Response
) -> DelegationAnswer:
    """For managers of the grantor, within its own area and fields.

    An alert stands on the own rights of its body or on one delegation that covers all of it.
    """
    grantor = request.grantor or principal.body
    if grantor is None:
        raise ProblemError(
            "body.not-yours", "grantor: name one, for the key speaks for no body.", rule="body.not-yours"
        )
    now = services.now()
    given = DelegationCommands(services.ports.office).grant(
        actor(principal),
        grantor,
        request.grantee,
        fields=request.fields,
        areas=request.areas,
        starts_at=request.starts_at,
        ends_at=request.ends_at,
        at=now,
        once=once,
    )
    response.headers["Location"] = f"/v1/delegations?body={given.grantee}"
    return _answer(given, services.tree().edition, now)


@router.get("", summary="List delegations", responses=problems_of(401, 422))
def list_delegations(
    services: WithServices, principal: Staff, wanted: Annotated[Wanted, Query()]
) -> DelegationPage:
    """For staff. All of them, or those of one body; those that are over are among them."""
    del principal  # That there is one is all that is asked.
    edition, now = services.tree().edition, services.now()
    return DelegationPage(
        delegations=[
            _answer(each, edition, now)
            for each in services.ports.office.every_delegation().values()
            if wanted.body is None or wanted.body in {each.grantor, each.grantee}
        ]
    )


@router.post(
    "/{delegation_id}/revoke",
    summary="Revoke a delegation",
    responses=problems_of(401, 403, 404, 409, 422, command=True),
)
def revoke(
    services: WithServices, principal: Staff, once: WithOnce, delegation_id: UUID
) -> DelegationAnswer:
    """For managers of the grantor. It is gone at once; what was issued under it stands."""
    now = services.now()
    commands = DelegationCommands(services.ports.office)
    given = commands.revoke(actor(principal), delegation_id, at=now, once=once)
    return _answer(given, services.tree().edition, now)


def _answer(given: Delegation, edition: str, at: datetime) -> DelegationAnswer:
    return DelegationAnswer(
        id=given.id,
        grantor=given.grantor,
        grantee=given.grantee,
        fields=sorted(given.fields),
        areas=list(given.areas),
        edition=given.edition,
        starts_at=given.starts_at,
        ends_at=given.ends_at,
        state=_state(given, edition, at),
    )


def _state(given: Delegation, edition: str, at: datetime) -> State:
    if given.revoked:
        return "revoked"
    if given.ends_at <= at:
        return "ended"
    if given.edition != edition:
        return "lapsed"
    return "in_force" if given.in_force(at) else "upcoming"
