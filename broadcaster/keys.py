"""API keys: they say who calls, and nothing more. What the caller may do is in the log (account.py).

A key is `hn_<key_id>_<secret>` with 256 random bits of secret, of which only the SHA-256 is kept. A
slow hash would add nothing: nobody can guess 256 bits, and screens ask every few seconds.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool

KEYS_DDL = """
CREATE TABLE IF NOT EXISTS api_keys (
    key_id text PRIMARY KEY,
    secret_hash bytea NOT NULL,
    account text NOT NULL,
    body text,
    kind text NOT NULL CHECK (kind IN ('staff', 'screen')),
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    last_used_at timestamptz
);
CREATE INDEX IF NOT EXISTS api_keys_account ON api_keys (account);
ALTER TABLE api_keys ADD COLUMN IF NOT EXISTS ends_at timestamptz;
ALTER TABLE api_keys ADD COLUMN IF NOT EXISTS replaced_by text;
CREATE INDEX IF NOT EXISTS api_keys_replaced ON api_keys (replaced_by) WHERE replaced_by IS NOT NULL;
"""

FRESH = 4.0
"""Seconds a key once found is believed without asking again: the longest a revocation can take."""

OVERLAP = timedelta(hours=24)
"""How long a key that was rotated away lives at most; the first use of the new one ends it."""

_CACHED = 20_000
_NOTED_EVERY = timedelta(minutes=1)
_NOTHING = bytes(32)
_SUCCEEDS = """EXISTS (
    SELECT FROM api_keys AS f WHERE f.replaced_by = k.key_id AND f.revoked_at IS NULL)"""
_COLUMNS = "key_id, account, body, kind, created_at, revoked_at, last_used_at"


class KeyKind(StrEnum):
    """Whom a key was given to: a person or program of a body, or a screen."""

    STAFF = "staff"
    SCREEN = "screen"


@dataclass(frozen=True)
class Principal:
    """Who calls. `body` is the one the caller speaks for; that it may is not said here."""

    account: str
    body: str | None
    kind: KeyKind
    key_id: str


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


class ScreenKey(NamedTuple):
    """A live key of a screen, to be held in memory."""

    key_id: str
    secret_hash: bytes
    account: str
    succeeds: bool = False
    """Whether a former key lives that the first use of this one ends."""


class _Known(NamedTuple):
    until: float
    secret_hash: bytes
    principal: Principal
    succeeds: bool


def digest(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def split(text: str) -> tuple[str, str] | None:
    """The key id and the secret, or None where the text is no key."""
    parts = text.split("_", 2)
    if len(parts) != 3 or parts[0] != "hn" or not parts[1].isalnum() or not parts[1].isascii():  # noqa: PLR2004
        return None
    return parts[1], parts[2]


def create_in(
    conn: Connection[Any], account: str, body: str | None, kind: KeyKind, at: datetime
) -> tuple[str, str]:
    """As `Keys.create`, in the caller's transaction."""
    key_id, text = new_text()
    admit_in(conn, (key_id, hash_of_text(text)), account=account, body=body, kind=kind, at=at)
    return key_id, text


def new_text() -> tuple[str, str]:
    """A key that nobody has yet: its id and its text."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return key_id, f"hn_{key_id}_{secret}"


def hash_of_text(text: str) -> bytes:
    """What is kept of a key. Raises ValueError where the text is none."""
    parts = split(text)
    if parts is None:
        raise ValueError("not a key")
    return digest(parts[1])


def admit_in(
    conn: Connection[Any],
    key: tuple[str, bytes],
    *,
    account: str,
    body: str | None,
    kind: KeyKind,
    at: datetime,
) -> None:
    """Makes a key, its id and its hash, one that opens, in the caller's transaction."""
    conn.execute(
        "INSERT INTO api_keys (key_id, secret_hash, account, body, kind, created_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (*key, account, body, kind.value, at),
    )


def rotate_in(conn: Connection[Any], account: str, former: str, at: datetime) -> tuple[str, str]:
    """A new key of a screen beside a former one, which lives for OVERLAP at most.

    A new key that was made before and never used ends: its answer was lost on the way.
    """
    made = create_in(conn, account, None, KeyKind.SCREEN, at)
    conn.execute(
        "UPDATE api_keys SET revoked_at = %s WHERE account = %s AND revoked_at IS NULL"
        " AND key_id <> ALL(%s)",
        (at, account, [former, made[0]]),
    )
    conn.execute(
        "UPDATE api_keys SET replaced_by = %s, ends_at = coalesce(ends_at, %s) WHERE key_id = %s",
        (made[0], at + OVERLAP, former),
    )
    return made


def revoke_in(conn: Connection[Any], account: str, at: datetime) -> list[str]:
    """Ends every key of an account in the caller's transaction; answers which."""
    query = "UPDATE api_keys SET revoked_at = %s WHERE account = %s AND revoked_at IS NULL RETURNING key_id"
    return [row[0] for row in conn.execute(query, (at, account)).fetchall()]


