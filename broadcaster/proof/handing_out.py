"""Handing out evidence: a checkpoint of now where this machine may sign, the bundle, and the event."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from broadcaster.log import AlertLog
from broadcaster.proof import checkpoint, evidence
from broadcaster.proof.chain import instant
from schemas.events import Actor, EvidenceExported
from schemas.ids import stream_id


class HandedOut(NamedTuple):
    """A bundle that the log knows of."""

    sha256: str
    upto: int
    position: int
    """Of the event that says so."""
    is_signed: bool


@dataclass(frozen=True)
class Seals:
    """Where checkpoints are kept, and the key that signs them, which may be on another machine."""

    origin: str
    key_path: Path
    file: Path

    @property
    def signs(self) -> bool:
        """Whether the key is here."""
        return self.key_path.exists()

    def newest(self) -> checkpoint.Checkpoint | None:
        """The last that was kept. Raises CheckpointError."""
        return checkpoint.newest(self.file)

    def now(self, log: AlertLog, at: datetime) -> evidence.Signed | None:
        """A checkpoint of now; None where the key is elsewhere. Raises CheckpointError."""
        if not self.signs:
            return None
        key = checkpoint.load_key(self.key_path)
        made = checkpoint.notarise(log, key, self.origin, self.file, at)
        return evidence.Signed(made, checkpoint.public_pem(key))


def hand_out(
    log: AlertLog,
    seals: Seals,
    alert_id: UUID,
    draft: Path,
    *,
    by: Actor,
    at: datetime,
    whole: bool = False,
) -> HandedOut:
    """Writes the bundle to `draft` and records it: the log knows of a bundle before anyone can have it.

    Raises UnknownStreamError, CheckpointError.
    """
    now = seals.now(log, at)
    newest = None if now else seals.newest()
    signed = now or (evidence.Signed(newest) if newest else None)
    upto = now.checkpoint.position if now else log.head()
    digest = evidence.write(log, alert_id, draft, upto=upto, at=at, signed=signed, whole=whole)
    event = EvidenceExported(
        originator_id=stream_id("evidence", digest, instant(at)),
        originator_version=1,
        by=by,
        alert_id=alert_id,
        upto=upto,
        sha256=digest,
    )
    return HandedOut(digest, upto, log.append([event], at=at), signed is not None)
