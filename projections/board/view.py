"""Questions to the board."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg import Connection, Cursor

from projections.board.fold import BoardRow, Stage, Status
from projections.board.plain_words import pattern
from projections.projection import Row
from schemas.content import Content, Mode, MsgType

__all__ = ["BoardRow", "count", "due", "find", "live_for", "live_of", "load", "one", "scheduled"]

_SELECT: LiteralString = """
SELECT alert_id, issuer_id, status, stage, version, msg_type, content::text, edition, identifier,
    sent, effective_at, expires_at, reason, due_at, changed_at, position
FROM board_alerts
"""
_HEADLINES: LiteralString = (
    "concat_ws(' ', content->'texts'->'vi'->>'headline', content->'texts'->'en'->>'headline')"
)
_NAMES = [field.name for field in fields(BoardRow)]


def find(
    conn: Connection[Row],
    *,
    status: Status | None = None,
    stage: Stage | None = None,
    issuer: str | None = None,
    issuers: Collection[str] | None = None,
    category: str | None = None,
    words: str | None = None,
    plain_words: str | None = None,
    areas: Mapping[str, Sequence[str]] | None = None,
    mode: Mode | None = Mode.ACTUAL,
    limit: int = 100,
    before: int | None = None,
) -> list[BoardRow]:
    """Alerts by their latest event, newest first; for the next page `before` is the last row's position.

    `areas` asks for alerts whose content names any of these very codes of the edition it is in; what is
    in work is taken to be in the last edition named. `issuers` asks for those of any of these bodies (of
    none where it is empty), `words` for a Vietnamese headline that holds them, `plain_words` for one, or
    an English one, that holds them whatever their accents. Exercises and tests are
    found only by who asks for them; None asks for every mode.
    """
    asked: list[tuple[LiteralString, Any]] = [
        ("status = %s", status),
        ("stage = %s", stage),
        ("issuer_id = %s", issuer),
        ("issuer_id = ANY(%s)", None if issuers is None else list(issuers)),
        ("content->>'category' = %s", category),
        ("strpos(lower(content->'texts'->'vi'->>'headline'), lower(%s)) > 0", words),
        (_HEADLINES + " ~ %s", pattern(plain_words) if plain_words else None),
        ("mode = %s", mode),
        ("position < %s", before),
    ]
    query: LiteralString = _SELECT + " WHERE true"
    params: list[Any] = []
    for condition, value in asked:
        if value is not None:
            query += " AND " + condition
            params.append(value)
    if areas is not None:
        latest = list(areas)[-1] if areas else ""
        query += " AND (false"
        for edition, codes in areas.items():
            query += " OR (coalesce(edition, %s) = %s AND content->'areas' ?| %s)"
            params += [latest, edition, list(codes)]
        query += ")"
    found = conn.execute(query + " ORDER BY position DESC LIMIT %s", (*params, limit))
    return [_row(row) for row in found]


def one(conn: Connection[Row], alert_id: UUID) -> BoardRow | None:
    """How this alert stands; None when there is no such alert."""
    row = conn.execute(_SELECT + " WHERE alert_id = %s", (alert_id,)).fetchone()
    return _row(row) if row else None


def load(cursor: Cursor[Row], alert_ids: Sequence[UUID]) -> dict[UUID, BoardRow]:
    """The rows of these alerts, as far as they exist."""
    found = cursor.execute(_SELECT + " WHERE alert_id = ANY(%s)", (list(alert_ids),))
    return {row[0]: _row(row) for row in found}


def count(conn: Connection[Row], by_stage: Mapping[Stage, Collection[str]]) -> int:
    """How many alerts of any mode are at a stage of work at which these bodies are asked for."""
    asked = [(stage, body) for stage, bodies in by_stage.items() for body in bodies]
    query = """
SELECT count(*) FROM board_alerts
WHERE (stage, issuer_id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
"""
    found = conn.execute(query, ([stage for stage, _ in asked], [body for _, body in asked])).fetchone()
    return found[0] if found else 0


def live_for(conn: Connection[Row], areas: Sequence[str]) -> list[BoardRow]:
    """The live alerts addressed to any of these very codes, newest first; no exercises, no tests."""
    query = " WHERE mode = 'actual' AND alert_id IN (SELECT alert_id FROM board_areas WHERE area = ANY(%s))"
    found = conn.execute(_SELECT + query + " ORDER BY position DESC", (list(areas),))
    return [_row(row) for row in found]


def live_of(conn: Connection[Row], category: str, mode: Mode, limit: int = 500) -> list[BoardRow]:
    """The live alerts of a category in a mode, newest first, at most so many.

    The mode is asked for here: exercises by the hundred must not crowd an actual alert out of the limit.
    """
    query = " WHERE status = 'live' AND content->>'category' = %s AND mode = %s"
    found = conn.execute(_SELECT + query + " ORDER BY position DESC LIMIT %s", (category, mode, limit))
    return [_row(row) for row in found]


def due(conn: Connection[Row], at: datetime) -> list[UUID]:
    """Live alerts whose time is up (expires_at <= `at`), the longest overdue first."""
    query = "SELECT alert_id FROM board_alerts WHERE status = 'live' AND expires_at <= %s"
    return [row[0] for row in conn.execute(query + " ORDER BY expires_at, alert_id", (at,))]


def scheduled(conn: Connection[Row], at: datetime) -> list[UUID]:
    """Alerts with a version whose time to go out has come (due_at <= `at`), the longest waiting first."""
    query = "SELECT alert_id FROM board_alerts WHERE stage = 'scheduled' AND due_at <= %s"
    return [row[0] for row in conn.execute(query + " ORDER BY due_at, alert_id", (at,))]


def _row(values: Row) -> BoardRow:
    row = dict(zip(_NAMES, values, strict=True))
    for name in ("sent", "effective_at", "expires_at", "due_at", "changed_at"):
        # PostgreSQL answers in the session's zone; ours is UTC everywhere below the pages.
        row[name] = row[name].astimezone(UTC) if row[name] else None
    row["content"] = Content.model_validate_json(row["content"])
    row["msg_type"] = MsgType(row["msg_type"]) if row["msg_type"] else None
    return BoardRow(**row)
