"""Browsers of the double: their keys follow from their names, so that it can read what they are sent."""

from hashlib import sha256
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from channels.push.web.seal import CURVE
from schemas.web_push import Subscription

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256 (SEC 2 §2.4.2)."""
PATH = "/push/"


class Browser(NamedTuple):
    """A browser's private side."""

    key: ec.EllipticCurvePrivateKey
    auth: bytes


def browser(name: str) -> Browser:
    """The browser of that name."""
    secret = int.from_bytes(sha256(f"key {name}".encode()).digest()) % (_ORDER - 1) + 1
    return Browser(ec.derive_private_key(secret, CURVE), sha256(f"auth {name}".encode()).digest()[:16])


def subscription(url: str, name: str) -> Subscription:
    """What the browser of that name would hand to a page.

    By its beginning a name is answered with: gone- 410, expired- 404, busy- 429 once and then 201,
    never- 503, moved- 307, large- 413; any other with 201.
    """
    key, auth = browser(name)
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return Subscription(f"{url}{PATH}{name}", point, auth)
