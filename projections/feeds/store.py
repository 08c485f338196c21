"""The rows behind the board: read for the pairs and notices of a page, written back when it ends."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from psycopg import Cursor

from projections.feeds.board import Board, Pair, Screen, Screens
from projections.feeds.notice import KEPT, Notice, Withdrawn
from projections.feeds.places import Edition, Places
from projections.projection import Row
from schemas.content import Mode
from schemas.displays import Frame

_PAIRS = """
SELECT area, profile, drills, edition, count(*) FROM feed_screens GROUP BY area, profile, drills, edition
"""
_SCREENS = """
SELECT screen_id, name, area, profile, drills, edition FROM feed_screens WHERE screen_id = ANY(%s)
"""
_NOTICES = """
SELECT alert_id, rev, edition, areas, kind, mode, priority, severity, risk_level, starts_at, expires_at,
    text, status
FROM feed_notices
"""
_WITHDRAWN = "SELECT alert_id, rev, edition, areas, at, status FROM feed_withdrawn WHERE at > %s"

_ADD_EDITION = "INSERT INTO feed_editions VALUES (%s, %s)"
_ADD_AREAS = "COPY feed_areas (edition, code, parent, name) FROM STDIN"
_ADD_SOURCES = "COPY feed_sources (edition, code, source) FROM STDIN"
_ADD_NOTICE = "INSERT INTO feed_notices VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
_ADD_WITHDRAWN = "INSERT INTO feed_withdrawn VALUES (%s, %s, %s, %s, %s, %s)"
_ADD_SCREEN = """
INSERT INTO feed_screens (screen_id, name, area, profile, drills, edition) VALUES (%s, %s, %s, %s, %s, %s)
"""
_DROP_SCREENS = "DELETE FROM feed_screens WHERE screen_id = ANY(%s)"
_DROP_NOTICES = "DELETE FROM feed_notices WHERE alert_id = ANY(%s)"
# Bodies go over in binary: escaping a thousand of them as text costs more than all the rest.
_PUT_FEEDS = """
INSERT INTO feeds
SELECT area, profile, drills, seq, etag, body, string_to_array(frames, ' ')
FROM unnest(%s::text[], %s::text[], %s::boolean[], %s::bigint[], %s::text[], %b::bytea[], %s::text[])
    AS made (area, profile, drills, seq, etag, body, frames)
