"""The canary: a test item to a phone of our own, on every lane and channel, by the road of all others.

The log, the follower, fanout, relay, broker, worker, provider and receipt are the real ones. Only the
census is spared: the audience is one address from the settings, so no citizen and no human tester is
ever in it, and it is no alert, so that no page, feed or cadence knows of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from channels.gateway import Message, Recipient
from projections.canary.rule import LIFE, Probe, State, due
from schemas.content import Certainty, Channel, Content, Kind, Lane, Mode, MsgType, Severity, Text, Urgency
from schemas.dispatch import Dispatch
from schemas.events import Actor, CanaryLate, CanarySent
from schemas.ids import canary_late_stream, canary_stream, is_canary

CANARY = Actor(account="system:canary")

_TEXTS = {
    "vi": Text(headline="Kiểm tra đường truyền", description="Tin kiểm tra tự động, không phải cảnh báo."),
    "en": Text(headline="Test of the line", description="An automatic test item, not a warning."),
}


@dataclass(frozen=True)
class CanaryAddress:
    """A phone of the operator's own on one channel."""

    address: str = field(repr=False)
    kind: str
    platform: str = ""


@dataclass(frozen=True)
class CanaryPhone:
    """What a worker needs for a probe: where to, and what to say."""

    addresses: Mapping[Channel, CanaryAddress]

    def message(self, dispatch: Dispatch) -> Message:
        """The test item."""
        return Message(
            alert_id=dispatch.alert_id,
            version=dispatch.version,
            msg_type=MsgType.ALERT,
            lane=dispatch.lane,
            issuer_name="Hà Nội",
            content=_content(dispatch.lane),
            sent=dispatch.expires_at - LIFE,
            expires_at=dispatch.expires_at,
        )

    def recipients(self, dispatch: Dispatch) -> list[Recipient]:
        """The one phone; none where the settings name none, which counts as lost."""
        found = self.addresses.get(dispatch.channel)
        return [] if found is None else [Recipient(0, 0, found.address, found.kind, found.platform, "vi")]

    @staticmethod
    def knows(alert_id: UUID) -> bool:
        """Whether the id is that of a probe."""
        return is_canary(alert_id)


def next_probes(
    probes: list[Probe],
    numbers: Mapping[Lane, int],
    channels: tuple[Channel, ...],
    every: timedelta,
    at: datetime,
) -> list[CanarySent]:
    """The probes that are due. `numbers` are those last sent, by the log."""
    last = {lane: max((p.sent_at for p in probes if p.lane is lane), default=None) for lane in Lane}
    return [
        CanarySent(
            originator_id=canary_stream(lane),
            originator_version=numbers[lane] + 1,
            by=CANARY,
            lane=lane,
            channels=channels,
            expires_at=at + LIFE,
        )
        for lane in Lane
        if channels and due(last[lane], every, at)
    ]


def alarms(probes: list[Probe], at: datetime) -> list[CanaryLate]:
    """An event for each probe that is late or lost; the same each time, so that the log takes it once."""
    return [
        CanaryLate(
            originator_id=canary_late_stream(probe.lane, probe.channel, probe.number),
            originator_version=1,
            by=CANARY,
            lane=probe.lane,
            channel=probe.channel,
            number=probe.number,
            sent_at=probe.sent_at,
        )
        for probe in probes
        if probe.state(at) in {State.LATE, State.LOST}
    ]


def _content(lane: Lane) -> Content:
    emergency = lane is Lane.EMERGENCY
    return Content(
        kind=Kind.BULLETIN if lane is Lane.BULLETIN else Kind.ALERT,
        category="tuyen_truyen",
        severity=Severity.EXTREME if emergency else Severity.MINOR,
        urgency=Urgency.IMMEDIATE if emergency else Urgency.EXPECTED,
        certainty=Certainty.OBSERVED,
        texts=_TEXTS,
        areas=("01",),
        mode=Mode.TEST,
    )
