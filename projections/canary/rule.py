"""When a probe is due, and what its silence means. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from schemas.content import Channel, Lane

LATE = {
    Lane.EMERGENCY: timedelta(seconds=10),
    Lane.ALERT: timedelta(seconds=60),
    Lane.BULLETIN: timedelta(minutes=4),
}
"""How long a probe may take. A bulletin waits behind whatever else the lane holds, so it may take long."""
LIFE = timedelta(minutes=5)
"""After so long it is lost, and is no longer sent."""


class State(StrEnum):
    """How a probe stands."""

    UNDER_WAY = "under_way"
    OK = "ok"
    LATE = "late"
    """It took too long, or does so now."""
    LOST = "lost"
    """It ended without being accepted, or never ended."""


@dataclass(frozen=True)
class Probe:
    """The latest test item on one channel and lane."""

    lane: Lane
    channel: Channel
    number: int
    sent_at: datetime
    ended_at: datetime | None = None
    accepted: bool = False

    @property
    def seconds(self) -> float | None:
        """From the log to the receipt; None while it is under way."""
        return None if self.ended_at is None else (self.ended_at - self.sent_at).total_seconds()

    def state(self, at: datetime) -> State:
        """How it stands at an instant."""
        if self.ended_at is None:
            waited = at - self.sent_at
            if waited >= LIFE:
                return State.LOST
            return State.LATE if waited > LATE[self.lane] else State.UNDER_WAY
        if not self.accepted:
            return State.LOST
        return State.LATE if self.ended_at - self.sent_at > LATE[self.lane] else State.OK


def due(last: datetime | None, every: timedelta, at: datetime) -> bool:
    """Whether another is to be sent, `every` after the last. A clock that stepped back sends none twice."""
    return last is None or at - last >= every


def silent(probes: Collection[Probe], every: timedelta, at: datetime) -> bool:
    """Whether a lane has had no probe for so long that whoever sends them does nothing any more.

    False where none are to be sent (`every` is nothing), and where none ever was.
    """
    last: dict[Lane, datetime] = {}
    for probe in probes:
        last[probe.lane] = max(probe.sent_at, last.get(probe.lane, probe.sent_at))
    return bool(every) and any(at - sent_at > every + LIFE for sent_at in last.values())