ON CONFLICT (area, profile, drills) DO UPDATE
SET seq = excluded.seq, etag = excluded.etag, body = excluded.body, frames = excluded.frames
"""
_DROP_FEEDS = """
DELETE FROM feeds USING unnest(%s::text[], %s::text[], %s::boolean[]) AS gone (area, profile, drills)
WHERE feeds.area = gone.area AND feeds.profile = gone.profile AND feeds.drills = gone.drills
"""
_PUT_FRAMES = """
INSERT INTO feed_frames SELECT * FROM unnest(%s::text[], %b::bytea[]) ON CONFLICT DO NOTHING
"""
_DROP_FRAMES = "DELETE FROM feed_frames WHERE sha256 NOT IN (SELECT unnest(frames) FROM feeds)"
_NOTIFY = "SELECT pg_notify('feeds', area) FROM unnest(%s::text[]) AS touched (area)"

Feed = tuple[Pair, int, str, bytes, str]
"""Pair, sequence number, entity tag, body, and the names of its frames, a space between."""


def load(cursor: Cursor[Row], since: datetime, screens: Collection[UUID]) -> Board:
    """The board before a page that begins at `since` and is about these screens."""
    return Board(
        places=_places(cursor),
        screens=_screens(cursor, screens),
        notices={row[0]: _notice(row) for row in cursor.execute(_NOTICES)},
        withdrawn={row[0]: _withdrawn(row) for row in cursor.execute(_WITHDRAWN, (since - KEPT,))},
    )


def save_editions(cursor: Cursor[Row], editions: Sequence[Edition]) -> None:
    """Adds editions; the register never takes one twice."""
    if not editions:
        return
    cursor.executemany(_ADD_EDITION, [(edition.name, edition.effective_on) for edition in editions])
    with cursor.copy(_ADD_AREAS) as copy:
        for edition in editions:
            for code, parent in edition.parents.items():
                copy.write_row((edition.name, code, parent, edition.names[code]))
    with cursor.copy(_ADD_SOURCES) as copy:
        for edition in editions:
            for code, sources in edition.sources.items():
                for source in sources:
                    copy.write_row((edition.name, code, source))


def save_screens(cursor: Cursor[Row], board: Board, changed: Collection[UUID]) -> None:
    """Writes these screens as the board has them."""
    if not changed:
        return
    cursor.execute(_DROP_SCREENS, (list(changed),))
    known = [(one, board.screens.known[one]) for one in changed if one in board.screens.known]
    if known:
        rows = [(one, screen.name, *screen.pair, screen.edition) for one, screen in known]
        cursor.executemany(_ADD_SCREEN, rows)


def save_notices(cursor: Cursor[Row], board: Board) -> None:
    """Writes the notices that changed, and what was withdrawn."""
    changed = sorted(board.changed)
    if not changed:
        return
    cursor.execute(_DROP_NOTICES, (changed,))
    live = [_notice_row(board.notices[one]) for one in changed if one in board.notices]
    if live:
        cursor.executemany(_ADD_NOTICE, live)
    gone = [_withdrawn_row(board.withdrawn[one]) for one in changed if one in board.withdrawn]
    if gone:
        cursor.executemany(_ADD_WITHDRAWN, gone)


def save_feeds(cursor: Cursor[Row], feeds: Sequence[Feed], dropped: Sequence[Pair]) -> None:
    """Writes feeds, drops those of pairs without a screen, and wakes who serves them."""
    if dropped:
        cursor.execute(_DROP_FEEDS, [list(column) for column in zip(*dropped, strict=True)])
    if feeds:
        pairs, *rest = zip(*feeds, strict=True)
        columns = (*zip(*pairs, strict=True), *rest)
        cursor.execute(_PUT_FEEDS, [list(column) for column in columns])
    touched = sorted({pair.area for pair in dropped} | {feed[0].area for feed in feeds})
    if touched:
        cursor.execute(_NOTIFY, (touched,))


def save_frames(cursor: Cursor[Row], frames: Mapping[str, Frame]) -> None:
    """Keeps the frames that feeds name, and no others: after the feeds are saved."""
    if frames:
        bodies = [frame.body for frame in frames.values()]
        cursor.execute(_PUT_FRAMES, (list(frames), bodies))
    cursor.execute(_DROP_FRAMES)


def _places(cursor: Cursor[Row]) -> Places:
    parents: defaultdict[str, dict[str, str | None]] = defaultdict(dict)
    names: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for edition, code, parent, name in cursor.execute("SELECT edition, code, parent, name FROM feed_areas"):
        parents[edition][code] = parent
        names[edition][code] = name
    sources: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for edition, code, source in cursor.execute("SELECT edition, code, source FROM feed_sources"):
        sources[edition][code].append(source)
    dates = cursor.execute("SELECT edition, effective_on FROM feed_editions").fetchall()
    return Places(
        {name: Edition(name, day, parents[name], names[name], dict(sources[name])) for name, day in dates}
    )


def _screens(cursor: Cursor[Row], screens: Collection[UUID]) -> Screens:
    pairs: defaultdict[Pair, Counter[str]] = defaultdict(Counter)
    for area, profile, drills, edition, count in cursor.execute(_PAIRS):
        pairs[Pair(area, profile, drills)][edition] = count
    known = {
        screen_id: Screen(name, Pair(area, profile, drills), edition)
        for screen_id, name, area, profile, drills, edition in cursor.execute(_SCREENS, (list(screens),))
    }
    return Screens(dict(pairs), known)


def _notice(row: Row) -> Notice:
    alert_id, rev, edition, areas, kind, mode, priority, severity, risk_level, *rest = row
    starts_at, expires_at, text, status = rest
    return Notice(
        alert_id=alert_id,
        rev=rev,
        edition=edition,
        areas=tuple(areas),
        kind=kind,
        mode=mode,
        priority=priority,
        severity=severity,
        risk_level=risk_level,
        starts_at=starts_at.astimezone(UTC),
        expires_at=expires_at.astimezone(UTC),
        text=text,
        status=Mode(status),
    )


def _notice_row(notice: Notice) -> Row:
    return (
        notice.alert_id,
        notice.rev,
        notice.edition,
        list(notice.areas),
        notice.kind,
        notice.mode,
        notice.priority,
        notice.severity,
        notice.risk_level,
        notice.starts_at,
        notice.expires_at,
        notice.text,
        notice.status.value,
    )


def _withdrawn(row: Row) -> Withdrawn:
    alert_id, rev, edition, areas, at, status = row
    return Withdrawn(alert_id, rev, edition, tuple(areas), at.astimezone(UTC), Mode(status))


def _withdrawn_row(gone: Withdrawn) -> Row:
    return gone.alert_id, gone.rev, gone.edition, list(gone.areas), gone.at, gone.status.value
