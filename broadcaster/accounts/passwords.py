"""Passwords: what one must be like, and its Argon2id hash (RFC 9106)."""

import threading
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 200
"""Characters; the upper bound keeps one request from hashing megabytes."""
_AT_ONCE = 2
"""Each takes 64 MiB and a core for a moment: more would starve what else the process does."""


def fault(password: str, account: str) -> str | None:
    """What is wrong with a new password: short, long, or name; None where nothing is."""
    if len(password) < SHORTEST:
        return "short"
    if len(password) > LONGEST:
        return "long"
    return "name" if account.partition("@")[0] in password.lower() else None


class Passwords:
    """Hashes and verifies, a few at a time. Safe to use from many threads."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = threading.BoundedSemaphore(_AT_ONCE)

    def hash(self, password: str) -> str:
        """What is kept of it."""
        with self._turn:
            return self._hasher.hash(password)

    def verify(self, kept: str | None, password: str) -> bool:
        """Whether it is the one. Nothing kept takes as long, so that no one learns which names exist."""
        with self._turn:
            try:
                right = self._hasher.verify(kept or self._nobody, password[:LONGEST])
            except (VerificationError, InvalidHashError):
                return False
        return right and kept is not None and len(password) <= LONGEST

    def is_old(self, kept: str) -> bool:
        """Whether it was hashed with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(kept)

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash("nobody has this password")
