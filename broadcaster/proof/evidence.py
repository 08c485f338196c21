"""An evidence bundle of one alert: every row of the log that is about it, and what proves they are there.

With them goes what it stood on: the roles of the accounts that acted, the bodies they acted for, those
these inherited from, the area register, and every delegation to the body whose alert names one, with
the body that gave it.

A linear chain proves a row only by the full text of every row between it and a signed hash. So there
are two bundles: whole, which carries that run and needs nothing else, and the default, which carries
the alert's rows alone and is checked against a full export. evidence_check.py travels as verify.py.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from broadcaster.log import AlertLog, UnknownStreamError
from broadcaster.log import recorded as recorded_of
from broadcaster.log.recorder import ZERO, LogRow, at_once
from broadcaster.proof import evidence_check
from broadcaster.proof.chain import PAGE, exported, instant
from broadcaster.proof.checkpoint import Checkpoint
from projections.audit.words import describe
from schemas.events import AlertCancelled, AlertDrafted, AlertIssued, AlertSubmitted, DelegationGranted
from schemas.ids import REGISTER_STREAM, account_stream, issuer_stream

_COLUMNS = "position, recorded_at, originator_id, originator_version, topic, state, chain"
_PREVIOUS = "(SELECT b.chain FROM events b WHERE b.position = e.position - 1)"
# Payloads are JSON written by us, so an id is in them exactly as str() writes it.
_ABOUT = f"""
SELECT {_COLUMNS}, {_PREVIOUS} FROM events e
WHERE position <= %(upto)s AND (originator_id = ANY(%(streams)s)
    OR (position >= %(first)s AND position(convert_to(%(alert)s, 'UTF8') IN state) > 0))
ORDER BY position
"""  # noqa: S608 (constant columns)
_GRANTED = f"""
SELECT {_COLUMNS} FROM events WHERE topic = 'delegation.granted' AND position <= %(upto)s
    AND convert_from(state, 'UTF8')::jsonb ->> 'delegation_id' = ANY(%(ids)s)
