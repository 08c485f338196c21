"""Rows of the registry: the tables, and the steps that every writer takes in the same order.

A writer holds the registry, then the addresses it names, then the rows they are in by id: two
writers wait for each other, never both. What writes many holds the registry alone.
"""
# ruff: noqa: S608 (the only names put into SQL are constants)

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString, NamedTuple, Self
from uuid import UUID

from psycopg import Cursor, sql

from broadcaster.registry.address_book import FORGET_PHONE, FORGET_PUSH, HOLD_SHARED, Row
from broadcaster.registry.device_receipts import DEVICE_RECEIPTS_DDL
from broadcaster.registry.rules import NUMBER_RULE, InvalidSubscriberError, address_hash
from broadcaster.registry.testers import TESTERS_DDL

# An index answers an audience alone, whole city or commune, without touching the rows: hence the
# home is a column, and `subscriber_areas` holds further areas only. Their numbers are preorder
# numbers in the edition.
SUBSCRIBERS_DDL: LiteralString = f"""
CREATE TABLE IF NOT EXISTS subscribers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    secret_hash bytea, -- null: imported, and not yet claimed by a phone
    push_token text,
    push_kind text CONSTRAINT subscribers_kind CHECK (push_kind IN ('token', 'fid', 'subscription')),
    platform text CHECK (platform IN ('android', 'ios', 'web')),
    push_hash bytea UNIQUE,
    msisdn text,
    msisdn_hash bytea UNIQUE,
    locale text NOT NULL CONSTRAINT subscribers_locale_form CHECK (locale ~ '^[a-z]{{2,3}}(-[A-Z]{{2}})?$'),
    edition text NOT NULL,
    home text NOT NULL,
    home_no int NOT NULL,
    opt_outs text[] NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (num_nulls(push_token, push_kind, platform, push_hash) IN (0, 4)),
    CHECK (num_nulls(msisdn, msisdn_hash) IN (0, 2)),
    CHECK (num_nonnulls(push_hash, msisdn_hash) > 0)
);
-- A register of before any language was taken.
ALTER TABLE subscribers DROP CONSTRAINT IF EXISTS subscribers_locale_check;
-- A register of before browsers were taken.
ALTER TABLE subscribers DROP CONSTRAINT IF EXISTS subscribers_push_kind_check;
CREATE INDEX IF NOT EXISTS subscribers_by_push ON subscribers (home_no, id) INCLUDE (opt_outs)
    WHERE push_hash IS NOT NULL;
CREATE INDEX IF NOT EXISTS subscribers_by_sms ON subscribers (home_no, id) INCLUDE (opt_outs)
    WHERE msisdn_hash IS NOT NULL;
CREATE INDEX IF NOT EXISTS subscribers_by_edition ON subscribers (edition);
CREATE TABLE IF NOT EXISTS subscriber_areas (
    area_no int NOT NULL,
    subscriber_id bigint NOT NULL REFERENCES subscribers ON DELETE CASCADE,
    meanwhile boolean NOT NULL DEFAULT false, -- another part of a split home, until they choose
    PRIMARY KEY (area_no, subscriber_id)
);
CREATE INDEX IF NOT EXISTS subscriber_areas_subscriber ON subscriber_areas (subscriber_id);
{TESTERS_DDL}
{DEVICE_RECEIPTS_DDL}"""

_HOLD_ADDRESSES: LiteralString = "SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key"
_CONCERNED: LiteralString = """
SELECT id, device_id, push_hash, msisdn_hash FROM subscribers
WHERE device_id = %s OR push_hash = %s OR msisdn_hash = %s ORDER BY id FOR UPDATE
"""
# Whoever is left without an address by this is erased whole.
_TAKE: tuple[LiteralString, ...] = (
    """
DELETE FROM subscribers WHERE id = ANY(%(ids)s)
    AND (push_hash IS NULL OR push_hash = %(push)s)
    AND (msisdn_hash IS NULL OR msisdn_hash = %(msisdn)s)""",
    f"UPDATE subscribers SET {FORGET_PUSH} WHERE id = ANY(%(ids)s) AND push_hash = %(push)s",
    f"UPDATE subscribers SET {FORGET_PHONE} WHERE id = ANY(%(ids)s) AND msisdn_hash = %(msisdn)s",
)
_UNFOLLOW: LiteralString = "DELETE FROM subscriber_areas WHERE subscriber_id = %s AND (%s OR NOT meanwhile)"
_FOLLOW: LiteralString = """
INSERT INTO subscriber_areas (area_no, subscriber_id) SELECT number, %s FROM unnest(%s::int[]) AS number
ON CONFLICT (area_no, subscriber_id) DO UPDATE SET meanwhile = false
"""


