"""API keys: they say who calls, and nothing more. What the caller may do is in the log (account.py).

A key is `hn_<key_id>_<secret>` with 256 random bits of secret, of which only the SHA-256 is kept. A
slow hash would add nothing: nobody can guess 256 bits, and screens ask every few seconds.

A screen may sign with the SHA-256 of its secret, so of its key the SHA-256 of that is kept, and the
signing key sealed by a key that is not in the database: a row that leaks opens nothing.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool

from broadcaster.accounts.sealing import Sealer, SealError

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
ALTER TABLE api_keys ADD COLUMN IF NOT EXISTS signing_key bytea;
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
    verifier: bytes
    account: str
    succeeds: bool = False
    """Whether a former key lives that the first use of this one ends."""
    sealed: bytes | None = None
    """What it signs with, for `Keys.opened`."""


class _Known(NamedTuple):
    until: float
    verifier: bytes
    principal: Principal
    succeeds: bool
    sealed: bytes | None


def digest(secret: str) -> bytes:
    """What is kept of a person's secret, and what a screen signs with."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def verifier(secret: str) -> bytes:
    """What is kept of a screen's secret."""
    return hashlib.sha256(digest(secret)).digest()


def split(text: str) -> tuple[str, str] | None:
    """The key id and the secret, or None where the text is no key."""
    parts = text.split("_", 2)
    if len(parts) != 3 or parts[0] != "hn" or not parts[1].isalnum() or not parts[1].isascii():  # noqa: PLR2004
        return None
    return parts[1], parts[2]


def new_text() -> tuple[str, str]:
    """A key that nobody has yet: its id and its text."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return key_id, f"hn_{key_id}_{secret}"


def hash_of_text(text: str) -> bytes:
    """What is kept of a person's key. Raises ValueError where the text is none."""
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
    signing_key: bytes | None = None,
) -> None:
    """Makes a key, its id and its hash, one that opens, in the caller's transaction."""
    conn.execute(
        "INSERT INTO api_keys (key_id, secret_hash, account, body, kind, created_at, signing_key)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (*key, account, body, kind.value, at, signing_key),
    )


def revoke_in(conn: Connection[Any], account: str, at: datetime) -> list[str]:
    """Ends every key of an account in the caller's transaction; answers which."""
    query = "UPDATE api_keys SET revoked_at = %s WHERE account = %s AND revoked_at IS NULL RETURNING key_id"
    return [row[0] for row in conn.execute(query, (at, account)).fetchall()]


