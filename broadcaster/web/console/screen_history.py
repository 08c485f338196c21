"""What happened to one screen, whoever did it: its own events, what was set of it, when it was silent."""

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from broadcaster.screen_control import control_stream
from broadcaster.web.services import Services
from projections.audit import view as audit
from schemas.ids import stream_id

MOST = 20


class Line(NamedTuple):
    """One event, in both languages."""

    at: datetime
    by: str
    vi: str
    en: str


def past(services: Services, screen_id: UUID, most: int = MOST) -> list[Line]:
    """The last events first."""
    streams = [screen_id, control_stream(screen_id), stream_id("screen-contact", screen_id)]
    with services.reading() as conn:
        found = audit.of_streams(conn, streams, most)
    return [Line(at.astimezone(UTC), account, vi, en) for at, account, vi, en in found]
