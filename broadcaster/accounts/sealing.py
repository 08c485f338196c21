"""What only this house may read: AES-256-GCM. Second-factor secrets at rest, each bound to its account."""

import secrets
from collections.abc import Callable
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_NONCE = 12


class SealError(Exception):
    """What was sealed cannot be opened: another key, another account, or a changed row."""


class Sealer:
    """Seals and opens. The key is asked for at the first use only: most roles never need it."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = key

    @cached_property
    def _cipher(self) -> AESGCM:
        key = self._key()
        if len(key) != KEY_BYTES:
            raise SealError(f"the key of the accounts has {len(key)} bytes, {KEY_BYTES} are needed")
        return AESGCM(key)

    def apart(self, purpose: str) -> "Sealer":
        """A sealer with a key of its own for one purpose, derived from this one's (HKDF, RFC 5869)."""
        return Sealer(
            lambda: HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(self._key())
        )

    def seal(self, text: str, account: str) -> bytes:
        """The text, sealed for the account."""
        return self.wrap(text.encode(), account)

    def open(self, sealed: bytes, account: str) -> str:
        """The text. Raises SealError."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], account.encode()).decode()
        except InvalidTag:
            raise SealError(f"the second factor of {account} cannot be opened with this key") from None

    def wrap(self, data: bytes, bound_to: str) -> bytes:
        """The bytes, sealed; whoever opens them must say the same words."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, data, bound_to.encode())

    def unwrap(self, sealed: bytes, bound_to: str) -> bytes | None:
        """The bytes; None where this key did not seal them with these words."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound_to.encode())
        except (InvalidTag, ValueError):
            return None
