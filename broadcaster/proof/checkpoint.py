"""Signed checkpoints of the log's chain, kept outside the database.

The chain alone cannot show a cut tail, nor a log rewritten with every hash made anew. A checkpoint
can: it says "at this instant the chain stood at this hash at this position", signed with Ed25519
(RFC 8032) over the lines

    broadcaster checkpoint 1
    origin (the sender domain)
    position
    chain (64 hex digits)
    at (UTC, YYYY-MM-DDTHH:MM:SS.ffffffZ)

each ended by a line feed. Whoever holds a copy of the file and the public key can check any later log.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from broadcaster.engines.datafolder import SECRET_MOUNTS, kept, others_may_read
from broadcaster.log import AlertLog
from broadcaster.log.recorder import ZERO, at_once
from broadcaster.proof.chain import instant
from broadcaster.settings import SettingsError

TITLE = "broadcaster checkpoint 1"


class CheckpointError(SettingsError):
    """A key or a checkpoint file cannot be used; the text is one line and names the file."""


class Checkpoint(BaseModel):
    """Where the chain stood, and the signature over it (base64)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: Annotated[str, Field(pattern=r"^[^\r\n]{1,200}$")]
    position: Annotated[int, Field(ge=0)]
    chain: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    at: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z$")]
    signature: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{86}==$")]

    def text(self) -> bytes:
        """The bytes that are signed."""
        return signed_text(self.origin, self.position, self.chain, self.at)

    @property
    def signed_at(self) -> datetime:
        """When it was signed."""
        return datetime.fromisoformat(self.at)

    def signed_by(self, key: Ed25519PublicKey) -> bool:
        """Whether the signature is that of this key over this text."""
        try:
            key.verify(b64decode(self.signature), self.text())
        except InvalidSignature:
            return False
        return True


def signed_text(origin: str, position: int, chain: str, at: str) -> bytes:
    """The lines of a checkpoint."""
    return "".join(f"{line}\n" for line in (TITLE, origin, position, chain, at)).encode()


def sign(key: Ed25519PrivateKey, origin: str, position: int, chain: bytes, at: datetime) -> Checkpoint:
    """The signed checkpoint. Raises ValidationError where the origin is more than one line."""
    signature = key.sign(signed_text(origin, position, chain.hex(), instant(at)))
    return Checkpoint(
        origin=origin,
        position=position,
        chain=chain.hex(),
        at=instant(at),
        signature=b64encode(signature).decode(),
    )


# --- keys ---------------------------------------------------------------------------------------


def make_key(path: Path) -> Ed25519PrivateKey:
    """The private key of that file (PEM, mode 0600), made where there is none. Raises CheckpointError."""

    def fresh() -> str:
        key = Ed25519PrivateKey.generate()
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode().strip()

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept(path, fresh)
    except OSError as error:
        raise CheckpointError(f"cannot make the key file {path}: {error.strerror}") from None
    return load_key(path)


def load_key(path: Path, mounts: Path = SECRET_MOUNTS) -> Ed25519PrivateKey:
    """The private key. Raises CheckpointError, also where others than its owner may read the file.

    What a container was given below `mounts` has the mode of the host's file, and is not refused for it.
    """
    try:
        if others_may_read(path, mounts):
            raise CheckpointError(f"the key file {path} may be read by others; chmod 600 it")
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise CheckpointError(f"cannot read the key file {path}: {error.strerror}") from None
    except (ValueError, TypeError):
        # The library's own words could quote the key.
        raise CheckpointError(f"{path} holds no private key in PEM without a password") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise CheckpointError(f"the key of {path} is not Ed25519")
    return key


def public_pem(key: Ed25519PrivateKey) -> str:
    """The public half, to be handed out."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def load_public(path: Path) -> Ed25519PublicKey:
    """The public key of a PEM file. Raises CheckpointError."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise CheckpointError(f"cannot read the public key {path}: {error.strerror}") from None
    except ValueError:
        raise CheckpointError(f"{path} holds no public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise CheckpointError(f"the key of {path} is not Ed25519")
    return key


# --- the file -----------------------------------------------------------------------------------


def append(path: Path, checkpoint: Checkpoint) -> None:
    """Adds a line, on disk when this returns. A line that a crash tore is closed off first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(file).st_size
        torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
        line = ("\n" if torn else "") + checkpoint.model_dump_json() + "\n"
        os.write(file, line.encode())
        os.fsync(file)
    finally:
        os.close(file)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(path: Path) -> list[Checkpoint | None]:
    """One for each line; None for a line that is no checkpoint. Raises CheckpointError."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror}") from None
    return [_parsed(line) for line in lines if line.strip()]


def newest(path: Path) -> Checkpoint | None:
    """The last that can be read; None where there is no file or none in it."""
    if not path.exists():
        return None
    return next((each for each in reversed(read(path)) if each), None)


def _parsed(line: bytes) -> Checkpoint | None:
    try:
        return Checkpoint.model_validate_json(line)
    except ValidationError:
        return None


# --- against the log ----------------------------------------------------------------------------


def head(log: AlertLog) -> tuple[int, bytes]:
    """The last position and its chain."""
    with at_once(log.chain.pool) as conn:
        row = conn.execute("SELECT position, chain FROM events ORDER BY position DESC LIMIT 1").fetchone()
    return (0, ZERO) if row is None else (row[0], bytes(row[1]))


def chains(log: AlertLog, positions: Sequence[int]) -> dict[int, str]:
    """The chain at each of these positions that the log has, in hex."""
    query = "SELECT position, chain FROM events WHERE position = ANY(%s)"
    with at_once(log.chain.pool) as conn:
        found = {row[0]: bytes(row[1]).hex() for row in conn.execute(query, (list(positions),))}
    return {0: ZERO.hex()} | found


def notarise(log: AlertLog, key: Ed25519PrivateKey, origin: str, path: Path, at: datetime) -> Checkpoint:
    """Signs the log as it stands and keeps the checkpoint."""
    checkpoint = sign(key, origin, *head(log), at)
    append(path, checkpoint)
    return checkpoint


@dataclass(frozen=True)
class Finding:
    """What a file of checkpoints says about a log. `fault` names the first that does not fit."""

    fitting: int
    last: int = 0
    unreadable: int = 0
    fault: str = ""


def check(log: AlertLog, lines: Iterable[Checkpoint | None], key: Ed25519PublicKey) -> Finding:
    """Whether each checkpoint's position and chain are in the log. Lines torn by a crash are counted."""
    every = list(lines)
    known = [each for each in every if each is not None]
    torn = len(every) - len(known)
    if not known:
        return Finding(0, 0, torn, "the file holds no checkpoint")
    end, found = head(log)[0], chains(log, [each.position for each in known])
    last = 0
    for number, each in enumerate(known, 1):
        fault = ""
        if not each.signed_by(key):
            fault = "its signature is not of this key"
        elif each.position > end:
            fault = f"the log ends at {end}: its tail was cut"
        elif found.get(each.position) != each.chain:
            fault = "the log's chain there is another: the log was rewritten"
        if fault:
            place = f"checkpoint {number} (position {each.position}, {each.at})"
            return Finding(number - 1, last, torn, f"{place}: {fault}")
        last = max(last, each.position)
    return Finding(len(known), last, torn)
