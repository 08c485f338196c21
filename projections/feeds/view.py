"""The feeds as they are served, and the screens they are for."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import args_row

_FEED = "SELECT area, profile, drills, seq, etag, body FROM feeds"
_FRAME = "SELECT body FROM feed_frames WHERE sha256 = %s LIMIT 1"
_BEHIND = """
SELECT screen_id, name, area, profile, edition FROM feed_screens WHERE edition <> %s
ORDER BY area, name, screen_id
"""
# A place is the same in another edition where code and name are.
_STRANDED = """
SELECT s.screen_id, s.name, s.area, s.profile, s.edition
FROM feed_screens s
LEFT JOIN feed_areas here ON here.edition = s.edition AND here.code = s.area
LEFT JOIN feed_areas there ON there.edition = %s AND there.code = s.area AND there.name = here.name
WHERE there.code IS NULL ORDER BY s.area, s.name, s.screen_id
"""


@dataclass(frozen=True)
class Feed:
    """One feed. `seq` is the log position that last changed it; `etag` is strong, quotes included.

    A player that keeps `seq` to refuse an older feed keeps it for its area and profile.
    """

    area: str
    profile: str
    drills: bool
    seq: int
    etag: str
    body: bytes


@dataclass(frozen=True)
class StrandedScreen:
    """A screen whose area is no longer the same place: it gets only what is told to an area above."""

    screen_id: UUID
    name: str
    area: str
    profile: str
    edition: str


def feed(conn: Connection[Any], area: str, profile: str, *, drills: bool = False) -> Feed | None:
    """The feed of a pair; None where no screen of that profile stands there."""
    cursor = conn.cursor(row_factory=args_row(Feed))
    where = " WHERE area = %s AND profile = %s AND drills = %s"
    return cursor.execute(_FEED + where, (area, profile, drills)).fetchone()


def frame(conn: Connection[Any], sha256: str) -> bytes | None:
    """The frame of that name; None once no feed has it."""
    row = conn.execute(_FRAME, (sha256,)).fetchone()
    return row[0] if row else None


def all_feeds(conn: Connection[Any]) -> list[Feed]:
    """Every feed."""
    return (
        conn.cursor(row_factory=args_row(Feed))
        .execute(_FEED + " ORDER BY area, profile, drills")
        .fetchall()
    )


def changed_since(conn: Connection[Any], position: int) -> list[Feed]:
    """The feeds changed by events after a position, the oldest change first.

    A feed whose last screen was taken down is not among them: that is told by NOTIFY alone.
    """
    cursor = conn.cursor(row_factory=args_row(Feed))
    return cursor.execute(
        _FEED + " WHERE seq > %s ORDER BY seq, area, profile, drills", (position,)
    ).fetchall()


def behind(conn: Connection[Any], edition: str) -> list[StrandedScreen]:
    """The screens whose area is named by the codes of another edition."""
    return conn.cursor(row_factory=args_row(StrandedScreen)).execute(_BEHIND, (edition,)).fetchall()


def stranded(conn: Connection[Any], edition: str) -> list[StrandedScreen]:
    """The screens to be moved by hand now that this edition of the area register is in force."""
    return conn.cursor(row_factory=args_row(StrandedScreen)).execute(_STRANDED, (edition,)).fetchall()
