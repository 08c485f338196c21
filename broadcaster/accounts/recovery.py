"""Recovery codes: one-time second factors on paper, for who has lost the authenticator.

Each has 80 random bits, of which only the SHA-256 is kept; nobody can guess them, so a slow hash would
add nothing. They open the sign-in page alone: what goes out still wants the authenticator, or a sign-in
minutes ago.
"""

import hashlib
import secrets
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg_pool import ConnectionPool

from broadcaster.accounts.noting import Noting
from schemas.events import RecoveryCodesRenewed, RecoveryCodeUsed

RECOVERY_DDL = """
CREATE TABLE IF NOT EXISTS recovery_codes (
    account text NOT NULL,
    code_hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account, code_hash)
);
"""

COUNT = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are taken for one another on paper: i, l, o, 0, 1."""
_GROUPS, _GROUP = 4, 4
_LENGTH = _GROUPS * _GROUP


def plain(given: str) -> str:
    """A code as it is compared: small letters, without what stands between."""
    return "".join(each for each in given.lower() if each not in " -")


def is_like_one(given: str) -> bool:
    """Whether it has the form of a recovery code; six digits have not."""
    text = plain(given)
    return len(text) == _LENGTH and set(text) <= set(_LETTERS)


def _new() -> str:
    text = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    return "-".join(text[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))


def _digest(account: str, given: str) -> bytes:
    return hashlib.sha256(f"{account}\n{plain(given)}".encode()).digest()


class Recovery:
    """The codes, in their table."""

    def __init__(self, pool: ConnectionPool[Any], noting: Noting) -> None:
        self._pool, self._noting = pool, noting

    def renew(self, account: str, at: datetime) -> list[str]:
        """COUNT new codes, shown this once; the former ones end."""
        made = [_new() for _ in range(COUNT)]
        with self._pool.connection() as conn:
            conn.execute("DELETE FROM recovery_codes WHERE account = %s", (account,))
            conn.cursor().executemany(
                "INSERT INTO recovery_codes VALUES (%s, %s, %s)",
                [(account, _digest(account, each), at) for each in made],
            )
            self._noting.note(conn, RecoveryCodesRenewed, account, by=account, at=at, count=COUNT)
        return made

    def take(self, account: str, given: str, at: datetime) -> bool:
        """Whether it is one that was not used; it is now."""
        if not is_like_one(given):
            return False
        with self._pool.connection() as conn:
            used = conn.execute(
                "DELETE FROM recovery_codes WHERE account = %s AND code_hash = %s",
                (account, _digest(account, given)),
            )
            if not used.rowcount:
                return False
            left = _left(conn, account)
            self._noting.note(conn, RecoveryCodeUsed, account, by=account, at=at, left=left)
        return True

    def left(self, account: str) -> int:
        """How many there still are."""
        with self._pool.connection() as conn:
            return _left(conn, account)


def _left(conn: Connection[Any], account: str) -> int:
    row = conn.execute("SELECT count(*) FROM recovery_codes WHERE account = %s", (account,)).fetchone()
    assert row is not None
    return row[0]
