"""The public half of the operator's Web Push key, for pages: a web process needs nothing else of it."""

import base64
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key


def public_key(key_file: Path) -> str:
    """In base64url, as browsers want it. Raises OSError, or ValueError where it is no key of P-256."""
    key = load_pem_private_key(key_file.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError(f"{key_file}: not a private key of P-256")  # noqa: TRY004 (the file's fault)
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).decode().rstrip("=")
