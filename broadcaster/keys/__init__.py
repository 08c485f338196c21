"""API keys: they say who calls, and nothing more. What the caller may do is in the log (account.py).

A screen may sign with the SHA-256 of its secret, so of its key the SHA-256 of that is kept, and the
signing key sealed (rows.py).
"""

import hmac
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString, NamedTuple

from psycopg import Connection, Cursor
from psycopg_pool import ConnectionPool

from broadcaster.accounts.sealing import Sealer, SealError
from broadcaster.keys import rows as key_rows
from broadcaster.keys.ends import Diary, KeyEnds
from broadcaster.keys.rows import EndedKey, KeyKind, KeyRecord, LiveKey, ScreenKey
from broadcaster.keys.text import digest, hash_of_text, new_text, split, verifier, verifier_of
from broadcaster.log.recorder import Ground
from schemas.events import Actor, KeyEnd

FRESH = 4.0
"""Seconds a key once found is believed without asking again: the longest a revocation can take."""

OVERLAP = timedelta(hours=24)
"""How long a key that was rotated away lives at most; the first use of the new one ends it."""

_CACHED = 20_000
_NOTHING = bytes(32)
_Note = Callable[[Cursor[Any], Sequence[EndedKey]], None]


@dataclass(frozen=True)
class Principal:
    """Who calls. `body` is the one the caller speaks for; that it may is not said here."""

    account: str
    body: str | None
    kind: KeyKind
    key_id: str


class _Known(NamedTuple):
    until: float
    key: LiveKey
    principal: Principal


