"""Encryption of one message for one browser: RFC 8291 over RFC 8188 (aes128gcm), in one record.

`cryptography` alone: http-ece does the same with the same library, and asks for a key object each time.
"""

import os
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD = 4096
"""Bytes of the one record: what every push service takes (RFC 8030 §7.2)."""
SALT, POINT, AUTH = 16, 65, 16
HEAD = SALT + 4 + 1 + POINT
ROOM = RECORD - HEAD - 1 - 16
"""Bytes of text that fit: without the header, the delimiter, and AES-GCM's tag."""
CURVE = ec.SECP256R1()
_LAST = b"\x02"
"""The delimiter of the last record (RFC 8188 §2)."""


class SealError(ValueError):
    """The browser's keys are none, or the body is not for them."""


class Receiver(NamedTuple):
    """A browser's keys: a point of P-256, uncompressed, and a shared secret of 16 bytes."""

    p256dh: bytes
    auth: bytes


def seal(text: bytes, receiver: Receiver) -> bytes:
    """The body for this browser; a fresh key pair and salt each time. Raises SealError."""
    if len(text) > ROOM:
        raise SealError(f"{len(text)} bytes are more than {ROOM}")
    try:
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, receiver.p256dh)
    except ValueError:
        raise SealError("p256dh is no point of P-256") from None
    if len(receiver.auth) != AUTH:
        raise SealError(f"auth has not {AUTH} bytes")
    ours = ec.generate_private_key(CURVE)
    point = ours.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    salt = os.urandom(SALT)
    key, nonce = _derived(ours.exchange(ec.ECDH(), theirs), receiver, point, salt)
    head = salt + RECORD.to_bytes(4) + bytes((POINT,)) + point
    return head + AESGCM(key).encrypt(nonce, text + _LAST, None)


def opened(body: bytes, private: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """The text, as the browser reads it. Raises SealError."""
    salt, point, sealed = body[:SALT], body[HEAD - POINT : HEAD], body[HEAD:]
    if len(body) <= HEAD or body[SALT + 4] != POINT or len(body) > RECORD:
        raise SealError("no single record of aes128gcm")
    try:
        sender = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point)
        own = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        key, nonce = _derived(private.exchange(ec.ECDH(), sender), Receiver(own, auth), point, salt)
        text = AESGCM(key).decrypt(nonce, sealed, None)
    except (ValueError, InvalidTag):
        raise SealError("the body is not for these keys") from None
    # Behind the delimiter there is only padding.
    text = text.rstrip(b"\0")
    if not text.endswith(_LAST):
        raise SealError("the record is not the last one")
    return text[:-1]


def _derived(shared: bytes, receiver: Receiver, sender: bytes, salt: bytes) -> tuple[bytes, bytes]:
    """Content key and nonce (RFC 8291 §3.4)."""
    info = b"WebPush: info\0" + receiver.p256dh + sender
    ikm = HKDF(SHA256(), 32, receiver.auth, info).derive(shared)
    key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(ikm)
    return key, HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(ikm)
