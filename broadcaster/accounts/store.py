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
from psycopg_pool import ConnectionPool

from broadcaster.accounts import codes
from broadcaster.accounts.passwords import Passwords, fault
from broadcaster.accounts.recovery import Recovery
from broadcaster.accounts.sealing import Sealer

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


class AccountError(Exception):
    """It cannot be done; `code` says why: name, taken, unknown, invite, pin, code, short, long."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


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


class Accounts:
    """The accounts, in their table. Nothing of it is ever in the log or in a log line."""

    def __init__(
        self, pool: ConnectionPool[Any], sealer: Sealer, passwords: Passwords | None = None
    ) -> None:
        self._pool, self._sealer = pool, sealer
        self._passwords = passwords or Passwords()
        self.recovery = Recovery(pool)

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
        return invited.name

    def create(self, name: str, password: str, secret: str, by: str, at: datetime) -> bool:
        """An active account with a given password and secret: for a demonstration, and for tests.

        False where the name is taken.
        """
        sealed, hashed = self._sealer.seal(secret, name), self._passwords.hash(password)
        with self._pool.connection() as conn:
            made = conn.execute(
                "INSERT INTO accounts (name, state, password_hash, totp_sealed, created_at, created_by)"
                " VALUES (%s, 'active', %s, %s, %s, %s) ON CONFLICT (name) DO NOTHING",
                (name, hashed, sealed, at, by),
            )
            return made.rowcount > 0

    def sign_in(self, name: str, password: str, code: str, at: datetime) -> bool:
        """Whether password and second factor are both right. Which one was not is told to nobody.

        A recovery code stands for the second factor, once.
        """
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT password_hash FROM accounts WHERE name = %s AND state = 'active'", (name,)
            ).fetchone()
        kept = row[0] if row else None
        if not self._passwords.verify(kept, password):
            return False
        if not self.check_code(name, code, at) and not self.recovery.take(name, code):
            return False
        if kept is not None and self._passwords.is_old(kept):
            hashed = self._passwords.hash(password)
            with self._pool.connection() as conn:
                conn.execute("UPDATE accounts SET password_hash = %s WHERE name = %s", (hashed, name))
        return True

    def check_code(self, name: str, code: str, at: datetime) -> bool:
        """Whether it is the account's second factor now. A code is taken once, by whoever is first."""
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT totp_sealed, totp_step FROM accounts WHERE name = %s AND state = 'active'", (name,)
            ).fetchone()
            if row is None:
                return False
            step = codes.step_of(self._sealer.open(bytes(row[0]), name), code, at, row[1])
            if step is None:
                return False
            taken = conn.execute(
                "UPDATE accounts SET totp_step = %s WHERE name = %s AND totp_step < %s", (step, name, step)
            )
            return taken.rowcount > 0

    def knows_password(self, name: str, password: str) -> bool:
        """Whether it is the account's password."""
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT password_hash FROM accounts WHERE name = %s AND state = 'active'", (name,)
            ).fetchone()
        return self._passwords.verify(row[0] if row else None, password)

    def set_password(self, name: str, password: str) -> None:
        """Another password, for who has proved the former. Raises AccountError: short, long, name."""
        wrong = fault(password, name)
        if wrong is not None:
            raise AccountError(wrong)
        hashed = self._passwords.hash(password)
        with self._pool.connection() as conn:
            conn.execute(
                "UPDATE accounts SET password_hash = %s WHERE name = %s AND state = 'active'",
                (hashed, name),
            )

    def begin_secret(self, name: str) -> str:
        """A secret for another authenticator; the former one holds until a code of this one is given."""
        secret = codes.new_secret()
        with self._pool.connection() as conn:
            conn.execute(
                "UPDATE accounts SET totp_next = %s WHERE name = %s AND state = 'active'",
                (self._sealer.seal(secret, name), name),
            )
        return secret

    def next_secret(self, name: str) -> str | None:
        """The secret that was begun; None where none was."""
        with self._pool.connection() as conn:
            row = conn.execute("SELECT totp_next FROM accounts WHERE name = %s", (name,)).fetchone()
        return self._sealer.open(bytes(row[0]), name) if row and row[0] is not None else None

    def take_secret(self, name: str, code: str, at: datetime) -> bool:
        """Makes it the account's secret, where the code is of it."""
        secret = self.next_secret(name)
        step = codes.step_of(secret, code, at, 0) if secret else None
        if secret is None or step is None:
            return False
        with self._pool.connection() as conn:
            taken = conn.execute(
                "UPDATE accounts SET totp_sealed = %s, totp_step = %s, totp_next = NULL"
                " WHERE name = %s AND state = 'active' AND totp_next IS NOT NULL",
                (self._sealer.seal(secret, name), step, name),
            )
            return taken.rowcount > 0

    def close(self, name: str) -> bool:
        """Ends an account: its sessions hold no longer. False where it was not open."""
        with self._pool.connection() as conn:
            return (
                conn.execute(
                    "UPDATE accounts SET state = 'closed', invite_hash = NULL"
                    " WHERE name = %s AND state <> 'closed'",
                    (name,),
                ).rowcount
                > 0
            )

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
