"""Accounts that sign in: invited, then active, then perhaps closed. Their roles are events in the log."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from psycopg import Connection

from broadcaster.accounts import codes
from broadcaster.accounts.credentials import AccountError, Credentials
from broadcaster.accounts.passwords import fault
from schemas.events import AccountClosed, AccountInvited, AccountOpened

__all__ = [
    "ACCOUNTS_DDL",
    "INVITED_FOR",
    "AccountError",
    "Accounts",
    "Invited",
    "State",
    "is_name",
    "new_invitation",
]

ACCOUNTS_DDL = """
CREATE TABLE IF NOT EXISTS accounts (
    name text PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('invited', 'active', 'closed')),
    password_hash text,
    totp_sealed bytea NOT NULL,
    totp_step bigint NOT NULL DEFAULT 0,
    invite_hash bytea UNIQUE,
    invite_until timestamptz,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL
);
ALTER TABLE accounts ADD COLUMN IF NOT EXISTS pin_hash text;
ALTER TABLE accounts ADD COLUMN IF NOT EXISTS totp_next bytea;
"""

INVITED_FOR = timedelta(days=3)
PIN_DIGITS = 8
_NAME = re.compile(r"[a-z0-9][a-z0-9.@-]{1,79}")


class State(StrEnum):
    """Where an account stands."""

    INVITED = "invited"
    ACTIVE = "active"
    CLOSED = "closed"


@dataclass(frozen=True)
class Invited:
    """Who was invited, and the secret for an authenticator."""

    name: str
    secret: str
    pin_hash: str | None = None
    """Of the number that a second manager hands over; absent where the operator invited."""

    def __repr__(self) -> str:
        return f"Invited({self.name})"


def is_name(text: str) -> bool:
    """Whether an account may be called so. The system's own names have a colon, so none is taken."""
    return _NAME.fullmatch(text) is not None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def new_invitation() -> tuple[str, bytes]:
    """A token, shown once, and what is kept of it."""
    token = secrets.token_urlsafe(32)
    return token, _digest(token)


class Accounts(Credentials):
    """The accounts, in their table. The log knows that one was changed, and nothing of what is in it."""

    def invite(self, name: str, by: str, at: datetime) -> str:
        """Invites someone, anew where the invitation was not taken; answers the token, shown this once.

        For the operator: managers ask, and a second one confirms (access.py). Raises AccountError where
        the name is none, or an account has it.
        """
        if not is_name(name):
            raise AccountError("name")
        token, digest = new_invitation()
        with self._pool.connection() as conn:
            self._invite_in(conn, name, (digest, None), by, at)
            self._noting.note(conn, AccountInvited, name, by=by, at=at)
        return token

    def admit_in(self, conn: Connection[Any], name: str, digest: bytes, by: str, at: datetime) -> str:
        """Makes an invitation that was confirmed one that opens; answers its number, shown this once.

        The asker has the link and the confirmer the number: neither alone can take it for someone
        who does not exist. Raises AccountError as `invite`.
        """
        pin = f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}}"
        self._invite_in(conn, name, (digest, self._passwords.hash(pin)), by, at)
        return pin

    def _invite_in(
        self, conn: Connection[Any], name: str, digests: tuple[bytes, str | None], by: str, at: datetime
    ) -> None:
        digest, pin_hash = digests
        sealed = self._sealer.seal(codes.new_secret(), name)
        made = conn.execute(
            "INSERT INTO accounts (name, state, totp_sealed, invite_hash, invite_until, pin_hash,"
            " created_at, created_by) VALUES (%s, 'invited', %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (name) DO UPDATE SET"
            " totp_sealed = excluded.totp_sealed, invite_hash = excluded.invite_hash,"
            " invite_until = excluded.invite_until, pin_hash = excluded.pin_hash,"
            " created_by = excluded.created_by WHERE accounts.state = 'invited' RETURNING name",
            (name, sealed, digest, at + INVITED_FOR, pin_hash, at, by),
        ).fetchone()
        if made is None:
            raise AccountError("taken")

    def knows_pin(self, invited: Invited, pin: str) -> bool:
        """Whether it is the invitation's number, or the invitation has none."""
        given = "".join(pin.split())
        return invited.pin_hash is None or self._passwords.verify(invited.pin_hash, given)

    def invited(self, token: str, at: datetime) -> Invited | None:
        """Whom the token invites; None where it is of no invitation that holds."""
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT name, totp_sealed, pin_hash FROM accounts WHERE invite_hash = %s"
                " AND state = 'invited' AND invite_until > %s",
                (_digest(token), at),
            ).fetchone()
        return Invited(row[0], self._sealer.open(bytes(row[1]), row[0]), row[2]) if row else None

    def accept(self, token: str, password: str, code: str, at: datetime, pin: str = "") -> str:
        """Makes the account active with a password of its own; answers its name. Raises AccountError."""
        invited = self.invited(token, at)
        if invited is None:
            raise AccountError("invite")
        if not self.knows_pin(invited, pin):
            raise AccountError("pin")
        wrong = fault(password, invited.name)
        if wrong is not None:
            raise AccountError(wrong)
        step = codes.step_of(invited.secret, code, at, 0)
        if step is None:
            raise AccountError("code")
        hashed = self._passwords.hash(password)
        with self._pool.connection() as conn:
            # The invitation is taken once, whoever else has the link.
            taken = conn.execute(
                "UPDATE accounts SET state = 'active', password_hash = %s, totp_step = %s,"
                " invite_hash = NULL, invite_until = NULL, pin_hash = NULL"
                " WHERE invite_hash = %s AND state = 'invited'",
                (hashed, step, _digest(token)),
            )
            if not taken.rowcount:
                raise AccountError("invite")
            self._noting.note(conn, AccountOpened, invited.name, by=invited.name, at=at)
        return invited.name

    def create(self, name: str, password: str, secret: str, by: str, at: datetime) -> bool:
        """An active account with a given password and secret: for a demonstration, and for tests.

        The log is not told. False where the name is taken.
        """
        sealed, hashed = self._sealer.seal(secret, name), self._passwords.hash(password)
        with self._pool.connection() as conn:
            made = conn.execute(
                "INSERT INTO accounts (name, state, password_hash, totp_sealed, created_at, created_by)"
                " VALUES (%s, 'active', %s, %s, %s, %s) ON CONFLICT (name) DO NOTHING",
                (name, hashed, sealed, at, by),
            )
            return made.rowcount > 0

    def close(self, name: str, by: str, at: datetime) -> bool:
        """Ends an account: its sessions hold no longer. False where it was not open."""
        with self._pool.connection() as conn:
            closed = conn.execute(
                "UPDATE accounts SET state = 'closed', invite_hash = NULL"
                " WHERE name = %s AND state <> 'closed'",
                (name,),
            )
            if not closed.rowcount:
                return False
            self._noting.note(conn, AccountClosed, name, by=by, at=at)
        return True

    def all(self) -> Sequence[tuple[str, State]]:
        """Every account by name, and where it stands."""
        with self._pool.connection() as conn:
            rows = conn.execute("SELECT name, state FROM accounts ORDER BY name").fetchall()
        return [(name, State(state)) for name, state in rows]

    def state(self, name: str) -> State | None:
        """Where it stands; None where there is none."""
        with self._pool.connection() as conn:
            row = conn.execute("SELECT state FROM accounts WHERE name = %s", (name,)).fetchone()
        return State(row[0]) if row else None
