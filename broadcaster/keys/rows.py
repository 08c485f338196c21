"""The table of API keys, a statement each, in the caller's transaction.

Of a screen's key it has the SHA-256 of what the screen signs with, and that sealed by a key that is not in
the database: a row that leaks opens nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from broadcaster.keys.text import verifier_of

KEYS_DDL = """
CREATE TABLE IF NOT EXISTS api_keys (
    key_id text PRIMARY KEY,
    secret_hash bytea NOT NULL,
    account text NOT NULL,
    body text,
    kind text NOT NULL CHECK (kind IN ('staff', 'screen', 'app')),
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    last_used_at timestamptz
);
ALTER TABLE api_keys DROP CONSTRAINT IF EXISTS api_keys_kind_check;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_kind_check CHECK (kind IN ('staff', 'screen', 'app'));
CREATE INDEX IF NOT EXISTS api_keys_account ON api_keys (account);
ALTER TABLE api_keys ADD COLUMN IF NOT EXISTS ends_at timestamptz;
ALTER TABLE api_keys ADD COLUMN IF NOT EXISTS replaced_by text;
ALTER TABLE api_keys ADD COLUMN IF NOT EXISTS signing_key bytea;
CREATE INDEX IF NOT EXISTS api_keys_replaced ON api_keys (replaced_by) WHERE replaced_by IS NOT NULL;
"""

_NOTED_EVERY = timedelta(minutes=1)
_SUCCEEDS = """EXISTS (
    SELECT FROM api_keys AS f WHERE f.replaced_by = k.key_id AND f.revoked_at IS NULL)"""
_COLUMNS = "key_id, account, body, kind, created_at, revoked_at, last_used_at"


class KeyKind(StrEnum):
    """Whom a key was given to: a person or program of a body, a screen, the citizens' app's server."""

    STAFF = "staff"
    SCREEN = "screen"
    APP = "app"


@dataclass(frozen=True)
class KeyRecord:
    """A key as listed: everything but its secret."""

    key_id: str
    account: str
    body: str | None
    kind: str
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


class EndedKey(NamedTuple):
    """A key that was just ended."""

    key_id: str
    account: str
    body: str | None


class LiveKey(NamedTuple):
    """A key that lives, as it is read to be compared."""

    verifier: bytes
    account: str
    body: str | None
    kind: KeyKind
    succeeds: bool
    """Whether a former key lives that the first use of this one ends."""
    sealed: bytes | None
    """What a screen signs with, for `Keys.opened`."""


class ScreenKey(NamedTuple):
    """A live key of a screen, to be held in memory."""

    key_id: str
    verifier: bytes
    account: str
    succeeds: bool = False
    """Whether a former key lives that the first use of this one ends."""
    sealed: bytes | None = None
    """What it signs with, for `Keys.opened`."""


def admit_in(
    conn: Connection[Any],
    key: tuple[str, bytes],
    *,
    account: str,
    body: str | None,
    kind: KeyKind,
    at: datetime,
    signing_key: bytes | None = None,
) -> None:
    """Makes a key, its id and its hash, one that opens; `signing_key` is sealed."""
    conn.execute(
        "INSERT INTO api_keys (key_id, secret_hash, account, body, kind, created_at, signing_key)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (*key, account, body, kind.value, at, signing_key),
    )


def revoke_in(conn: Connection[Any], account: str, at: datetime) -> list[str]:
    """Ends every key of an account; answers which."""
    return [key.key_id for key in end_in(conn, "account = %s", account, at)]


def end_in(conn: Connection[Any], where: LiteralString, value: object, at: datetime) -> list[EndedKey]:
    """Ends the live keys of which a condition on one value holds; answers which."""
    query = f"UPDATE api_keys SET revoked_at = %s WHERE {where} AND revoked_at IS NULL"  # noqa: S608 (constants of ours)
    return [EndedKey(*row) for row in conn.execute(query + " RETURNING key_id, account, body", (at, value))]


def succeed_in(
    conn: Connection[Any], account: str, former: str, successor: str, *, at: datetime, ends_at: datetime
) -> list[EndedKey]:
    """Has a key of an account replace a former one, which ends at `ends_at`; every other one ends now.

    Answers those others.
    """
    rows = conn.execute(
        "UPDATE api_keys SET revoked_at = %s WHERE account = %s AND revoked_at IS NULL"
        " AND key_id <> ALL(%s) RETURNING key_id, account, body",
        (at, account, [former, successor]),
    ).fetchall()
    conn.execute(
        "UPDATE api_keys SET replaced_by = %s, ends_at = coalesce(ends_at, %s) WHERE key_id = %s",
        (successor, ends_at, former),
    )
    return [EndedKey(*row) for row in rows]


def unsealed_in(conn: Connection[Any]) -> list[tuple[str, str, bytes]]:
    """The keys of screens that an older version kept open: id, account, what it signs with."""
    return conn.execute(
        "SELECT key_id, account, secret_hash FROM api_keys"
        " WHERE kind = 'screen' AND signing_key IS NULL FOR UPDATE"
    ).fetchall()


def seal_in(conn: Connection[Any], key_id: str, kept: bytes, sealed: bytes) -> None:
    """Keeps of a screen's key what verifies it, and what it signs with sealed."""
    conn.execute(
        "UPDATE api_keys SET secret_hash = %s, signing_key = %s WHERE key_id = %s", (kept, sealed, key_id)
    )


