"""The duty to inform: at least one item in 3 days (telegram 05/CĐ-UBND §1d, §8b)."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from broadcaster.web.api.reach_models import BodyCadenceAnswer, CadencePage, standing, summary
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from projections.cadence import view as cadence
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


class Wanted(AtInstant):
    """Which bodies."""

    level: Annotated[int | None, Field(ge=1, le=4, description="1 is the city.")] = None
    state: State | None = None


@router.get("", summary="How the bodies stand", responses=problems_of(422))
def list_cadence(services: WithServices, wanted: Annotated[Wanted, Query()]) -> CadencePage:
    """The worst first."""
    at, reading = _at(services, wanted), services.ports.cadence_reading
    levels = None if wanted.level is None else [wanted.level]
    with services.reading() as conn:
        found = cadence.standing(conn, at, reading, levels)
    return CadencePage(
        at=at,
        reading=reading,
        summary=summary(cadence.summarise(found)),
        bodies=[standing(body) for body in found if wanted.state in {None, body.state}],
    )


@router.get("/{issuer}", summary="How a body stands", responses=problems_of(404, 422))
def read_cadence(
    services: WithServices, issuer: BodyId, wanted: Annotated[AtInstant, Query()]
) -> BodyCadenceAnswer:
    """404 for a body that had no duty then."""
    with services.reading() as conn:
        found = cadence.one(conn, issuer, _at(services, wanted), services.ports.cadence_reading)
    if found is None:
        raise ProblemError("not-found", f"{issuer} has no such duty at that time.")
    return standing(found)


def _at(services: Services, wanted: AtInstant) -> datetime:
    return (wanted.at or services.now()).astimezone(UTC)
