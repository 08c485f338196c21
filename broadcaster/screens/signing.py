"""Signed requests, for controllers without TLS: HMAC-SHA256, a time, and a nonce that is taken once.

    Authorization: HN-HMAC <key id>,<seconds since 1970>,<nonce>,<signature in hex>

The signature is over these lines, joined by line feeds: method, path with its query, time, nonce, SHA-256
of the body in hex. Its key is the SHA-256 of the secret (the part of the key after the second underscore),
32 bytes. We keep it sealed (keys/rows.py), so that who reads our table alone cannot sign as a screen.
"""

import hashlib
import hmac
import re
import threading
from datetime import datetime
from typing import NamedTuple

SCHEME = "hn-hmac "
WINDOW = 300
"""Seconds that a clock may be off."""
PER_KEY = 1_200
"""Nonces remembered of one key, for twice the window: a request every half second."""
IN_ALL = 400_000

_FORM = re.compile(r"([0-9a-z]{1,40}),([0-9]{1,12}),([0-9A-Za-z_-]{8,64}),([0-9a-f]{64})")


class Asked(NamedTuple):
    """What is signed of a request."""

    method: str
    target: str
    """The path with its query, as it was sent."""
    body: bytes = b""


class Signed(NamedTuple):
    """What the header says."""

    key_id: str
    seconds: int
    nonce: str
    signature: str


class SignatureError(Exception):
    """Why a signed request is refused; `reason` is a word to count by."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def is_signed(authorization: str) -> bool:
    """Whether the header is of this scheme."""
    return authorization[: len(SCHEME)].lower() == SCHEME


def parse(authorization: str) -> Signed:
    """What the header says. Raises SignatureError."""
    found = _FORM.fullmatch(authorization[len(SCHEME) :].replace(" ", ""))
    if found is None:
        raise SignatureError("malformed", "Send `HN-HMAC <key id>,<seconds>,<nonce>,<hex>`.")
    return Signed(found[1], int(found[2]), found[3], found[4])


def sign(signing_key: bytes, asked: Asked, seconds: int, nonce: str) -> str:
    """The signature of a request."""
    lines = "\n".join(
        (asked.method, asked.target, str(seconds), nonce, hashlib.sha256(asked.body).hexdigest())
    )
    return hmac.new(signing_key, lines.encode(), hashlib.sha256).hexdigest()


def fresh(signing_key: bytes, nonce: str, status: int, etag: str, server_ms: str) -> str:
    """The header X-Feed-Fresh of an answer to a signed poll: who knows the key gave it, to this very poll.

    A 304 has no body that could be signed for all, and such a controller has no TLS to vouch for it.
    """
    lines = "\n".join((str(status), nonce, etag, server_ms))
    return f"hmac-sha256={hmac.new(signing_key, lines.encode(), hashlib.sha256).hexdigest()}"


class Nonces:
    """Which were taken, by key. Only who has the key adds any; each process has its own."""

    def __init__(self, per_key: int = PER_KEY, in_all: int = IN_ALL) -> None:
        self._per_key, self._in_all = per_key, in_all
        self._taken: dict[str, dict[str, float]] = {}
        self._count = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._count

    def take(self, key_id: str, nonce: str, at: float) -> None:
        """Takes one. Raises SignatureError where it was taken before, or too many are remembered."""
        with self._lock:
            self._forget(key_id, at)
            if nonce in self._taken.get(key_id, ()):
                raise SignatureError("replayed", "The nonce was used before.")
            if self._count >= self._in_all:
                for other in list(self._taken):
                    self._forget(other, at)
            mine = self._taken.setdefault(key_id, {})
            if len(mine) >= self._per_key or self._count >= self._in_all:
                raise SignatureError("nonces_full", "Too many signed requests; wait a minute.")
            mine[nonce] = at + 2 * WINDOW
            self._count += 1

    def _forget(self, key_id: str, at: float) -> None:
        mine = self._taken.get(key_id, {})
        for nonce, until in list(mine.items()):
            if until > at:
                break  # They stand in the order in which they end.
            del mine[nonce]
            self._count -= 1
        if not mine:
            self._taken.pop(key_id, None)


def check(signed: Signed, signing_key: bytes | None, asked: Asked, at: datetime) -> None:
    """Whether time and signature are right. Raises SignatureError."""
    if abs(at.timestamp() - signed.seconds) > WINDOW:
        raise SignatureError("stale", f"The time is more than {WINDOW} seconds off; see X-Server-Time.")
    # An unknown key is reckoned with too, so that both kinds of no take as long.
    right = sign(signing_key or bytes(32), asked, signed.seconds, signed.nonce)
    if not hmac.compare_digest(right, signed.signature) or signing_key is None:
        raise SignatureError("wrong_key", "The key is unknown or revoked, or the signature is not its own.")