class Keys:
    """The keys, in their table. Safe to use from many threads."""

    def __init__(
        self,
        pool: ConnectionPool[Any],
        sealer: Sealer,
        *,
        log: Diary | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`sealer` is for what screens sign with. `log` is told of each key's end, in its transaction."""
        self._ends = None if log is None else KeyEnds(log)
        self._pool, self._sealer = pool, sealer
        self._monotonic = monotonic
        self._known: dict[str, _Known] = {}

    # --- made -------------------------------------------------------------------------------------

    def create(self, account: str, body: str | None, kind: KeyKind, at: datetime) -> tuple[str, str]:
        """A new key: its id and its text, which is shown this once and cannot be read again."""
        with self._pool.connection() as conn:
            return self.create_in(conn, account, body, kind, at)

    def create_for_app(self, account: str, at: datetime, by: Actor) -> tuple[str, str]:
        """As `create`, of the server of an app; the log is told by whom."""
        with self._pool.connection() as conn, conn.cursor() as cursor:
            key_id, text = self.create_in(conn, account, None, KeyKind.APP, at)
            if self._ends is not None:
                self._ends.made(cursor, key_id, account, by, at)
        return key_id, text

    def create_in(
        self, conn: Connection[Any], account: str, body: str | None, kind: KeyKind, at: datetime
    ) -> tuple[str, str]:
        """As `create`, in the caller's transaction."""
        key_id, text = new_text()
        kept, sealed = hash_of_text(text), None
        if kind is KeyKind.SCREEN:
            # What a screen signs with is the hash; so the hash of that is kept.
            kept, sealed = verifier_of(kept), self._sealed(kept, account, key_id)
        key = (key_id, kept)
        key_rows.admit_in(conn, key, account=account, body=body, kind=kind, at=at, signing_key=sealed)
        return key_id, text

    def rotate_in(self, conn: Connection[Any], account: str, former: str, at: datetime) -> tuple[str, str]:
        """A new key of a screen beside a former one, which lives for OVERLAP at most.

        A new key that was made before and never used ends: its answer was lost on the way.
        """
        made = self.create_in(conn, account, None, KeyKind.SCREEN, at)
        ended = key_rows.succeed_in(conn, account, former, made[0], at=at, ends_at=at + OVERLAP)
        if ended and self._ends is not None:
            with conn.cursor() as cursor:
                self._ends.ended(cursor, ended, "unused", at)
        return made

    # --- what screens sign with -------------------------------------------------------------------

    def seal_former(self, conn: Connection[Any]) -> int:
        """Seals the keys of screens that an older version kept open; answers how many."""
        rows = key_rows.unsealed_in(conn)
        for key_id, account, kept in rows:
            sealed = self._sealed(bytes(kept), account, key_id)
            key_rows.seal_in(conn, key_id, verifier_of(kept), sealed)
        return len(rows)

    def opened(self, sealed: bytes | None, account: str, key_id: str) -> bytes | None:
        """What a screen signs with; None where it was sealed by another house's key, or not yet."""
        if sealed is None:
            return None
        try:
            return bytes.fromhex(self._sealer.open(sealed, _bound(account, key_id)))
        except SealError:
            return None

    def signer(self, key_id: str, at: datetime) -> tuple[bytes, Principal] | None:
        """What a screen's live key signs with, and whose it is; None for any other key."""
        known = self._lately(key_id, at)
        opened = self.opened(known.key.sealed, known.key.account, key_id) if known else None
        return (opened, known.principal) if known and opened else None

    def _sealed(self, signing_key: bytes, account: str, key_id: str) -> bytes:
        return self._sealer.seal(signing_key.hex(), _bound(account, key_id))

    # --- found ------------------------------------------------------------------------------------

    def find(self, text: str, at: datetime | None = None) -> Principal | None:
        """Whose key it is; None where it is unknown or revoked. `at` notes the use, by the minute."""
        parts = split(text)
        if parts is None:
            return None
        key_id, secret = parts
        known = self._lately(key_id, at)
        # An unknown id is compared too, so that both kinds of no take as long.
        signs = known is None or known.key.kind is KeyKind.SCREEN
        given = verifier(secret) if signs else digest(secret)
        right = hmac.compare_digest(known.key.verifier if known else _NOTHING, given)
        if known is None or not right:
            return None
        if at is not None and known.key.kind is KeyKind.SCREEN and known.key.succeeds:
            self.supersede([key_id], at)
            self._known.pop(key_id, None)
        return known.principal

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

    def _lately(self, key_id: str, at: datetime | None) -> _Known | None:
        known = self._known.get(key_id)
        return self._read(key_id, at) if known is None or known.until < self._monotonic() else known

    def _read(self, key_id: str, at: datetime | None) -> _Known | None:
        with self._pool.connection() as conn:
            key = key_rows.live_in(conn, key_id, at)
        if key is None:
            self._known.pop(key_id, None)
            return None
        principal = Principal(key.account, key.body, key.kind, key_id)
        if len(self._known) >= _CACHED:
            self._known.clear()
        known = self._known[key_id] = _Known(self._monotonic() + FRESH, key, principal)
        return known

    # --- ended ------------------------------------------------------------------------------------

    def supersede(self, key_ids: Iterable[str], at: datetime) -> int:
        """Ends the keys that these replaced, for these are in use; answers how many."""
        return self._end("replaced_by = ANY(%s)", list(key_ids), at, self._noting("superseded", at))

    def end_due(self, at: datetime, by: Actor) -> int:
        """Ends the keys whose overlap is over; answers how many."""
        return self._end("ends_at <= %s", at, at, self._noting("expired", at, by))

    def revoke(self, key_id: str, at: datetime, *, by: Actor, ground: Ground | None = None) -> bool:
        """Ends a key, everywhere within FRESH seconds; False where it was not alive.

        The log is told by whom, in the same transaction; raises psycopg's errors of `AlertLog.append_in`.
        """

        def note(cursor: Cursor[Any], ended: Sequence[EndedKey]) -> None:
            if self._ends is not None:
                self._ends.revoked(cursor, ended, by, at, ground)

        return bool(self._end("key_id = %s", key_id, at, note))

    def replace_account(self, account: str, at: datetime, *, by: Actor) -> int:
        """Ends every key of an account that is about to be given another; answers how many lived."""
        return self._end("account = %s", account, at, self._noting("unused", at, by))

    def revoke_account(self, account: str, at: datetime) -> int:
        """Ends every key of an account of whose end the log is told already; answers how many lived."""
        return self._end("account = %s", account, at)

    def _noting(self, cause: KeyEnd, at: datetime, by: Actor | None = None) -> _Note:
        def note(cursor: Cursor[Any], ended: Sequence[EndedKey]) -> None:
            if self._ends is not None:
                self._ends.ended(cursor, ended, cause, at, by)

        return note

    def _end(
        self,
        where: LiteralString,
        value: object,
        at: datetime,
        note: _Note | None = None,
    ) -> int:
        with self._pool.connection() as conn, conn.cursor() as cursor:
            ended = key_rows.end_in(conn, where, value, at)
            if ended and note is not None:
                note(cursor, ended)
        self.forget(key.key_id for key in ended)
        return len(ended)

    # --- listed -----------------------------------------------------------------------------------

    def list(self) -> Sequence[KeyRecord]:
        """Every key ever made, the newest first."""
        with self._pool.connection() as conn:
            return key_rows.list_in(conn)

    def screen_keys(self) -> Sequence[ScreenKey]:
        """The live keys of screens."""
        with self._pool.connection() as conn:
            return key_rows.of_screens_in(conn)

    def of_others(self, key_ids: Iterable[str]) -> Mapping[str, bytes]:
        """Of these, the live keys that are of no screen, by the digest of their secrets."""
        with self._pool.connection() as conn:
            return key_rows.of_others_in(conn, key_ids)

    def screen_mark(self) -> tuple[int, int]:
        """How many keys of screens were made and revoked: as none comes back, it tells any change."""
        with self._pool.connection() as conn:
            return key_rows.screen_mark_in(conn)


def _bound(account: str, key_id: str) -> str:
    return f"{account} {key_id}"
