"""What opens an account: its password, its authenticator, its codes on paper."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg_pool import ConnectionPool

from broadcaster.accounts import codes
from broadcaster.accounts.noting import Diary, Noting
from broadcaster.accounts.passwords import Passwords, fault
from broadcaster.accounts.recovery import Recovery
from broadcaster.accounts.sealing import Sealer
from broadcaster.accounts.sessions import refresh_in
from schemas.events import PasswordChanged, SecondFactorChanged

_SECOND_FACTOR = """
SELECT totp_sealed, totp_step FROM accounts WHERE name = %s AND state = 'active' FOR UPDATE
"""


class AccountError(Exception):
    """It cannot be done; `code` says why: name, taken, unknown, invite, pin, code, short, long."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Credentials:
    """Asked and changed in the table `accounts`. Each change is an event in the same transaction."""

    def __init__(
        self,
        pool: ConnectionPool[Any],
        log: Diary,
        sealer: Sealer,
        passwords: Passwords | None = None,
    ) -> None:
        self._pool, self._sealer = pool, sealer
        self._passwords = passwords or Passwords()
        self._noting = Noting(log)
        self.recovery = Recovery(pool, self._noting)

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
        if not self.check_code(name, code, at) and not self.recovery.take(name, code, at):
            return False
        if kept is not None and self._passwords.is_old(kept):
            hashed = self._passwords.hash(password)
            with self._pool.connection() as conn:
                conn.execute("UPDATE accounts SET password_hash = %s WHERE name = %s", (hashed, name))
        return True

    def check_code(self, name: str, code: str, at: datetime, session: UUID | None = None) -> bool:
        """Whether it is the account's second factor now. A code is taken once, by whoever is first.

        With it `session` becomes fresh: of two presses at once the second waits, and finds that it is.
        """
        with self._pool.connection() as conn:
            row = conn.execute(_SECOND_FACTOR, (name,)).fetchone()
            if row is None:
                return False
            step = codes.step_of(self._sealer.open(bytes(row[0]), name), code, at, row[1])
            if step is None:
                return False
            conn.execute("UPDATE accounts SET totp_step = %s WHERE name = %s", (step, name))
            if session is not None:
                refresh_in(conn, session, at)
            return True

    def knows_password(self, name: str, password: str) -> bool:
        """Whether it is the account's password."""
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT password_hash FROM accounts WHERE name = %s AND state = 'active'", (name,)
            ).fetchone()
        return self._passwords.verify(row[0] if row else None, password)

    def set_password(self, name: str, password: str, by: str, at: datetime) -> None:
        """Another password, for who has proved the former. Raises AccountError: short, long, name."""
        wrong = fault(password, name)
        if wrong is not None:
            raise AccountError(wrong)
        hashed = self._passwords.hash(password)
        with self._pool.connection() as conn:
            changed = conn.execute(
                "UPDATE accounts SET password_hash = %s WHERE name = %s AND state = 'active'",
                (hashed, name),
            )
            if changed.rowcount:
                self._noting.note(conn, PasswordChanged, name, by=by, at=at)

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
            if not taken.rowcount:
                return False
            self._noting.note(conn, SecondFactorChanged, name, by=name, at=at)
        return True
