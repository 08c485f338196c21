"""Before approval: whom a version would reach and what it takes. Afterwards: beside what happened."""

from decimal import Decimal
from uuid import UUID

from fastapi import APIRouter

from broadcaster.account import Role
from broadcaster.reckoning.census import CensusTaker
from broadcaster.reckoning.forecast import Effort
from broadcaster.reckoning.preflight import ChannelPreflight, Preflights
from broadcaster.web import story
from broadcaster.web.api.models import Answer, Instant
from broadcaster.web.api.reach_models import AreaAudience, TotalsAnswer, totals
from broadcaster.web.auth import Staff
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from projections.fanout import view as fanout
from projections.reach import view as reach
from schemas.areas import AreaTree
from schemas.content import Channel

router = APIRouter(prefix="/v1/alerts", tags=["delivery"])

_FAILURES = problems_of(401, 403, 404, 422)


class SmsAnswer(Answer):
    """The short message for the readers of one language, as it would be sent."""

    language: str
    text: str
    encoding: str
    parts: int
    recipients: int
    messages: int
    """Parts to all of them: what is paid for."""


class EffortAnswer(Answer):
    """What a channel takes, by one worker process with nothing else under way."""

    messages: int
    """What the quota counts: pushes, or parts of short messages."""
    seconds: float
    cost: Decimal | None
    """In đồng; absent where no price is set, or nothing is paid."""
    sms: list[SmsAnswer]


class SparedAnswer(Answer):
    """Who would not be sent it, for a graver alert of the incident is theirs already."""

    alert_id: UUID
    version: int
    count: int


class OverlapAnswer(Answer):
    """A live alert that some of the recipients have already."""

    alert_id: UUID
    version: int
    issuer_id: str
    headline: str
    recipients: int
    """Who would have both."""


class ChannelPreflightAnswer(Answer):
    """One channel of the version in work."""

    channel: Channel
    recipients: int
    areas: list[AreaAudience]
    spared: list[SparedAnswer]
    overlaps: list[OverlapAnswer]
    effort: EffortAnswer


class PreflightAnswer(Answer):
    """The version in work, had it gone out at `at`. Screens are not in it: they ask by themselves."""

    alert_id: UUID
    version: int
    edition: str
    at: Instant
    channels: list[ChannelPreflightAnswer]


class HappenedAnswer(Answer):
    """What came of a channel so far."""

    totals: TotalsAnswer
    seconds: float | None
    """From the audience to the last receipt."""
    per_second: float | None
    """Recipients settled, over that time."""


class ChannelForecast(Answer):
    """What the frozen audience foretold, and what happened."""

    channel: Channel
    recipients: int
    forecast: EffortAnswer
    happened: HappenedAnswer


class ForecastAnswer(Answer):
    """The version that is out, or was the last to be."""

    alert_id: UUID
    version: int
    channels: list[ChannelForecast]


@router.get("/{alert_id}/preflight", summary="Before approval", responses=_FAILURES)
def preflight(services: WithServices, principal: Staff, alert_id: UUID) -> PreflightAnswer:
    """For staff of the alert's body. The audience is the one that would be fixed now, by the same rules."""
    alert = _own(services, principal.account, alert_id).alert
    if alert.work is None:
        raise ProblemError("not-found", "There is no version in work.")
    with services.reading() as conn:
        found = _preflights(services).of(conn, alert, services.now())
    tree = services.tree(found.edition)
    return PreflightAnswer(
        alert_id=alert_id,
        version=found.version,
        edition=found.edition,
        at=found.at,
        channels=[_channel(tree, one) for one in found.channels],
    )


@router.get("/{alert_id}/forecast", summary="Forecast and outcome", responses=_FAILURES)
def forecast(services: WithServices, principal: Staff, alert_id: UUID) -> ForecastAnswer:
    """For staff of the alert's body. It follows from the frozen audience, at the quotas set now."""
    alert = _own(services, principal.account, alert_id).alert
    if alert.issued is None:
        raise ProblemError("not-found", "It has not gone out.")
    preflights = _preflights(services)
    channels: list[ChannelForecast] = []
    with services.reading() as conn:
        for one in reach.of_alert(conn, alert_id):
            members = fanout.members(conn, one.channel, [alert_id]).get(alert_id)
            if one.version != alert.issued.version or members is None:
                continue
            channels.append(
                ChannelForecast(
                    channel=one.channel,
                    recipients=len(members),
                    forecast=_effort(preflights.effort(alert, one.channel, members)),
                    happened=_happened(one),
                )
            )
    return ForecastAnswer(alert_id=alert_id, version=alert.issued.version, channels=channels)


def _preflights(services: Services) -> Preflights:
    ports = services.ports
    return Preflights(
        ports.office, ports.registry, CensusTaker(ports.pool, ports.office, ports.registry), ports.quotas
    )


def _own(services: Services, account: str, alert_id: UUID) -> story.Story:
    found = story.read(services.ports.log, alert_id)
    services.account(account).check(found.alert.issuer_id, *Role)
    return found


def _channel(tree: AreaTree, one: ChannelPreflight) -> ChannelPreflightAnswer:
    return ChannelPreflightAnswer(
        channel=one.channel,
        recipients=one.recipients,
        areas=[
            AreaAudience(code=code, name=tree[code].name if code in tree else code, count=count)
            for code, count in sorted(one.by_area.items())
        ],
        spared=[SparedAnswer.model_validate(each) for each in one.spared],
        overlaps=[OverlapAnswer.model_validate(each) for each in one.overlaps],
        effort=_effort(one.effort),
    )


def _effort(effort: Effort) -> EffortAnswer:
    return EffortAnswer(
        messages=effort.messages,
        seconds=round(effort.seconds, 3),
        cost=effort.cost,
        sms=[SmsAnswer.model_validate(each) for each in effort.sms],
    )


def _happened(one: reach.VersionReach) -> HappenedAnswer:
    seconds = None
    if one.frozen_at and one.last_receipt_at:
        seconds = (one.last_receipt_at - one.frozen_at).total_seconds()
    return HappenedAnswer(
        totals=totals(one.totals),
        seconds=seconds,
        per_second=round(one.totals.final / seconds, 1) if seconds else None,
    )
