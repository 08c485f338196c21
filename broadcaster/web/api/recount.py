"""An old alert's audience counted again, for auditors."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from broadcaster.reckoning.census import CensusTaker
from broadcaster.reckoning.recount import Recounter
from broadcaster.reckoning.recounted import Recount
from broadcaster.web.api.auditors import require_auditor
from broadcaster.web.api.models import Answer, Instant
from broadcaster.web.auth import Staff
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import WithServices

router = APIRouter(prefix="/v1/alerts", tags=["delivery"])

Version = Annotated[int | None, Query(ge=1, le=1_000_000, description="The last one without it.")]


class RecountAnswer(Recount):
    """One channel: who it was for, and what can be said of them now. See docs/areas.md."""

    frozen_at: Instant


class Recounted(Answer):
    """By channel; one that has no audience is absent."""

    channels: tuple[RecountAnswer, ...]


@router.get(
    "/{alert_id}/audience/recount",
    summary="Count an old audience again",
    responses=problems_of(401, 403, 404, 422),
)
def recount(services: WithServices, principal: Staff, alert_id: UUID, version: Version = None) -> Recounted:
    """For auditors. By the communes of its day, by today's, and against the registry as it is now."""
    require_auditor(services, principal)
    ports = services.ports
    census = CensusTaker(ports.pool, ports.office, ports.registry)
    try:
        found = Recounter(ports.pool, ports.office, census).of(alert_id, services.now(), version)
    except LookupError:
        raise ProblemError(
            "not-found", "There is no such alert, or that version has not gone out."
        ) from None
    return Recounted(channels=tuple(RecountAnswer.model_validate(one.model_dump()) for one in found))
