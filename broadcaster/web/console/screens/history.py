"""What happened to one screen, whoever did it: its own events, what was set of it, when it was silent."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from broadcaster.proof.lines import Lines
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
        return named(services, conn, audit.of_streams(conn, streams, most))


def named(
    services: Services, conn: Connection[Any], rows: Sequence[tuple[int, datetime, str, str, str]]
) -> list[Line]:
    """Rows of the audit view, told with the names of bodies and areas; the view knows codes only."""
    lines = Lines(services.ports.office, services.directory.bodies).of(conn, [row[0] for row in rows])

    def line(position: int, at: datetime, by: str, vi: str, en: str) -> Line:
        told = lines.get(position)
        return Line(at.astimezone(UTC), by, told.words.vi if told else vi, told.words.en if told else en)

    return [line(*row) for row in rows]
