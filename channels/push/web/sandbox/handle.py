"""The double in a process of its own, held by a test."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from channels.push.sandbox.estate import write_private
from channels.push.sandbox.handle import PushSandbox
from channels.push.web.sandbox.browser import subscription
from schemas.web_push import Services


class WebPushSandbox(PushSandbox):
    """`with WebPushSandbox(folder) as sandbox:`; see PushSandbox."""

    module = "channels.push.web.sandbox"

    @property
    def key_file(self) -> Path:
        """A key pair of ours, made when first asked for."""
        path = self._estate.folder / "vapid.pem"
        if not path.exists():
            write_private(path, new_key())
        return path

    @property
    def services(self) -> Services:
        """The double alone."""
        return Services((urlsplit(self.url).netloc,))

    def address(self, name: str) -> str:
        """Of the browser of that name, as the registry keeps it."""
        return subscription(self.url, name).text

    def pushes(self, limit: int = 100) -> list[dict[str, Any]]:
        """The last it accepted, oldest first: `told`, `headers`, `suffix`."""
        return self._ask("GET", f"/sandbox/messages?limit={limit}")


def new_key() -> bytes:
    """A private key of P-256 (PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
