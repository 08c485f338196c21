"""Whether the road to the phones works."""

from typing import Literal

from fastapi import APIRouter

from broadcaster.web.api.models import Answer, Instant
from broadcaster.web.auth import Staff
from broadcaster.web.openapi import problems_of
from broadcaster.web.services import WithServices
from projections.canary import view as canary
from projections.canary.rule import LATE, State, silent
from schemas.content import Channel, Lane

router = APIRouter(prefix="/v1/canary", tags=["operations"])


class ProbeAnswer(Answer):
    """The latest test item on a lane and channel."""

    lane: Lane
    channel: Channel
    number: int
    state: State
    sent_at: Instant
    ended_at: Instant | None
    seconds: float | None
    """From the log to the receipt."""
    late_after: float
    """Seconds."""


class CanaryAnswer(Answer):
    """All of them; `status` is off where none was ever sent, alarm too where none is sent any more."""

    status: Literal["off", "ok", "alarm"]
    probes: list[ProbeAnswer]


@router.get("", summary="Test items on every lane", responses=problems_of(401))
def probes(services: WithServices, principal: Staff) -> CanaryAnswer:
    """A test item goes to a phone of the operator's own every few minutes; late or lost is an alarm."""
    del principal
    at = services.now()
    with services.reading() as conn:
        found = canary.probes(conn)
    answers = [
        ProbeAnswer(
            lane=probe.lane,
            channel=probe.channel,
            number=probe.number,
            state=probe.state(at),
            sent_at=probe.sent_at,
            ended_at=probe.ended_at,
            seconds=probe.seconds,
            late_after=LATE[probe.lane].total_seconds(),
        )
        for probe in found
    ]
    bad = any(answer.state in {State.LATE, State.LOST} for answer in answers)
    bad = bad or silent(found, services.ports.canary_every, at)
    return CanaryAnswer(status="alarm" if bad else "ok" if answers else "off", probes=answers)
