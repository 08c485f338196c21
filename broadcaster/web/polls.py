"""Polling the feed: what the front and the framework's route have in common."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

FEED_PATH = "/v1/screens/me/feed"


@dataclass(slots=True)
class ServedCount:
    """What one screen was given by this process since it started."""

    whole: int = 0
    unchanged: int = 0
    last_seen: datetime | None = None

    @property
    def polls(self) -> int:
        """How often it asked."""
        return self.whole + self.unchanged


def note(served: dict[UUID, ServedCount], screen_id: UUID, at: datetime, *, unchanged: bool) -> None:
    """Counts a poll."""
    count = served.get(screen_id)
    if count is None:
        count = served[screen_id] = ServedCount()
    if unchanged:
        count.unchanged += 1
    else:
        count.whole += 1
    count.last_seen = at


def matches(tags: bytes, etag: bytes) -> bool:
    """Whether If-None-Match names the tag; weak comparison (RFC 9110 §13.1.2)."""
    if not tags:
        return False
    if tags == etag:
        return True
    named = [tag.strip().removeprefix(b"W/") for tag in tags.split(b",")]
    return etag in named or b"*" in named


def server_time(at: datetime) -> str:
    """The header X-Server-Time: milliseconds since 1970, by which a screen sets its clock."""
    return str(int(at.timestamp() * 1000))
