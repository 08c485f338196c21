"""Polling the feed: what the front and the framework's route have in common."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from starlette.types import Scope

from broadcaster.screens.seen import LONGEST

FEED_PATH = "/v1/screens/me/feed"
FORMS = ("", ".txt", ".multi", ".bin")
"""JSON, a line a page, NTCIP 1203 MULTI, and raw bits."""
HINTS_PATH = "/v1/screens/me/events"
LONGEST_WAIT = 55
"""Seconds that a poll may wait for news; proxies cut idle connections after 60."""

FLASHING_WAIT = 2
"""The same for a screen that is asked to make itself known, which would hear of it too late."""


@dataclass(slots=True)
class ServedCount:
    """What one screen was given by this process since it started."""

    whole: int = 0
    unchanged: int = 0
    last_seen: datetime | None = None
    state: bytes = b""
    """Its last X-Screen-State, as it came."""

    @property
    def polls(self) -> int:
        """How often it asked."""
        return self.whole + self.unchanged


class Asked(NamedTuple):
    """What a poll's headers say; lists that came in several lines are joined (RFC 9110 §5.3)."""

    authorization: str
    tags: bytes
    """If-None-Match."""
    prefer: bytes
    state: bytes
    """X-Screen-State."""


def asked(headers: Iterable[tuple[bytes, bytes]]) -> Asked:
    """Reads the headers of a poll, their names in small letters."""
    authorization = tags = prefer = state = b""
    for name, value in headers:
        if name == b"authorization":
            authorization = value
        elif name == b"if-none-match":
            tags = value if not tags else tags + b"," + value
        elif name == b"prefer":
            prefer = value if not prefer else prefer + b"," + value
        elif name == b"x-screen-state":
            state = value
    return Asked(authorization.decode("latin-1"), tags, prefer, state)


def count_of(served: dict[UUID, ServedCount], screen_id: UUID) -> ServedCount:
    """The count of a screen, which stays the same one as long as the process lives."""
    count = served.get(screen_id)
    if count is None:
        count = served[screen_id] = ServedCount()
    return count


def note(
    served: dict[UUID, ServedCount], screen_id: UUID, at: datetime, *, unchanged: bool, state: bytes = b""
) -> None:
    """Counts a poll."""
    count = count_of(served, screen_id)
    if unchanged:
        count.unchanged += 1
    else:
        count.whole += 1
    count.last_seen = at
    if state and len(state) <= LONGEST:
        count.state = state


def hear(served: dict[UUID, ServedCount], screen_id: UUID, at: datetime) -> None:
    """Notes that the screen is there, without a poll."""
    served.setdefault(screen_id, ServedCount()).last_seen = at


def matches(tags: bytes, etag: bytes) -> bool:
    """Whether If-None-Match names the tag; weak comparison (RFC 9110 §13.1.2)."""
    if not tags:
        return False
    if tags == etag:
        return True
    named = [tag.strip().removeprefix(b"W/") for tag in tags.split(b",")]
    return etag in named or b"*" in named


def wait_asked(prefer: bytes) -> int:
    """The seconds of `Prefer: wait=N` (RFC 7240 §4.3), at most LONGEST_WAIT; 0 where it says none."""
    for part in prefer.split(b","):
        name, _, value = part.strip().partition(b"=")
        if name.lower() == b"wait" and value.isdigit() and len(value) < 6:  # noqa: PLR2004 (a day has 5)
            return min(int(value), LONGEST_WAIT)
    return 0


def target_of(scope: Scope) -> str:
    """The path as it was sent, with its query."""
    path, query = scope.get("raw_path") or scope["path"].encode(), scope["query_string"]
    return (path.split(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1")


def server_time(at: datetime) -> str:
    """The header X-Server-Time: milliseconds since 1970, by which a screen sets its clock."""
    return str(int(at.timestamp() * 1000))
