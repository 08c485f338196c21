"""What only the operator's machine can tell: what lies in the lanes, which keys there are, what room."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.content import Channel, Lane

SOON = timedelta(days=30)
"""So long before its end a certificate is a warning."""


LOW = 1024**3
"""Bytes below which a disk is nearly full: a storm's evening of a million phones takes as much."""


@dataclass(frozen=True)
class Disk:
    """The room that one part of the house has on this machine."""

    name: str
    """data, database, transport."""
    free: int
    """Bytes."""

    @property
    def low(self) -> bool:
        """Whether it is nearly full."""
        return self.free < LOW


@dataclass(frozen=True)
class LaneDepth:
    """Dispatches that lie in one lane for one channel."""

    lane: Lane
    channel: Channel
    pending: int
    """Published, and in nobody's hands yet."""
    in_hand: int
    """With a worker that has not answered for them yet."""
    workers: int
    """Slots of workers that wait for more; none where there is no worker, or every one is busy."""


@dataclass(frozen=True)
class KeyFile:
    """A key that the operator keeps in a file; nothing of what is in it."""

    name: str
    """feed, accounts, checkpoint, cap."""
    present: bool
    private: bool
    """Nobody but its owner can read it."""
    expires_at: datetime | None = None
    """Of the certificate beside it."""

    def ends(self, at: datetime) -> str:
        """Whether its certificate is good: none, ok, soon or over."""
        if self.expires_at is None:
            return "none"
        if self.expires_at <= at:
            return "over"
        return "soon" if self.expires_at - at < SOON else "ok"