def live_in(conn: Connection[Any], key_id: str, at: datetime | None) -> LiveKey | None:
    """A key, if it lives; `at` notes the use, by the minute."""
    row = conn.execute(
        "SELECT secret_hash, account, body, kind, last_used_at,"  # noqa: S608 (constant)
        f" {_SUCCEEDS}, signing_key FROM api_keys AS k"
        " WHERE key_id = %s AND revoked_at IS NULL AND (ends_at IS NULL OR ends_at > %s)",
        (key_id, at or datetime.min.replace(tzinfo=UTC)),
    ).fetchone()
    if row is None:
        return None
    if at is not None and (row[4] is None or at - row[4] >= _NOTED_EVERY):
        conn.execute("UPDATE api_keys SET last_used_at = %s WHERE key_id = %s", (at, key_id))
    kind = KeyKind(row[3])
    kept = _kept(row[0], row[6]) if kind is KeyKind.SCREEN else bytes(row[0])
    return LiveKey(kept, row[1], row[2], kind, row[5], row[6])


def list_in(conn: Connection[Any]) -> Sequence[KeyRecord]:
    """Every key ever made, the newest first."""
    with conn.cursor(row_factory=class_row(KeyRecord)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM api_keys ORDER BY created_at DESC, key_id"  # noqa: S608 (constant)
        ).fetchall()


def of_screens_in(conn: Connection[Any]) -> Sequence[ScreenKey]:
    """The live keys of screens."""
    rows = conn.execute(
        f"SELECT key_id, secret_hash, account, {_SUCCEEDS}, signing_key"  # noqa: S608 (constant)
        " FROM api_keys AS k"
        " WHERE kind = 'screen' AND revoked_at IS NULL"
    )
    return [ScreenKey(row[0], _kept(row[1], row[4]), *row[2:]) for row in rows]


def of_others_in(conn: Connection[Any], key_ids: Iterable[str]) -> Mapping[str, bytes]:
    """Of these, the live keys that are of no screen, by the digest of their secrets."""
    rows = conn.execute(
        "SELECT key_id, secret_hash FROM api_keys"
        " WHERE key_id = ANY(%s) AND kind <> 'screen' AND revoked_at IS NULL",
        (list(key_ids),),
    )
    return {key_id: bytes(secret_hash) for key_id, secret_hash in rows}


def screen_mark_in(conn: Connection[Any]) -> tuple[int, int]:
    """How many keys of screens were made and revoked: as none comes back, it tells any change."""
    row = conn.execute("SELECT count(*), count(revoked_at) FROM api_keys WHERE kind = 'screen'").fetchone()
    assert row is not None
    return row[0], row[1]


def _kept(secret_hash: bytes, sealed: bytes | None) -> bytes:
    # Until `Keys.seal_former` an older version's row has the signing key itself.
    return bytes(secret_hash) if sealed is not None else verifier_of(secret_hash)
