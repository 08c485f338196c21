"""What a key looks like, `hn_<key_id>_<secret>` with 256 random bits of secret, and what is kept of it.

A slow hash would add nothing: nobody can guess 256 bits, and screens ask every few seconds.
"""

import hashlib
import secrets


def digest(secret: str) -> bytes:
    """What is kept of a person's secret, and what a screen signs with."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def verifier(secret: str) -> bytes:
    """What is kept of a screen's secret."""
    return verifier_of(digest(secret))


def verifier_of(signing_key: bytes) -> bytes:
    """The same, of what it signs with."""
    return hashlib.sha256(signing_key).digest()


def split(text: str) -> tuple[str, str] | None:
    """The key id and the secret, or None where the text is no key."""
    parts = text.split("_", 2)
    if len(parts) != 3 or parts[0] != "hn" or not parts[1].isalnum() or not parts[1].isascii():  # noqa: PLR2004
        return None
    return parts[1], parts[2]


def new_text() -> tuple[str, str]:
    """A key that nobody has yet: its id and its text."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return key_id, f"hn_{key_id}_{secret}"


def hash_of_text(text: str) -> bytes:
    """What is kept of a person's key. Raises ValueError where the text is none."""
    parts = split(text)
    if parts is None:
        raise ValueError("not a key")
    return digest(parts[1])
