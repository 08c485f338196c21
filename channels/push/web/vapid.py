"""Who we are to push services (RFC 8292): a signed word for each of them, good for half a day."""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

LIFE = timedelta(hours=12)
"""RFC 8292 §2 allows a day; a clock may be wrong."""
RENEWED = timedelta(hours=1)
"""Before its end."""
KEPT = 256
"""Origins whose word is kept."""


class Vapid:
    """The deployment's key pair. Raises OSError, or ValueError where the file is no P-256 key."""

    def __init__(self, key_file: Path, subject: str, clock: Callable[[], datetime]) -> None:
        key = load_pem_private_key(key_file.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError(f"{key_file}: not a private key of P-256")  # noqa: TRY004 (the file's fault)
        self._key, self._subject, self._clock = key, subject, clock
        point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public = base64.urlsafe_b64encode(point).decode().rstrip("=")
        """What browsers subscribe by."""
        self._words: dict[str, tuple[datetime, str]] = {}

    def authorization(self, origin: str) -> str:
        """The header for a push service; the very same string as long as it is good."""
        at = self._clock()
        until, word = self._words.get(origin, (at, ""))
        if until - at < RENEWED:
            until = at + LIFE
            claims = {"aud": origin, "exp": int(until.timestamp()), "sub": self._subject}
            token = jwt.encode(claims, self._key, algorithm="ES256")
            word = f"vapid t={token}, k={self.public}"
            if len(self._words) >= KEPT:
                self._words.clear()
            self._words[origin] = (until, word)
        return word
