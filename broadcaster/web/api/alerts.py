"""Reading alerts."""

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from broadcaster.keys import Principal
from broadcaster.web import story
from broadcaster.web.api.models import AlertAnswer, AlertPage, alert_answer, alert_summary
from broadcaster.web.api.tags import IfNoneMatch, answered, version_tag
from broadcaster.web.auth import Anyone
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from projections.board import view as board
from schemas.content import AreaCode, Mode
from schemas.requests import Body, BodyId

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])

Status = Literal["in_work", "live", "cancelled", "expired", "rejected"]
_ISSUED: Sequence[Status] = ("live", "cancelled", "expired")
_UNSEEN: Sequence[Status] = ("in_work", "rejected")
"""Nothing of these ever went out: they are for staff of their own body."""


class Wanted(Body):
    """Which alerts."""

    status: Annotated[Status | None, Field(description="Without it, all that you may see.")] = None
    issuer: Annotated[BodyId | None, Field(description="Of this body only.")] = None
    area: Annotated[AreaCode | None, Field(description="Addressed to this area or to one above it.")] = None
    mode: Annotated[Mode, Field(description="Exercises and tests are lists of their own.")] = Mode.ACTUAL
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    before: Annotated[int | None, Field(ge=1, le=2**62, description="Of the former page.")] = None


def _covering(services: Services, area: str) -> dict[str, list[str]]:
    tree = services.tree()
    if area not in tree:
        raise ProblemError("not-found", f"Edition {tree.edition} has no area {area}.")
    return services.covering(area)


def _inside(services: Services, principal: Principal | None) -> frozenset[str]:
    """The bodies whose work the caller may see: those its account holds a role for."""
    if principal is None:
        return frozenset()
    return frozenset(body for body, _ in services.account(principal.account).roles)


@router.get("", summary="List alerts", responses=problems_of(404, 422))
def list_alerts(services: WithServices, principal: Anyone, wanted: Annotated[Wanted, Query()]) -> AlertPage:
    """The latest changed first. Drafts are shown to staff of their own body, with a key."""
    mine = _inside(services, principal)
    areas = _covering(services, wanted.area) if wanted.area else None
    rows: list[board.BoardRow] = []
    with services.reading() as conn:
        for status in (wanted.status,) if wanted.status else (*_ISSUED, *_UNSEEN):
            bodies = [wanted.issuer]
            if status in _UNSEEN:
                bodies = sorted(mine & {wanted.issuer} if wanted.issuer else mine)
            for body in bodies:
                rows += board.find(
                    conn,
                    status=status,
                    issuer=body,
                    areas=areas,
                    mode=wanted.mode,
                    limit=wanted.limit + 1,
                    before=wanted.before,
                )
    rows.sort(key=lambda row: -row.position)
    page = rows[: wanted.limit]
    return AlertPage(
        alerts=[alert_summary(row, inside=row.issuer_id in mine) for row in page],
        before=page[-1].position if len(rows) > wanted.limit else None,
    )


@router.get(
    "/{alert_id}", summary="Read an alert", response_model=AlertAnswer, responses=problems_of(304, 404, 422)
)
def read_alert(
    services: WithServices,
    principal: Anyone,
    alert_id: UUID,
    response: Response,
    if_none_match: IfNoneMatch = None,
) -> object:
    """As the log has it now. Its ETag is what If-Match wants when it is changed."""
    found = story.read(services.ports.log, alert_id)
    inside = found.alert.issuer_id in _inside(services, principal)
    if not inside and not found.is_public:
        raise ProblemError("not-found", "There is no such alert, or it is not for you to see.")
    tag = version_tag(found.alert.version, inside=inside)
    return answered(alert_answer(found, inside=inside), response, if_none_match, tag=tag)
