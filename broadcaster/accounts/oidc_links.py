"""Which subject of an identity provider is which account, and attempts that are under way.

A link is made by the person, signed in here with password and second factor: never by an e-mail
address, and never by whoever comes first.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from psycopg_pool import ConnectionPool

from broadcaster.accounts.noting import Noting
from schemas.events import AccountLinked, AccountUnlinked

LINKS_DDL = """
CREATE TABLE IF NOT EXISTS oidc_links (
    issuer text NOT NULL,
    subject text NOT NULL,
    account text NOT NULL,
    linked_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject),
    UNIQUE (issuer, account)
);
CREATE TABLE IF NOT EXISTS oidc_attempts (
    browser_hash bytea PRIMARY KEY,
    state text NOT NULL,
    nonce text NOT NULL,
    verifier text NOT NULL,
    account text,
    back text NOT NULL,
    begun_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS oidc_attempts_begun ON oidc_attempts (begun_at);
"""

ENDS_AFTER = timedelta(minutes=10)
MOST_ROWS = 20_000


@dataclass(frozen=True)
class Kept:
    """An attempt as it was begun. `account` is who wants a link; None for a sign-in."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    account: str | None
    back: str


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


class OidcLinks:
    """Both tables."""

    def __init__(self, pool: ConnectionPool[Any], noting: Noting) -> None:
        self._pool, self._noting = pool, noting

    def keep(self, kept: Kept, at: datetime) -> str:
        """Remembers an attempt; answers the token that binds it to one browser."""
        token = secrets.token_urlsafe(32)
        with self._pool.connection() as conn:
            conn.execute("DELETE FROM oidc_attempts WHERE begun_at < %s", (at - ENDS_AFTER,))
            conn.execute(
                "INSERT INTO oidc_attempts VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (_digest(token), kept.state, kept.nonce, kept.verifier, kept.account, kept.back, at),
            )
            # Whoever begins many gets no more memory than anyone.
            conn.execute(
                "DELETE FROM oidc_attempts WHERE begun_at < (SELECT begun_at FROM oidc_attempts"
                " ORDER BY begun_at DESC OFFSET %s LIMIT 1)",
                (MOST_ROWS,),
            )
        return token

    def take(self, token: str, at: datetime) -> Kept | None:
        """The browser's attempt, once; None where there is none, or it took too long."""
        with self._pool.connection() as conn:
            row = conn.execute(
                "DELETE FROM oidc_attempts WHERE browser_hash = %s"
                " RETURNING state, nonce, verifier, account, back, begun_at",
                (_digest(token),),
            ).fetchone()
        return Kept(*row[:5]) if row and at - row[5] < ENDS_AFTER else None

    def link(self, issuer: str, subject: str, account: str, at: datetime) -> bool:
        """Links; False where either is linked already."""
        with self._pool.connection() as conn:
            made = conn.execute(
                "INSERT INTO oidc_links VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (issuer, subject, account, at),
            )
            if not made.rowcount:
                return False
            self._noting.note(conn, AccountLinked, account, by=account, at=at, provider=issuer)
        return True

    def unlink(self, issuer: str, account: str, at: datetime) -> bool:
        """Ends the account's link; False where there was none."""
        with self._pool.connection() as conn:
            ended = conn.execute(
                "DELETE FROM oidc_links WHERE issuer = %s AND account = %s", (issuer, account)
            )
            if not ended.rowcount:
                return False
            self._noting.note(conn, AccountUnlinked, account, by=account, at=at, provider=issuer)
        return True

    def account_of(self, issuer: str, subject: str) -> str | None:
        """The active account of the subject."""
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT l.account FROM oidc_links l JOIN accounts a ON a.name = l.account"
                " WHERE l.issuer = %s AND l.subject = %s AND a.state = 'active'",
                (issuer, subject),
            ).fetchone()
        return row[0] if row else None

    def is_linked(self, issuer: str, account: str) -> bool:
        """Whether the account has a link."""
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT FROM oidc_links WHERE issuer = %s AND account = %s", (issuer, account)
            ).fetchone()
        return row is not None
