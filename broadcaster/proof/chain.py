"""Walks the hash chain, and prints the log for others to check with a program of their own."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from broadcaster.log import AlertLog
from broadcaster.log.recorder import ZERO, LogRow

PAGE = 5000


@dataclass(frozen=True)
class Verdict:
    """What a walk found. `bad_position` is the first row that does not fit, None where all do."""

    events: int
    head: str
    bad_position: int | None = None
    fault: str = ""

    @property
    def sound(self) -> bool:
        """Whether every row fits."""
        return self.bad_position is None


def instant(at: datetime) -> str:
    """How the chain and the export write a time: UTC, microseconds, Z."""
    # Ten times as fast as strftime, which was a third of a walk.
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def link(previous: bytes, row: LogRow) -> bytes:
    """The hash a row must carry after the previous row's; see log.py for its text."""
    text = (
        f"{previous.hex()}\n{row.position}\n{instant(row.recorded_at)}\n{row.originator_id}\n"
        f"{row.originator_version}\n{row.topic}\n"
    )
    return hashlib.sha256(text.encode() + row.state).digest()


def rows(log: AlertLog) -> Iterator[LogRow]:
    """Every row, in order of position."""
    after = 0
    while page := log.chain.rows(after, PAGE):
        yield from page
        after = page[-1].position


def verify(log: AlertLog) -> Verdict:
    """Walks the chain from the first row to the last, and stops at the first that does not fit."""
    previous, events = ZERO, 0
    for row in rows(log):
        if row.position != events + 1:
            return Verdict(events, previous.hex(), events + 1, "the row is missing")
        if row.chain != link(previous, row):
            return Verdict(events, previous.hex(), row.position, "the row is not what was appended")
        previous, events = row.chain, row.position
    return Verdict(events, previous.hex())


def exported(row: LogRow) -> str:
    """A row as one line of JSON; `payload` holds the stored bytes as they are."""
    head = {
        "position": row.position,
        "recorded_at": instant(row.recorded_at),
        "stream": str(row.originator_id),
        "version": row.originator_version,
        "topic": row.topic,
    }
    opening = json.dumps(head, ensure_ascii=False, separators=(",", ":"))[:-1]
    return f'{opening},"payload":{row.state.decode()},"chain":"{row.chain.hex()}"}}'


def export(log: AlertLog) -> Iterator[str]:
    """Each row as one line of JSON."""
    for row in rows(log):
        yield exported(row)