"""  # noqa: S608 (constant columns)
_SUCCEEDED = """
SELECT convert_from(state, 'UTF8')::jsonb ->> 'predecessor' FROM events
WHERE originator_id = ANY(%(streams)s) AND topic = 'issuer.succeeded' AND position <= %(upto)s
"""
_README = Path(__file__).with_name("evidence_readme.txt")


class Found(NamedTuple):
    """A row of the log, and the chain of the one before it."""

    row: LogRow
    previous: bytes


@dataclass(frozen=True)
class Signed:
    """What a bundle takes along of the notary: the newest checkpoint, and the public key (PEM) if known."""

    checkpoint: Checkpoint
    public_key: str | None = None


def about(log: AlertLog, alert_id: UUID, upto: int) -> list[Found]:
    """Every row that is of the alert or names it, and those of what it stood on.

    Raises UnknownStreamError where the log has no such alert.
    """
    found = _about(log, alert_id, (alert_id,), upto)
    if not any(each.row.originator_id == alert_id and each.row.topic == "alert.drafted" for each in found):
        raise UnknownStreamError(f"there is no alert {alert_id}")
    return _about(log, alert_id, (alert_id, *_stood_on(log, found, upto)), upto)


def _stood_on(log: AlertLog, found: Iterable[Found], upto: int) -> set[UUID]:
    """The streams of what the alert stood on: accounts, delegations, bodies, areas."""
    streams, bodies, delegations = set[UUID](), set[str](), set[str]()
    for row, _ in found:
        event = recorded_of(row).event
        streams.add(account_stream(event.by.account))
        bodies |= {event.by.body} if event.by.body else set()
        if isinstance(event, AlertDrafted | AlertIssued | AlertCancelled):
            bodies.add(event.issuer_id)
        if isinstance(event, AlertIssued | AlertCancelled):
            bodies.add(event.sender.partition("@")[0])
        if isinstance(event, AlertSubmitted | AlertIssued) and event.delegation_id:
            delegations.add(str(event.delegation_id))
    for granted in _granted(log, delegations, upto):
        streams.add(granted.originator_id)
        bodies |= {granted.grantor, granted.grantee}
    streams.add(REGISTER_STREAM)
    return streams | {issuer_stream(body) for body in _with_inherited(log, bodies, upto)}


def _granted(log: AlertLog, delegations: Iterable[str], upto: int) -> list[DelegationGranted]:
    with at_once(log.chain.pool) as conn:
        rows = conn.execute(_GRANTED.encode(), {"upto": upto, "ids": list(delegations)}).fetchall()
    events = (recorded_of(LogRow(row[0], row[1].astimezone(UTC), *row[2:7])).event for row in rows)
    return [event for event in events if isinstance(event, DelegationGranted)]


def _with_inherited(log: AlertLog, bodies: Iterable[str], upto: int) -> set[str]:
    """The bodies, and those they answered for: their rights were its own."""
    known, ahead = set[str](), set(bodies)
    while ahead:
        known |= ahead
        with at_once(log.chain.pool) as conn:
            wanted = {"upto": upto, "streams": [issuer_stream(body) for body in ahead]}
            ahead = {row[0] for row in conn.execute(_SUCCEEDED, wanted)} - known
    return known


def _about(log: AlertLog, alert_id: UUID, streams: Iterable[UUID], upto: int) -> list[Found]:
    with at_once(log.chain.pool) as conn:
        start = conn.execute(
            "SELECT position FROM events WHERE originator_id = %s AND originator_version = 1", (alert_id,)
        ).fetchone()
        wanted = {
            "upto": upto,
            "streams": list(streams),
            "first": start[0] if start else upto + 1,
            "alert": str(alert_id),
        }
        return [
            Found(LogRow(row[0], row[1].astimezone(UTC), *row[2:7]), row[7] or ZERO)
            for row in conn.execute(_ABOUT.encode(), wanted)
        ]


def write(
    log: AlertLog,
    alert_id: UUID,
    out: Path,
    *,
    upto: int,
    at: datetime,
    signed: Signed | None,
    whole: bool = False,
) -> str:
    """Writes the bundle and answers the SHA-256 of the file. Raises UnknownStreamError."""
    found = about(log, alert_id, upto)
    texts: dict[str, Iterable[str]] = {
        "README.txt": [_README.read_text(encoding="utf-8")],
        "verify.py": [Path(evidence_check.__file__).read_text(encoding="utf-8")],
        "summary.txt": (f"{line}\n" for line in _summary(found)),
        "rows.jsonl": (f"{each.previous.hex()} {exported(each.row)}\n" for each in found),
    }
    if whole:
        texts["log.jsonl"] = (f"{exported(row)}\n" for row in _run(log, found[0].row.position, upto))
    if signed is not None:
        texts["checkpoint.json"] = [signed.checkpoint.model_dump_json() + "\n"]
    if signed is not None and signed.public_key is not None:
        texts["public_key.pem"] = [signed.public_key]
    digests: dict[str, str] = {}
    with zipfile.ZipFile(out, "w") as archive:
        for name, parts in texts.items():
            digests[name] = _add(archive, name, parts, at)
        manifest = {
            "format": evidence_check.FORMAT,
            "alert_id": str(alert_id),
            "upto": upto,
            "whole": whole,
            "made_at": instant(at),
            "files": digests,
        }
        _add(archive, "manifest.json", [json.dumps(manifest, indent=1) + "\n"], at)
    with out.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _add(archive: zipfile.ZipFile, name: str, parts: Iterable[str], at: datetime) -> str:
    info = zipfile.ZipInfo(name, (at.year, at.month, at.day, at.hour, at.minute, at.second))
    info.compress_type = zipfile.ZIP_DEFLATED
    digest = hashlib.sha256()
    with archive.open(info, "w", force_zip64=True) as file:
        for part in parts:
            data = part.encode()
            digest.update(data)
            file.write(data)
    return digest.hexdigest()


def _run(log: AlertLog, first: int, last: int) -> Iterator[LogRow]:
    after = first - 1
    while page := log.chain.rows(after, PAGE, upto=last):
        yield from page
        after = page[-1].position


def _summary(found: Iterable[Found]) -> Iterator[str]:
    for row, _ in found:
        event = recorded_of(row).event
        words = describe(event)
        who = event.by.account + (f" ({event.by.body})" if event.by.body else "")
        yield f"{row.position}  {instant(row.recorded_at)}  {who}\n    {words.vi}\n    {words.en}"
