"""The audit trail: every event of the log in words."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from broadcaster.web.api.auditors import require_auditor
from broadcaster.web.api.reach_models import AuditPage, entry
from broadcaster.web.auth import Staff
from broadcaster.web.openapi import problems_of
from broadcaster.web.services import WithServices
from projections.audit import view as audit
from schemas.requests import Body, BodyId

router = APIRouter(prefix="/v1/audit", tags=["delivery"])

Account = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,120}$")]
Topic = Annotated[str, Field(pattern=r"^[a-z_]{1,40}\.[a-z_]{1,40}$")]


class Wanted(Body):
    """Which entries."""

    alert_id: UUID | None = None
    account: Account | None = None
    body: BodyId | None = None
    topic: Topic | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    before: Annotated[int | None, Field(ge=1, le=2**62, description="Of the former page.")] = None


@router.get("", summary="What happened", responses=problems_of(401, 403, 422))
def list_entries(services: WithServices, principal: Staff, wanted: Annotated[Wanted, Query()]) -> AuditPage:
    """For auditors, of whichever body."""
    require_auditor(services, principal)
    with services.reading() as conn:
        found = audit.entries(
            conn,
            alert_id=wanted.alert_id,
            account=wanted.account,
            body=wanted.body,
            topic=wanted.topic,
            before=wanted.before,
            limit=wanted.limit + 1,
        )
    page = found[: wanted.limit]
    return AuditPage(
        entries=[entry(one) for one in page],
        before=page[-1].position if len(found) > wanted.limit else None,
    )
