"""Guessing made slow: after a few failures each next try waits longer, by account and by address.

A try is counted before it is judged, so that a thousand at once are a thousand. Nothing here names
anyone: subjects are kept as digests, and forgotten an hour after their last failure.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg_pool import ConnectionPool

from broadcaster.neighbourhood import neighbourhood

THROTTLE_DDL = """
CREATE TABLE IF NOT EXISTS sign_in_tries (
    subject bytea PRIMARY KEY,
    failures int NOT NULL,
    last_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS sign_in_tries_last ON sign_in_tries (last_at);
"""

FORGOTTEN = timedelta(hours=1)
LONGEST = timedelta(minutes=15)
MOST_ROWS = 20_000
_FIRST = timedelta(seconds=2)
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('sign_in_tries', 0))"


@dataclass(frozen=True)
class Subject:
    """Whose failures are counted, and how many cost nothing."""

    name: str
    free: int

    @property
    def digest(self) -> bytes:
        """As it is kept."""
        return hashlib.sha256(self.name.encode("utf-8", "surrogateescape")).digest()


def of_sign_in(account: str, address: str) -> tuple[Subject, ...]:
    """An account from one address, the address for all accounts, the account from everywhere.

    The last is generous, or anyone could lock anyone out. An address is what one customer has: whoever
    has a /64 of IPv6 could come from a new one each time.
    """
    near = neighbourhood(address)
    return (
        Subject(f"pair\n{account}\n{near}", 5),
        Subject(f"address\n{near}", 30),
        Subject(f"account\n{account}", 50),
    )


def of_number(address: str) -> tuple[Subject, ...]:
    """Whoever names phone numbers, without a proof that they are his."""
    return (Subject(f"number\n{neighbourhood(address)}", 20),)


def of_code(account: str) -> tuple[Subject, ...]:
    """An account that is signed in and gives a second factor again."""
    return (Subject(f"code\n{account}", 5),)


def of_password(account: str) -> tuple[Subject, ...]:
    """An account that is signed in and gives its password again."""
    return (Subject(f"password\n{account}", 5),)


def of_invitation(token: str) -> tuple[Subject, ...]:
    """A link whose number is tried."""
    return (Subject(f"invitation\n{token}", 5),)


def pause(failures: int, free: int) -> timedelta:
    """How long after its last failure a subject waits: doubling from 2 seconds to 15 minutes."""
    beyond = failures - free
    return timedelta() if beyond < 0 else min(_FIRST * 2 ** min(beyond, 20), LONGEST)


class Throttle:
    """The counts, in their table: all web processes share them."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool

    def enter(self, subjects: Sequence[Subject], at: datetime) -> timedelta | None:
        """Counts a try; where one of them must wait, counts nothing and answers how long."""
        with self._pool.connection() as conn:
            conn.execute(_LOCK)
            conn.execute("DELETE FROM sign_in_tries WHERE last_at < %s", (at - FORGOTTEN,))
            digests = [subject.digest for subject in subjects]
            found = conn.execute(
                "SELECT subject, failures, last_at FROM sign_in_tries WHERE subject = ANY(%s)", (digests,)
            ).fetchall()
            known = {bytes(digest): (failures, last) for digest, failures, last in found}
            waits = [
                last + pause(failures, subject.free) - at
                for subject in subjects
                for failures, last in [known.get(subject.digest, (0, at))]
            ]
            longest = max(waits)
            if longest > timedelta():
                return longest
            conn.cursor().executemany(
                "INSERT INTO sign_in_tries VALUES (%s, 1, %s) ON CONFLICT (subject) DO UPDATE SET"
                " failures = sign_in_tries.failures + 1, last_at = excluded.last_at",
                [(digest, at) for digest in digests],
            )
            # Who tries many names or addresses gets no more memory than anyone.
            conn.execute(
                "DELETE FROM sign_in_tries WHERE last_at < (SELECT last_at FROM sign_in_tries"
                " ORDER BY last_at DESC OFFSET %s LIMIT 1)",
                (MOST_ROWS,),
            )
        return None

    def forgive(self, subjects: Sequence[Subject]) -> None:
        """Takes the try back: it was good. Whoever shares an address is not made to pay for others."""
        with self._pool.connection() as conn:
            conn.execute(_LOCK)
            conn.execute(
                "UPDATE sign_in_tries SET failures = failures - 1 WHERE subject = ANY(%s)",
                ([subject.digest for subject in subjects[1:]],),
            )
            conn.execute("DELETE FROM sign_in_tries WHERE subject = %s", (subjects[0].digest,))
