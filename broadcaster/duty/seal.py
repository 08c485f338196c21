"""What makes a report checkable: a digest of its figures, where the log stood, and a signature over both.

Signed with the key of the checkpoints (Ed25519, RFC 8032) over the lines

    broadcaster cadence report 1
    origin (the sender domain)
    position
    chain (64 hex digits)
    at (UTC, YYYY-MM-DDTHH:MM:SS.ffffffZ)
    sha256 of the figures as compact JSON with sorted keys (64 hex digits)

each ended by a line feed. Whoever has the log can make the figures of that position again.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field

from broadcaster.proof.chain import instant

TITLE = "broadcaster cadence report 1"


class Seal(BaseModel):
    """Of one report. Without a key on the machine that made it there is no signature."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str = Field(pattern=r"^[^\r\n]{1,200}$")
    position: int = Field(ge=0)
    chain: str = Field(pattern=r"^[0-9a-f]{64}$")
    at: str
    since: str
    until: str
    levels: tuple[int, ...] = ()
    """Those asked for; all where empty."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    signature: str | None = None

    def text(self) -> bytes:
        """The bytes that are signed."""
        lines = (TITLE, self.origin, self.position, self.chain, self.at, self.sha256)
        return "".join(f"{line}\n" for line in lines).encode()

    def signed_by(self, key: Ed25519PublicKey) -> bool:
        """Whether it bears this key's signature."""
        if self.signature is None:
            return False
        try:
            key.verify(b64decode(self.signature), self.text())
        except (InvalidSignature, ValueError):
            return False
        return True


def digest(figures: dict[str, Any]) -> str:
    """SHA-256 of the figures."""
    text = json.dumps(figures, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def seal(
    figures: dict[str, Any],
    *,
    origin: str,
    chain: str,
    at: datetime,
    levels: tuple[int, ...],
    key: Ed25519PrivateKey | None,
) -> Seal:
    """The seal of a report's figures."""
    made = Seal(
        origin=origin,
        position=figures["position"],
        chain=chain,
        at=instant(at),
        since=figures["from"],
        until=figures["to"],
        levels=levels,
        sha256=digest(figures),
    )
    if key is None:
        return made
    return made.model_copy(update={"signature": b64encode(key.sign(made.text())).decode()})
