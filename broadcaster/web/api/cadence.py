"""The duty to inform: at least one item in 3 days (telegram 05/CĐ-UBND §1d, §8b)."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, Field

from broadcaster.duty.answers import fingerprint
from broadcaster.proof.as_of import position_at
from broadcaster.web.api.reach_models import BodyCadenceAnswer, CadencePage, standing, summary
from broadcaster.web.api.tags import IfNoneMatch, answered
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from projections.cadence import view as cadence
from projections.cadence.duty import in_force
from projections.cadence.rule import State
from schemas.requests import Body, BodyId

router = APIRouter(prefix="/v1/cadence", tags=["cadence"])

At = Annotated[
    AwareDatetime,
    Field(
        ge=datetime(2000, 1, 1, tzinfo=UTC),
        le=datetime(2100, 1, 1, tzinfo=UTC),
        description="An instant with its offset; now without it.",
    ),
]


class AtInstant(Body):
    """When."""

    at: At | None = None
    as_it_stood: Annotated[
        bool, Field(description="Only what was recorded by then, not what we know of it now.")
    ] = False


class Wanted(AtInstant):
    """Which bodies."""

    level: Annotated[int | None, Field(ge=1, le=4, description="1 is the city.")] = None
    state: State | None = None


@router.get("", summary="How the bodies stand", response_model=CadencePage, responses=problems_of(304, 422))
def list_cadence(
    services: WithServices,
    response: Response,
    wanted: Annotated[Wanted, Query()],
    if_none_match: IfNoneMatch = None,
) -> Any:
    """The worst first. Its ETag leaves the instant of asking aside."""
    at = _at(services, wanted)
    levels = None if wanted.level is None else [wanted.level]
    with services.reading() as conn:
        found = services.ports.cadence.standing(conn, at, levels, known=_known(services, wanted, at))
        policy = in_force(services.ports.cadence.ledger(conn).policies, at)
    page = CadencePage(
        at=at,
        reading=policy.reading,
        summary=summary(cadence.summarise(found)),
        bodies=[standing(body) for body in found if wanted.state in {None, body.state}],
    )
    told = page.model_dump(mode="json", exclude=None if wanted.at else {"at"})
    return answered(page, response, if_none_match, tag=f'"{fingerprint(told)}"')


@router.get(
    "/{issuer}",
    summary="How a body stands",
    response_model=BodyCadenceAnswer,
    responses=problems_of(304, 404, 422),
)
def read_cadence(
    services: WithServices,
    response: Response,
    issuer: BodyId,
    wanted: Annotated[AtInstant, Query()],
    if_none_match: IfNoneMatch = None,
) -> Any:
    """404 for a body that had no duty then."""
    with services.reading() as conn:
        at = _at(services, wanted)
        found = services.ports.cadence.one(conn, issuer, at, known=_known(services, wanted, at))
    if found is None:
        raise ProblemError("not-found", f"{issuer} has no such duty at that time.")
    return answered(standing(found), response, if_none_match)


def _at(services: Services, wanted: AtInstant) -> datetime:
    return (wanted.at or services.now()).astimezone(UTC)


def _known(services: Services, wanted: AtInstant, at: datetime) -> int | None:
    return position_at(services.ports.log, at)[0] if wanted.as_it_stood else None
