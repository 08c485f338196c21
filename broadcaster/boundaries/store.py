"""Where boundaries are kept: a row an edition. That the operator loads or removes them is in the log."""

import hashlib
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.errors import UniqueViolation
from psycopg_pool import ConnectionPool

from broadcaster.areas import Edition
from broadcaster.boundaries.geojson import BoundaryError, read
from broadcaster.boundaries.outlines import Outlines, outlines
from broadcaster.log import ConflictError
from broadcaster.office import Office
from schemas.events import Actor, AreaBoundariesLoaded, AreaBoundariesRemoved, BoundariesEvent
from schemas.ids import boundaries_stream

BOUNDARIES_DDL: LiteralString = """
CREATE TABLE IF NOT EXISTS area_boundaries (
    edition text PRIMARY KEY,
    sha256 text NOT NULL,
    outlines bytea NOT NULL,
    file_sha256 text NOT NULL,
    loaded_by text NOT NULL,
    loaded_at timestamptz NOT NULL
);
"""
_KEEP: LiteralString = """
INSERT INTO area_boundaries VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (edition) DO UPDATE SET sha256 = excluded.sha256, outlines = excluded.outlines,
    file_sha256 = excluded.file_sha256, loaded_by = excluded.loaded_by, loaded_at = excluded.loaded_at
"""


class _Told(NamedTuple):
    """What the log says of an edition's boundaries."""

    version: int = 0
    sha256: str | None = None
    file_sha256: str | None = None

    def after(self, event: BoundariesEvent) -> "_Told":
        """After the event."""
        match event:
            case AreaBoundariesLoaded(outlines_sha256=sha256, file_sha256=file_sha256):
                return _Told(event.originator_version, sha256, file_sha256)
            case AreaBoundariesRemoved():
                return _Told(event.originator_version)


class BoundaryCommands:
    """Loads the boundaries of an edition, and takes them away."""

    def __init__(self, pool: ConnectionPool[Any], office: Office) -> None:
        self._pool, self._log = pool, office.log

    def load(
        self, by: Actor, edition: Edition, data: bytes, named: str, at: datetime
    ) -> tuple[Outlines, bool]:
        """Takes a file in place of what there was; False where it is loaded already.

        Raises BoundaryError, and ConflictError where another did the same meanwhile.
        """
        drawn = outlines(edition.name, read(data, edition.tree, named))
        file_sha256 = hashlib.sha256(data).hexdigest()
        told = self._told(edition.name)
        if (told.sha256, told.file_sha256) == (drawn.sha256, file_sha256):
            return drawn, False
        event = AreaBoundariesLoaded(
            originator_id=boundaries_stream(edition.name),
            originator_version=told.version + 1,
            by=by,
            edition=edition.name,
            areas=len(drawn.paths),
            file_sha256=file_sha256,
            outlines_sha256=drawn.sha256,
        )
        row = (edition.name, drawn.sha256, drawn.document, file_sha256, by.account, at)
        self._do(event, at, _KEEP, row)
        return drawn, True

    def remove(self, by: Actor, edition: Edition, at: datetime) -> None:
        """Takes them away: circles are drawn again. Raises BoundaryError where there are none."""
        told = self._told(edition.name)
        if told.sha256 is None:
            raise BoundaryError(f"no boundaries of edition {edition.name} are loaded")
        event = AreaBoundariesRemoved(
            originator_id=boundaries_stream(edition.name),
            originator_version=told.version + 1,
            by=by,
            edition=edition.name,
            outlines_sha256=told.sha256,
        )
        self._do(event, at, "DELETE FROM area_boundaries WHERE edition = %s", (edition.name,))

    def _told(self, edition: str) -> _Told:
        return self._log.forward(boundaries_stream(edition), _Told.after, _Told())

    def _do(self, event: BoundariesEvent, at: datetime, query: LiteralString, row: tuple[Any, ...]) -> None:
        try:
            with self._pool.connection() as conn, conn.cursor() as cursor:
                cursor.execute(query, row)
                self._log.append_in(cursor, [event], at)
        except UniqueViolation:
            raise ConflictError(
                f"the boundaries of edition {event.edition} are being changed by another; try again"
            ) from None


def loaded_digest(conn: Connection[Any], edition: str) -> str | None:
    """The digest of the edition's outlines; None where none are loaded."""
    row = conn.execute("SELECT sha256 FROM area_boundaries WHERE edition = %s", (edition,)).fetchone()
    return row and row[0]


def loaded(conn: Connection[Any], edition: str) -> Outlines | None:
    """The edition's outlines; None where none are loaded."""
    row = conn.execute("SELECT outlines FROM area_boundaries WHERE edition = %s", (edition,)).fetchone()
    return row and Outlines.load(bytes(row[0]))
