"""A batch of people into the registry at once: staged by COPY, then taken in by sets.

As `same_phone` and `take` do for one phone, here for many. A file names no address twice, so a row
of the registry is the target of at most one line.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Cursor

from broadcaster.registry.address_book import FORGET_PHONE, HOLD_ALONE, Row
from broadcaster.registry.lines import Person

_STAGE: LiteralString = """
CREATE TEMP TABLE IF NOT EXISTS staged_subscribers (
    push_token text, push_kind text, platform text, push_hash bytea, msisdn text, msisdn_hash bytea,
    locale text, home text, home_no int, opt_outs text[], areas int[], id bigint
) ON COMMIT DELETE ROWS
"""
_COPY: LiteralString = """
COPY staged_subscribers (push_token, push_kind, platform, push_hash, msisdn, msisdn_hash,
    locale, home, home_no, opt_outs, areas) FROM STDIN
"""
_UPSERT: tuple[LiteralString, ...] = (
    # A batch is small and the registry large: by index, whatever the statistics make the planner think.
    "SET LOCAL enable_hashjoin = off",
    "SET LOCAL enable_mergejoin = off",
    """
UPDATE staged_subscribers t SET id = s.id FROM subscribers s WHERE s.push_hash = t.push_hash""",
    """
UPDATE staged_subscribers t SET id = s.id FROM subscribers s
WHERE t.id IS NULL AND s.msisdn_hash = t.msisdn_hash AND s.push_hash IS NULL""",
    """
DELETE FROM subscribers s USING staged_subscribers t
WHERE s.msisdn_hash = t.msisdn_hash AND s.push_hash IS NULL AND s.id IS DISTINCT FROM t.id""",
    f"""
UPDATE subscribers s SET {FORGET_PHONE} FROM staged_subscribers t
WHERE s.msisdn_hash = t.msisdn_hash AND s.id IS DISTINCT FROM t.id""",  # noqa: S608 (a constant)
    """
DELETE FROM subscriber_areas a USING staged_subscribers t WHERE a.subscriber_id = t.id""",
    """
UPDATE subscribers s SET push_token = t.push_token, push_kind = t.push_kind, platform = t.platform,
    push_hash = t.push_hash, msisdn = t.msisdn, msisdn_hash = t.msisdn_hash, locale = t.locale,
    edition = %(edition)s, home = t.home, home_no = t.home_no, opt_outs = t.opt_outs, updated_at = %(at)s
FROM staged_subscribers t WHERE s.id = t.id""",
    """
INSERT INTO subscribers (push_token, push_kind, platform, push_hash, msisdn, msisdn_hash, locale,
    edition, home, home_no, opt_outs, created_at, updated_at)
SELECT push_token, push_kind, platform, push_hash, msisdn, msisdn_hash, locale,
    %(edition)s, home, home_no, opt_outs, %(at)s, %(at)s
FROM staged_subscribers WHERE id IS NULL""",
    """
INSERT INTO subscriber_areas (area_no, subscriber_id)
SELECT unnest(t.areas), s.id FROM staged_subscribers t JOIN subscribers s ON s.push_hash = t.push_hash
WHERE t.areas <> '{}'
UNION ALL
SELECT unnest(t.areas), s.id FROM staged_subscribers t JOIN subscribers s ON s.msisdn_hash = t.msisdn_hash
WHERE t.areas <> '{}' AND t.push_hash IS NULL""",
)


def upsert(cursor: Cursor[Row], people: Iterable[Person], edition: str, at: datetime) -> None:
    """Registers everyone, in the caller's transaction; who is known keeps their ids and secret."""
    cursor.execute(HOLD_ALONE)
    cursor.execute(_STAGE)
    with cursor.copy(_COPY) as copy:
        for person in people:
            copy.write_row(_row(person))
    for query in _UPSERT:
        # Never prepared: the plan for an empty registry is not the plan for a full one.
        cursor.execute(query, {"edition": edition, "at": at}, prepare=False)


def _row(person: Person) -> tuple[Any, ...]:
    new = person.new
    kind = None if new.token is None else new.token_kind
    return (
        *(new.token, kind, new.platform, person.keys.push),
        *(new.phone, person.keys.msisdn),
        *(new.locale, new.home, person.place.home, list(new.opt_outs), list(person.place.areas)),
    )