class Keys(NamedTuple):
    """The hashes of the addresses at stake."""

    push: bytes | None = None
    msisdn: bytes | None = None

    @classmethod
    def of(cls, token: str | None = None, phone: str | None = None) -> Self:
        """Of a token and a number."""
        return cls(_hashed(token), _hashed(phone))


def _hashed(address: str | None) -> bytes | None:
    return None if address is None else address_hash(address)


class Holder(NamedTuple):
    """A subscriber that holds an address at stake, or is the one to change."""

    id: int
    device_id: UUID
    keys: Keys


def same_phone(holders: Sequence[Holder], keys: Keys) -> Holder | None:
    """Which of the holders of a registration's addresses is the phone that registers again."""
    for holder in holders:
        if keys.push is not None and holder.keys.push == keys.push:
            return holder
    for holder in holders:
        if holder.keys.push is None and keys.msisdn is not None and holder.keys.msisdn == keys.msisdn:
            return holder
    return None


def check_number_free(holders: Sequence[Holder], keys: Keys, device_id: UUID | None = None) -> None:
    """Raises InvalidSubscriberError where the number is another's: nobody can be made to lose alerts.

    Its own are the device and the phone with that token: a token is a secret between a phone and its
    push service. A number is known to many, and proves nothing.
    """
    if keys.msisdn is not None and any(
        each.keys.msisdn == keys.msisdn
        and each.device_id != device_id
        and (keys.push is None or each.keys.push != keys.push)
        for each in holders
    ):
        raise InvalidSubscriberError("phone", NUMBER_RULE)


def lock(cursor: Cursor[Row], keys: Keys, device_id: UUID | None = None) -> list[Holder]:
    """Locks the addresses, held or not, and then the rows that they and the device are in."""
    cursor.execute(HOLD_SHARED)
    held = (int.from_bytes(key[:8], "big", signed=True) for key in keys if key is not None)
    cursor.execute(_HOLD_ADDRESSES, (sorted(held),))
    cursor.execute(_CONCERNED, (device_id, *keys))
    return [Holder(id_, device, Keys(push, msisdn)) for id_, device, push, msisdn in cursor]


def take(cursor: Cursor[Row], holders: Sequence[Holder], keys: Keys) -> None:
    """Takes the addresses away from these holders."""
    facts = {"ids": [holder.id for holder in holders], "push": keys.push, "msisdn": keys.msisdn}
    for query in _TAKE if holders else ():
        cursor.execute(query, facts)


def push_columns(token: str | None, kind: str, platform: str | None) -> dict[str, Any]:
    """What the row says about a token, or about having none."""
    if token is None:
        return dict.fromkeys(("push_token", "push_kind", "platform", "push_hash"))
    key = address_hash(token)
    return {"push_token": token, "push_kind": kind, "platform": platform, "push_hash": key}


def phone_columns(phone: str | None) -> dict[str, Any]:
    """What the row says about a number, or about having none."""
    return {"msisdn": phone, "msisdn_hash": _hashed(phone)}


def insert(cursor: Cursor[Row], columns: Mapping[str, Any]) -> tuple[int, UUID]:
    """A new row; answers its ids."""
    query = sql.SQL("INSERT INTO subscribers ({}) VALUES ({}) RETURNING id, device_id").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(map(sql.Placeholder, columns)),
    )
    row = cursor.execute(query, columns).fetchone()
    assert row is not None
    return row[0], row[1]


def update(cursor: Cursor[Row], id_: int, columns: Mapping[str, Any]) -> None:
    """Other values in a row."""
    settings = [sql.SQL("{} = {}").format(sql.Identifier(c), sql.Placeholder(c)) for c in columns]
    query = sql.SQL("UPDATE subscribers SET {} WHERE id = %(id)s").format(sql.SQL(", ").join(settings))
    cursor.execute(query, {**columns, "id": id_})


def follow(cursor: Cursor[Row], id_: int, areas: Sequence[int], *, settled: bool = True) -> None:
    """Makes these the further areas; `settled` says that the home was chosen and no longer split."""
    cursor.execute(_UNFOLLOW, (id_, settled))
    cursor.execute(_FOLLOW, (id_, list(areas)))