class Keys:
    """The keys, in their table. Safe to use from many threads."""

    def __init__(
        self,
        pool: ConnectionPool[Any],
        sealer: Sealer,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`sealer` is for what screens sign with."""
        self._pool, self._sealer = pool, sealer
        self._monotonic = monotonic
        self._known: dict[str, _Known] = {}

    def create(self, account: str, body: str | None, kind: KeyKind, at: datetime) -> tuple[str, str]:
        """A new key: its id and its text, which is shown this once and cannot be read again."""
        with self._pool.connection() as conn:
            return self.create_in(conn, account, body, kind, at)

    def create_in(
        self, conn: Connection[Any], account: str, body: str | None, kind: KeyKind, at: datetime
    ) -> tuple[str, str]:
        """As `create`, in the caller's transaction."""
        key_id, text = new_text()
        kept, sealed = hash_of_text(text), None
        if kind is KeyKind.SCREEN:
            # What a screen signs with is the hash; so the hash of that is kept.
            kept, sealed = hashlib.sha256(kept).digest(), self._sealed(kept, account, key_id)
        key = (key_id, kept)
        admit_in(conn, key, account=account, body=body, kind=kind, at=at, signing_key=sealed)
        return key_id, text

    def rotate_in(self, conn: Connection[Any], account: str, former: str, at: datetime) -> tuple[str, str]:
        """A new key of a screen beside a former one, which lives for OVERLAP at most.

        A new key that was made before and never used ends: its answer was lost on the way.
        """
        made = self.create_in(conn, account, None, KeyKind.SCREEN, at)
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

    def seal_former(self, conn: Connection[Any]) -> int:
        """Seals the keys of screens that an older version kept open; answers how many."""
        rows = conn.execute(
            "SELECT key_id, account, secret_hash FROM api_keys"
            " WHERE kind = 'screen' AND signing_key IS NULL FOR UPDATE"
        ).fetchall()
        for key_id, account, kept in rows:
            sealed = self._sealed(bytes(kept), account, key_id)
            conn.execute(
                "UPDATE api_keys SET secret_hash = %s, signing_key = %s WHERE key_id = %s",
                (hashlib.sha256(kept).digest(), sealed, key_id),
            )
        return len(rows)

    def opened(self, sealed: bytes | None, account: str, key_id: str) -> bytes | None:
        """What a screen signs with; None where it was sealed by another house's key, or not yet."""
        if sealed is None:
            return None
        try:
            return bytes.fromhex(self._sealer.open(sealed, _bound(account, key_id)))
        except SealError:
            return None

    def _sealed(self, signing_key: bytes, account: str, key_id: str) -> bytes:
        return self._sealer.seal(signing_key.hex(), _bound(account, key_id))

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
        is_staff = known is not None and known.principal.kind is KeyKind.STAFF
        given = digest(secret) if is_staff else verifier(secret)
        right = hmac.compare_digest(known.verifier if known else _NOTHING, given)
        if known is None or not right:
            return None
        if at is not None and known.principal.kind is KeyKind.SCREEN and known.succeeds:
            self.supersede([key_id], at)
            self._known.pop(key_id, None)
        return known.principal

    def signer(self, key_id: str, at: datetime) -> tuple[bytes, Principal] | None:
        """What a screen's live key signs with, and whose it is; None for any other key."""
        known = self._known.get(key_id)
        if known is None or known.until < self._monotonic():
            known = self._read(key_id, at)
        opened = self.opened(known.sealed, known.principal.account, key_id) if known else None
        return (opened, known.principal) if known and opened else None

    def has_ended(self, key_id: str, at: datetime) -> bool | None:
        """Whether a screen's key of that id lives no more; None where there never was one."""
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT revoked_at IS NOT NULL OR coalesce(ends_at <= %s, false) FROM api_keys"
                " WHERE key_id = %s AND kind = 'screen'",
                (at, key_id),
            ).fetchone()
        return row[0] if row else None

    def remembers(self, key_id: str) -> bool:
        """Whether a key of that id lived when it was last looked for, whatever secret came with it."""
        return key_id in self._known

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
                f"SELECT key_id, secret_hash, account, {_SUCCEEDS}, signing_key"  # noqa: S608 (constant)
                " FROM api_keys AS k"
                " WHERE kind = 'screen' AND revoked_at IS NULL"
            )
            return [ScreenKey(row[0], _kept(row[1], row[4]), *row[2:]) for row in rows]

    def of_others(self, key_ids: Iterable[str]) -> Mapping[str, bytes]:
        """Of these, the live keys that are of no screen, by the digest of their secrets."""
        with self._pool.connection() as conn:
            rows = conn.execute(
                "SELECT key_id, secret_hash FROM api_keys"
                " WHERE key_id = ANY(%s) AND kind <> 'screen' AND revoked_at IS NULL",
                (list(key_ids),),
            )
            return {key_id: bytes(secret_hash) for key_id, secret_hash in rows}

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
                "SELECT secret_hash, account, body, kind, last_used_at,"  # noqa: S608 (constant)
                f" {_SUCCEEDS}, signing_key FROM api_keys AS k"
                " WHERE key_id = %s AND revoked_at IS NULL AND (ends_at IS NULL OR ends_at > %s)",
                (key_id, at or datetime.min.replace(tzinfo=UTC)),
            ).fetchone()
            if row is None:
                self._known.pop(key_id, None)
                return None
            if at is not None and (row[4] is None or at - row[4] >= _NOTED_EVERY):
                conn.execute("UPDATE api_keys SET last_used_at = %s WHERE key_id = %s", (at, key_id))
        principal = Principal(row[1], row[2], KeyKind(row[3]), key_id)
        kept = _kept(row[0], row[6]) if principal.kind is KeyKind.SCREEN else bytes(row[0])
        known = _Known(self._monotonic() + FRESH, kept, principal, row[5], row[6])
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


def _bound(account: str, key_id: str) -> str:
    return f"{account} {key_id}"


def _kept(secret_hash: bytes, sealed: bytes | None) -> bytes:
    # Until `seal_former` an older version's row has the signing key itself.
    return bytes(secret_hash) if sealed is not None else hashlib.sha256(secret_hash).digest()
