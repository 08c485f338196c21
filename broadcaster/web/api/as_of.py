"""What stood at an instant, for auditors."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from broadcaster.lifecycle import Life
from broadcaster.proof import as_of
from broadcaster.web.api.auditors import require_auditor
from broadcaster.web.api.models import Answer, Instant
from broadcaster.web.auth import Staff
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import WithServices
from schemas.content import Instant as GivenInstant
from schemas.requests import Body

router = APIRouter(prefix="/v1/as-of", tags=["delivery"])


class HandsAnswer(Answer):
    """Whose hands a version went through, by account, and what it stood on."""

    drafted_by: str
    revised_by: tuple[str, ...]
    submitted_by: str | None
    approved_by: str | None
    issued_by: str | None
    delegation_id: UUID | None
    """The delegation it stood on; none where the body's own rights were enough."""


class StandingAnswer(Answer):
    """An alert as it stood. Before its first issue it tells of the version in work."""

    alert_id: UUID
    issuer_id: str
    life: Life
    version: int
    headline: str
    areas: tuple[str, ...]
    edition: str | None
    """Of the area register, to which the codes belong; none in an old log, before the first issue."""
    hands: HandsAnswer
    effective_at: Instant | None
    expires_at: Instant | None
    overdue: bool
    """Its time was up, but its end was not recorded yet."""
    ended_by: str | None
    audiences: dict[str, int]
    """People the version was for, by channel; one whose audience was not yet fixed is absent."""


class StoodAnswer(Answer):
    """What stood at an instant, and the state of the log that says so."""

    at: Instant
    position: int
    """Of the last event recorded by then."""
    chain: str
    """Of the log at that position: two answers with the same chain rest on the same facts."""
    alerts: tuple[StandingAnswer, ...]


class Asked(Body):
    """Which instant."""

    at: GivenInstant
    alert_id: UUID | None = None


@router.get("", summary="What stood at an instant", responses=problems_of(401, 403, 422))
def stood(services: WithServices, principal: Staff, asked: Annotated[Asked, Query()]) -> StoodAnswer:
    """For auditors, of whichever body. Without `alert_id` the alerts live then, from the log itself."""
    require_auditor(services, principal)
    if asked.at > services.now():
        raise ProblemError("request.invalid", "at: lies in the future, so the answer could still change")
    log = services.ports.log
    found = as_of.as_of(as_of.recorded(log), asked.at, asked.alert_id)
    position, chain = as_of.position_at(log, asked.at)
    alerts = tuple(StandingAnswer.model_validate(asdict(each)) for each in found.alerts)
    return StoodAnswer(at=asked.at, position=position, chain=chain, alerts=alerts)
