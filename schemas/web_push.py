"""Where a browser is reached (RFC 8030): its subscription as one word, and which services count. Pure."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

KIND = "subscription"
"""Of an address of this form, beside FCM's token and fid."""
SERVICES = "fcm.googleapis.com,*.push.services.mozilla.com,*.push.apple.com,*.notify.windows.com"
"""The push services of the browsers people have."""
_POINT, _AUTH = 65, 16
_BETWEEN = "|"
_URL = re.compile(r"https://[!-{}~]+")
_PATTERN = re.compile(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]{1,5})?")


class SubscriptionError(ValueError):
    """No subscription. The text is not in the words: it is personal."""


class Subscription(NamedTuple):
    """A browser's endpoint, its key (a point of P-256, uncompressed) and its shared secret (16 bytes)."""

    endpoint: str
    p256dh: bytes
    auth: bytes

    def __repr__(self) -> str:
        return "Subscription()"

    @property
    def text(self) -> str:
        """As the registry keeps it: `endpoint|p256dh|auth`, the keys in base64url without padding."""
        return _BETWEEN.join((self.endpoint, _encoded(self.p256dh), _encoded(self.auth)))

    @property
    def origin(self) -> str:
        """Of the push service."""
        parts = urlsplit(self.endpoint)
        return f"https://{parts.netloc}"

    @property
    def path(self) -> str:
        """What is asked there."""
        parts = urlsplit(self.endpoint)
        return parts.path + (f"?{parts.query}" if parts.query else "")


def parsed(text: str) -> Subscription:
    """The subscription. Raises SubscriptionError naming the part that is wrong."""
    endpoint, *keys = text.split(_BETWEEN)
    if len(keys) != 2:  # noqa: PLR2004 (p256dh and auth)
        raise SubscriptionError("must be endpoint|p256dh|auth")
    _check_endpoint(endpoint)
    p256dh, auth = (_decoded(key) for key in keys)
    if len(p256dh) != _POINT or p256dh[0] != 4:  # noqa: PLR2004 (SEC 1 §2.3.3: uncompressed)
        raise SubscriptionError("p256dh must be an uncompressed point of P-256 in base64url")
    if len(auth) != _AUTH:
        raise SubscriptionError(f"auth must be {_AUTH} bytes in base64url")
    return Subscription(endpoint, p256dh, auth)


def _check_endpoint(endpoint: str) -> None:
    rule = "endpoint must be an https address of a host by name, without user or fragment"
    if _URL.fullmatch(endpoint) is None:
        raise SubscriptionError(rule)
    try:
        parts = urlsplit(endpoint)
        whole = parts.hostname and parts.path and parts.port != 0
    except ValueError:
        raise SubscriptionError(rule) from None
    # A backslash is a slash to some readers and none to others.
    if not whole or "@" in parts.netloc or "#" in endpoint or "\\" in endpoint:
        raise SubscriptionError(rule)


def _encoded(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


@dataclass(frozen=True)
class Services:
    """The hosts that may be sent to: what a stranger registers must not lead us anywhere else.

    Each is a host, or `*.` and the end of one; with a port where that is not 443.
    """

    patterns: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, text: str) -> "Services":
        """From a comma-separated list. Raises ValueError for what is no host."""
        found = tuple(part.strip().lower() for part in text.split(",") if part.strip())
        for each in found:
            if _PATTERN.fullmatch(each) is None:
                raise ValueError(f"{each!r} is no host")
        return cls(found)

    def allows(self, endpoint: str) -> bool:
        """Whether the endpoint is at one of them."""
        try:
            parts = urlsplit(endpoint)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return False
        named = host if port in (None, 443) else f"{host}:{port}"
        return any(
            named.endswith(each[1:]) and len(named) >= len(each) if each.startswith("*.") else named == each
            for each in self.patterns
        )
