"""Pairing in the shape of RFC 8628: a panel shows a short code, an operator claims it, it gets a key.

The short code is no credential: what the panel polls with is a secret of its own. Both are kept as
digests, for ten minutes. Nothing is made for a code but its row, and rows are counted, so that ten
thousand who ask cost no more than the few that fit.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg_pool import ConnectionPool

from broadcaster.neighbourhood import neighbourhood

PAIRINGS_DDL = """
CREATE TABLE IF NOT EXISTS screen_pairings (
    device_hash bytea PRIMARY KEY,
    user_hash bytea NOT NULL UNIQUE,
    address_hash bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    every_seconds int NOT NULL,
    polled_at timestamptz,
    screen_id uuid,
    claimed_by text,
    repairs boolean
);
CREATE INDEX IF NOT EXISTS screen_pairings_expiry ON screen_pairings (expires_at);
CREATE INDEX IF NOT EXISTS screen_pairings_address ON screen_pairings (address_hash);
"""

LIFE = timedelta(minutes=10)
EVERY = 5
"""Seconds between polls; who polls sooner waits that much longer from then on (RFC 8628 §3.5)."""
PER_ADDRESS = 20
"""Open codes of one address: a street of screens is put up behind one router."""
IN_ALL = 2_000
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""Consonants only (RFC 8628 §6.1): no 0 and O, no 1 and I, and no words."""
LENGTH = 8

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('screen_pairings', 0))"
_PAUSE = timedelta(seconds=5)
_REMEMBERED = 10_000


class Opened(NamedTuple):
    """A pairing, as the panel is told of it once."""

    device_code: str
    user_code: str
    expires_in: int
    interval: int


class PairingFullError(Exception):
    """Too many codes are open; come back in `retry_after` seconds."""

    def __init__(self, where: str, retry_after: int) -> None:
        super().__init__(f"too many pairing codes are open {where}")
        self.retry_after = retry_after


class Waiting(StrEnum):
    """Why a poll gives no key, in the words of RFC 8628 §3.5."""

    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    EXPIRED = "expired_token"


@dataclass(frozen=True)
class Claim:
    """A code that is open, or was claimed already for a screen, by whom."""

    screen_id: UUID | None
    claimed_by: str | None
    repairs: bool


class Handover(NamedTuple):
    """The screen whose key is to be given now; `repairs` ends the keys that it had."""

    screen_id: UUID
    repairs: bool


class Pairings:
    """The open codes, in their table: all web processes share them."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool
        self._full: dict[bytes, datetime] = {}

    def open(self, address: str, at: datetime) -> Opened:
        """Opens a pairing for a panel at that network address. Raises PairingFullError."""
        origin = _digest(neighbourhood(address))
        if self._full.get(origin, at) > at:
            raise PairingFullError("at this address", int(_PAUSE.total_seconds()))
        device, user = secrets.token_urlsafe(32), "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        with self._pool.connection() as conn:
            conn.execute(_LOCK)
            conn.execute("DELETE FROM screen_pairings WHERE expires_at <= %s", (at,))
            here, everywhere = conn.execute(
                "SELECT count(*) FILTER (WHERE address_hash = %s), count(*) FROM screen_pairings", (origin,)
            ).fetchone() or (0, 0)
            if here >= PER_ADDRESS or everywhere >= IN_ALL:
                self._note_full(origin, at)
                raise PairingFullError("at this address" if here >= PER_ADDRESS else "in all", 60)
            conn.execute(
                "INSERT INTO screen_pairings"
                " (device_hash, user_hash, address_hash, expires_at, every_seconds)"
                " VALUES (%s, %s, %s, %s, %s)",
                (_digest(device), _digest(user), origin, at + LIFE, EVERY),
            )
        return Opened(device, f"{user[:4]}-{user[4:]}", int(LIFE.total_seconds()), EVERY)

    def find(self, code: str, at: datetime) -> Claim | None:
        """The code as it stands; None where it is unknown or too old."""
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT screen_id, claimed_by, coalesce(repairs, false) FROM screen_pairings"
                " WHERE user_hash = %s AND expires_at > %s",
                (_digest(plain(code)), at),
            ).fetchone()
        return Claim(*row) if row else None

    def claim(
        self,
        code: str,
        hand: Handover,
        by: str,
        at: datetime,
        append: Callable[[Cursor[Any]], None],
    ) -> bool:
        """Gives the code to a screen, and appends what says so with it; False where another was quicker."""
        with self._pool.connection() as conn, conn.cursor() as cursor:
            cursor.execute(
                "UPDATE screen_pairings SET screen_id = %s, claimed_by = %s, repairs = %s"
                " WHERE user_hash = %s AND expires_at > %s AND screen_id IS NULL",
                (hand.screen_id, by, hand.repairs, _digest(plain(code)), at),
            )
            if cursor.rowcount != 1:
                return False
            append(cursor)
        return True

    def take(
        self, device_code: str, at: datetime, give: Callable[[Connection[Any], Handover], str]
    ) -> tuple[UUID, str] | Waiting:
        """One poll of a panel. Once its code is claimed, `give` makes the key and the pairing is over."""
        device = _digest(device_code)
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT polled_at, every_seconds, screen_id, coalesce(repairs, false) FROM screen_pairings"
                " WHERE device_hash = %s AND expires_at > %s FOR UPDATE",
                (device, at),
            ).fetchone()
            if row is None:
                return Waiting.EXPIRED
            polled, every, screen_id, repairs = row
            if polled is not None and at < polled + timedelta(seconds=every):
                self._polled(conn, device, at, every + EVERY)
                return Waiting.SLOW_DOWN
            if screen_id is None:
                self._polled(conn, device, at, every)
                return Waiting.PENDING
            conn.execute("DELETE FROM screen_pairings WHERE device_hash = %s", (device,))
            return screen_id, give(conn, Handover(screen_id, repairs))

    def _polled(self, conn: Connection[Any], device: bytes, at: datetime, every: int) -> None:
        conn.execute(
            "UPDATE screen_pairings SET polled_at = %s, every_seconds = %s WHERE device_hash = %s",
            (at, min(every, 60), device),
        )

    def _note_full(self, origin: bytes, at: datetime) -> None:
        # Who keeps asking is told no from memory for a while: the table is spared.
        if len(self._full) >= _REMEMBERED:
            self._full.clear()
        self._full[origin] = at + _PAUSE


def plain(code: str) -> str:
    """A short code as people type it, without what they put between."""
    return "".join(letter for letter in code.upper() if letter in ALPHABET)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
