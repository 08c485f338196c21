"""The log in words, by alert, account, body or topic, the newest first."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.sql import SQL, Composed, Literal

from schemas.ids import account_stream, credentials_stream, key_stream

_COLUMNS = SQL(
    "position, recorded_at, topic, stream, version, account, e.body, alert_id, summary, summary_en"
)
_ENTRIES = SQL("SELECT {} FROM audit_entries AS e").format(_COLUMNS)
_CONCERNING = SQL("SELECT {} FROM audit_concerned AS c JOIN audit_entries AS e USING (position)").format(
    _COLUMNS
)
_NEWEST = SQL(" ORDER BY position DESC LIMIT {}")


@dataclass(frozen=True)
class Entry:
    """One event. `summary` is Vietnamese; `body` is the body that `account` acted for, if any."""

    position: int
    recorded_at: datetime
    topic: str
    stream: UUID
    version: int
    account: str
    body: str | None
    alert_id: UUID | None
    summary: str
    summary_en: str


def entries(
    conn: Connection[Any],
    *,
    alert_id: UUID | None = None,
    account: str | None = None,
    body: str | None = None,
    topic: str | None = None,
    topics: Collection[str] | None = None,
    after: int | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Entry]:
    """At most `limit` entries, the newest first; the next page is `before` the last one's position.

    `after` is a position too: nothing up to it. `topics` asks for any of several. `body` finds what was
    done in its name and what is about it: its people, rights, keys, and what opens its people's accounts.
    """
    wanted = [
        (SQL("alert_id = %s"), alert_id),
        (SQL("account = %s"), account),
        (SQL("topic = %s"), topic),
        (SQL("position > %s"), after),
        (SQL("position < %s"), before),
    ]
    given = [(condition, value) for condition, value in wanted if value is not None]
    if topics is not None and not topics:
        return []
    if body is not None:
        query, values = _of_body(body, topics, given, limit)
    elif topics is not None:
        query, values = _of_topics(topics, given, limit)
    else:
        query, values = _query(_ENTRIES, [], given, limit)
    rows = conn.execute(query, values)
    return [Entry(position, at.astimezone(UTC), *rest) for position, at, *rest in rows]


_Given = Sequence[tuple[SQL, object]]


def _of_topics(topics: Collection[str], given: _Given, limit: int) -> tuple[Composed, list[object]]:
    # Each topic by itself, to the limit: the last of a rare one may be a million rows back. As a constant,
    # so that the database knows of each how rare it is, and takes the index that suits it.
    parts = [_query(_ENTRIES, [SQL("topic = {}").format(Literal(topic))], given, limit) for topic in topics]
    each = SQL(" UNION ALL ").join(SQL("({})").format(query) for query, _ in parts)
    query = SQL("SELECT * FROM ({}) AS found").format(each) + _NEWEST.format(limit)
    return query, [value for _, values in parts for value in values]


def _of_body(
    body: str, topics: Collection[str] | None, given: _Given, limit: int
) -> tuple[Composed, list[object]]:
    if topics is not None:
        given = [(SQL("topic = ANY(%s)"), list(topics)), *given]
    # Each half ends by itself at the limit; no entry is in both.
    acted, acted_values = _query(_ENTRIES, [], [(SQL("e.body = %s"), body), *given], limit)
    named, named_values = _query(_CONCERNING, [], [(SQL("c.body = %s"), body), *given], limit)
    both = SQL("SELECT * FROM (({}) UNION ALL ({})) AS found").format(acted, named)
    return both + _NEWEST.format(limit), [*acted_values, *named_values]


def _query(
    source: Composed, conditions: Sequence[Composed], given: _Given, limit: int
) -> tuple[Composed, list[object]]:
    every = [*conditions, *(condition for condition, _ in given)]
    where = SQL(" WHERE {}").format(SQL(" AND ").join(every)) if every else SQL("")
    return source + where + _NEWEST.format(limit), [value for _, value in given]


def of_streams(
    conn: Connection[Any], streams: Sequence[UUID], limit: int
) -> list[tuple[int, datetime, str, str, str]]:
    """What happened in some streams of screens, the last first.

    Its position, when, by which account, both summaries.
    """
    query = SQL(
        "SELECT position, recorded_at, account, summary, summary_en FROM audit_entries"
        " WHERE stream = ANY(%s) AND topic LIKE 'screen.%%' ORDER BY position DESC LIMIT %s"
    )
    return conn.execute(query, (list(streams), limit)).fetchall()


def of_account(
    conn: Connection[Any], account: str, limit: int
) -> list[tuple[int, datetime, str, str, str]]:
    """What was done to an account, the last first: its roles and what opens it. As `of_streams`."""
    query = SQL(
        "SELECT position, recorded_at, account, summary, summary_en FROM audit_entries"
        " WHERE stream = ANY(%s) AND (topic LIKE 'account.%%' OR topic LIKE 'role.%%')"
        " ORDER BY position DESC LIMIT %s"
    )
    return conn.execute(query, ([account_stream(account), credentials_stream(account)], limit)).fetchall()


def roles_taken(conn: Connection[Any], account: str, limit: int) -> list[tuple[datetime, str, str, str]]:
    """The roles that were taken from an account, the last first. As `of_streams`."""
    query = SQL(
        "SELECT recorded_at, account, summary, summary_en FROM audit_entries"
        " WHERE stream = %s AND topic = 'role.revoked' ORDER BY position DESC LIMIT %s"
    )
    return conn.execute(query, (account_stream(account), limit)).fetchall()


def ends_of_keys(conn: Connection[Any], key_ids: Sequence[str]) -> dict[str, str]:
    """Of these API keys, those of whose end the log knows: by which account each was ended."""
    streams = {key_stream(key_id): key_id for key_id in key_ids}
    query = SQL("SELECT stream, account FROM audit_entries WHERE stream = ANY(%s) AND topic LIKE 'key.%%'")
    return {streams[stream]: by for stream, by in conn.execute(query, (list(streams),))}