class Keys:
    """The keys, in their table. Safe to use from many threads."""

    def __init__(
        self, pool: ConnectionPool[Any], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._pool = pool
        self._monotonic = monotonic
        self._known: dict[str, _Known] = {}

    def create(self, account: str, body: str | None, kind: KeyKind, at: datetime) -> tuple[str, str]:
        """A new key: its id and its text, which is shown this once and cannot be read again."""
        with self._pool.connection() as conn:
            return create_in(conn, account, body, kind, at)

    def find(self, text: str, at: datetime | None = None) -> Principal | None:
        """Whose key it is; None where it is unknown or revoked. `at` notes the use, by the minute."""
        parts = split(text)
        if parts is None:
            return None
        key_id, secret = parts
        known = self._known.get(key_id)
        if known is None or known.until < self._monotonic():
            known = self._read(key_id, at)
        # An unknown id is compared too, so that both kinds of no take as long.
        right = hmac.compare_digest(known.secret_hash if known else _NOTHING, digest(secret))
        if known is None or not right:
            return None
        if at is not None and known.principal.kind is KeyKind.SCREEN and known.succeeds:
            self.supersede([key_id], at)
            self._known.pop(key_id, None)
        return known.principal

    def hash_of(self, key_id: str, at: datetime) -> tuple[bytes, Principal] | None:
        """The digest of a live key's secret, by which a screen signs, and whose it is."""
        known = self._known.get(key_id)
        if known is None or known.until < self._monotonic():
            known = self._read(key_id, at)
        return (known.secret_hash, known.principal) if known else None

    def forget(self, key_ids: Iterable[str]) -> None:
        """Drops what is remembered of keys, as they were ended in another's transaction."""
        for key_id in key_ids:
            self._known.pop(key_id, None)

    def supersede(self, key_ids: Iterable[str], at: datetime) -> int:
        """Ends the keys that these replaced, for these are in use; answers how many."""
        return self._end("replaced_by = ANY(%s)", list(key_ids), at)

    def end_due(self, at: datetime) -> int:
        """Ends the keys whose overlap is over; answers how many."""
        return self._end("ends_at <= %s", at, at)

    def revoke(self, key_id: str, at: datetime) -> bool:
        """Ends a key, everywhere within FRESH seconds; False where it was not alive."""
        return bool(self._end("key_id = %s", key_id, at))

    def revoke_account(self, account: str, at: datetime) -> int:
        """Ends every key of an account; answers how many lived."""
        return self._end("account = %s", account, at)

    def list(self) -> Sequence[KeyRecord]:
        """Every key ever made, the newest first."""
        with self._pool.connection() as conn, conn.cursor(row_factory=class_row(KeyRecord)) as cursor:
            return cursor.execute(
                f"SELECT {_COLUMNS} FROM api_keys ORDER BY created_at DESC, key_id"  # noqa: S608 (constant)
            ).fetchall()

    def screen_keys(self) -> Sequence[ScreenKey]:
        """The live keys of screens."""
        with self._pool.connection() as conn:
            rows = conn.execute(
                f"SELECT key_id, secret_hash, account, {_SUCCEEDS} FROM api_keys AS k"  # noqa: S608 (constant)
                " WHERE kind = 'screen' AND revoked_at IS NULL"
            )
            return [ScreenKey(row[0], bytes(row[1]), row[2], row[3]) for row in rows]

    def screen_mark(self) -> tuple[int, int]:
        """How many keys of screens were made and revoked: as none comes back, it tells any change."""
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT count(*), count(revoked_at) FROM api_keys WHERE kind = 'screen'"
            ).fetchone()
        assert row is not None
        return row[0], row[1]

    def _read(self, key_id: str, at: datetime | None) -> _Known | None:
        with self._pool.connection() as conn:
            row = conn.execute(
                f"SELECT secret_hash, account, body, kind, last_used_at, {_SUCCEEDS} FROM api_keys AS k"  # noqa: S608 (constant)
                " WHERE key_id = %s AND revoked_at IS NULL AND (ends_at IS NULL OR ends_at > %s)",
                (key_id, at or datetime.min.replace(tzinfo=UTC)),
            ).fetchone()
            if row is None:
                self._known.pop(key_id, None)
                return None
            if at is not None and (row[4] is None or at - row[4] >= _NOTED_EVERY):
                conn.execute("UPDATE api_keys SET last_used_at = %s WHERE key_id = %s", (at, key_id))
        principal = Principal(row[1], row[2], KeyKind(row[3]), key_id)
        known = _Known(self._monotonic() + FRESH, bytes(row[0]), principal, row[5])
        if len(self._known) >= _CACHED:
            self._known.clear()
        self._known[key_id] = known
        return known

    def _end(self, where: str, value: object, at: datetime) -> int:
        query = f"UPDATE api_keys SET revoked_at = %s WHERE {where} AND revoked_at IS NULL RETURNING key_id"  # noqa: S608 (constant)
        with self._pool.connection() as conn:
            ended = [row[0] for row in conn.execute(query, (at, value)).fetchall()]
        self.forget(ended)
        return len(ended)
