"""What an author should look at before an alert goes out, though it may."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter

from broadcaster.drafting.duplicates import Live, NearDuplicate, near_duplicates
from broadcaster.web.api.models import AlertState, Answer
from broadcaster.web.auth import Staff
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from projections.board import view as board
from schemas.content import Content

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])


class WarningAnswer(Answer):
    """A live alert that says much the same, to people who would be told twice."""

    kind: Literal["near_duplicate"] = "near_duplicate"
    alert_id: UUID
    issuer: str
    headline: str
    similarity: float
    """The share of the words of both headlines that both have; 1 is the same words."""
    same_issuer: bool
    overlapping: bool
    """Whether the two share an area."""
    message: str


class AlertWarnings(Answer):
    """All there are, the likest first."""

    warnings: list[WarningAnswer]


class SubmittedAlert(AlertState):
    """The alert after its submission, with what its approver should look at."""

    warnings: list[WarningAnswer]


def warnings_of(
    services: Services, alert_id: UUID, issuer_id: str, content: Content
) -> list[WarningAnswer]:
    """Of what a version in work says."""
    with services.reading() as conn:
        rows = board.live_of(conn, content.category, content.mode)
    live = [Live(row.alert_id, row.issuer_id, row.content, row.edition) for row in rows]
    found = near_duplicates(content, issuer_id, alert_id, live, services.tree())
    return [_answer(each) for each in found]


@router.get("/{alert_id}/warnings", summary="Read what to look at", responses=problems_of(401, 404, 422))
def read_warnings(services: WithServices, principal: Staff, alert_id: UUID) -> AlertWarnings:
    """For staff of the alert's body, about its version in work: live alerts that say much the same."""
    alert = services.ports.office.alert(alert_id)
    if alert.issuer_id not in {body for body, _ in services.account(principal.account).roles}:
        raise ProblemError("not-found", "There is no such alert, or it is not for you to see.")
    content = alert.work.content if alert.work else None
    return AlertWarnings(
        warnings=warnings_of(services, alert_id, alert.issuer_id, content) if content else []
    )


def _answer(found: NearDuplicate) -> WarningAnswer:
    headline = found.live.content.text("vi").headline
    return WarningAnswer(
        alert_id=found.live.alert_id,
        issuer=found.live.issuer_id,
        headline=headline,
        similarity=round(found.similarity, 2),
        same_issuer=found.same_issuer,
        overlapping=found.overlapping,
        message=f"{found.live.issuer_id} has a live alert much like it: {headline}",
    )
