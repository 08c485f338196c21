"""The key that signs what screens are told: a hijacked public screen is the worst that can happen.

TLS alone does not protect a screen from a name that points elsewhere or a proxy gone wrong. The signature
is Ed25519 (RFC 8032) over the exact bytes of the body; frames are bound by their SHA-256 in it.
"""

import hashlib
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broadcaster.proof.checkpoint import make_key


@dataclass(frozen=True)
class FeedKey:
    """A private key, and what is published of it."""

    private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def kept(cls, path: Path) -> Self:
        """The key of that file, made where there is none. Raises CheckpointError, which names the file."""
        return cls(make_key(path))

    @classmethod
    def fresh(cls) -> Self:
        """A key that is kept nowhere."""
        return cls(Ed25519PrivateKey.generate())

    @property
    def public(self) -> bytes:
        """The public half, 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    @property
    def key_id(self) -> str:
        """Which key it is: the first 16 hex digits of the public half's SHA-256."""
        return hashlib.sha256(self.public).hexdigest()[:16]

    def sign(self, body: bytes) -> str:
        """The value of X-Feed-Signature: `ed25519=<base64>;key=<key id>`."""
        return f"ed25519={b64encode(self.private.sign(body)).decode()};key={self.key_id}"
