"""What came of the sends."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from broadcaster.web import story
from broadcaster.web.api.reach_models import (
    AlertAudience,
    AlertReach,
    AreaAudience,
    AudienceAnswer,
    ChannelTotals,
    ReceiptPage,
    ScreenPlays,
    SmsCarried,
    VersionReachAnswer,
    receipt,
    totals,
)
from broadcaster.web.api.screen_accounts import screens_shown
from broadcaster.web.auth import Staff
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from projections.audience import view as audience
from projections.reach import view as reach
from projections.sms import view as sms
from schemas.content import Channel

router = APIRouter(prefix="/v1", tags=["delivery"])

Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/alerts/{alert_id}/reach", summary="What came of an alert", responses=problems_of(404, 422))
def alert_reach(services: WithServices, alert_id: UUID) -> AlertReach:
    """By version and channel. Every recipient ends in exactly one outcome."""
    issued = _told(services, alert_id).alert.issued
    with services.reading() as conn:
        found = reach.of_alert(conn, alert_id)
        carried = sms.of_alert(conn, alert_id)
        showings = reach.showings(conn, alert_id)
    phones = services.ports.registry.device_counts(alert_id)
    return AlertReach(
        channels=[VersionReachAnswer.model_validate(one) for one in found],
        shown=phones.shown,
        opened=phones.opened,
        sms=[SmsCarried.model_validate(one) for one in carried],
        screens=[]
        if issued is None
        else screens_shown(services, services.tree(issued.edition), issued, alert_id, showings),
        plays=[
            ScreenPlays(version=version, plays=plays, seconds=seconds)
            for version, (plays, seconds) in sorted(services.plays.of_alert(alert_id).items())
        ],
    )


@router.get(
    "/alerts/{alert_id}/audience", summary="Whom an alert is for", responses=problems_of(401, 404, 422)
)
def alert_audience(services: WithServices, principal: Staff, alert_id: UUID) -> AlertAudience:
    """By area of their homes. For staff: in a small area a count says much about few."""
    del principal
    issued = _told(services, alert_id).alert.issued
    tree = services.tree(issued.edition if issued else None)
    audiences: list[AudienceAnswer] = []
    with services.reading() as conn:
        for one in audience.of_alert(conn, alert_id):
            counts = audience.by_area(conn, alert_id, one.version, one.channel)
            areas = [
                AreaAudience(code=code, name=tree[code].name if code in tree else code, count=count)
                for code, count in counts.items()
            ]
            audiences.append(
                AudienceAnswer(
                    version=one.version,
                    channel=one.channel,
                    count=one.count,
                    sha256=one.sha256,
                    areas=areas,
                )
            )
    return AlertAudience(audiences=audiences)


@router.get("/reach", summary="Totals by channel")
def all_reach(services: WithServices) -> ChannelTotals:
    """All actual alerts together; what came of an exercise or a test is told by itself alone."""
    with services.reading() as conn:
        found = reach.totals_by_channel(conn)
    return ChannelTotals(channels={channel: totals(counted) for channel, counted in found.items()})


@router.get("/receipts", summary="The last receipts", responses=problems_of(401, 422))
def receipts(
    services: WithServices,
    principal: Staff,
    channel: Channel | None = None,
    limit: Limit = 20,
) -> ReceiptPage:
    """One for each dispatch: a slice of an audience on a channel."""
    del principal
    with services.reading() as conn:
        return ReceiptPage(receipts=[receipt(row) for row in reach.recent(conn, channel, limit)])


def _told(services: Services, alert_id: UUID) -> story.Story:
    found = story.read(services.ports.log, alert_id)
    if not found.is_public:
        raise ProblemError("not-found", "There is no such alert, or it has not gone out.")
    return found
