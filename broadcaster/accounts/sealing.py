"""Second-factor secrets at rest: AES-256-GCM, each bound to the account it is of."""

import secrets
from collections.abc import Callable
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

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

    def seal(self, text: str, account: str) -> bytes:
        """The text, sealed for the account."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, text.encode(), account.encode())

    def open(self, sealed: bytes, account: str) -> str:
        """The text. Raises SealError."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], account.encode()).decode()
        except InvalidTag:
            raise SealError(f"the second factor of {account} cannot be opened with this key") from None
