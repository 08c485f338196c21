"""A quick look at the chain, for a page: its newest rows, and the last checkpoint against the log.

The whole walk is `broadcaster log verify`; this one costs the same however long the log is.
"""

from dataclasses import dataclass

from broadcaster.log import AlertLog
from broadcaster.proof import checkpoint
from broadcaster.proof.chain import Verdict, link
from broadcaster.proof.checkpoint import Checkpoint

ROWS = 50
"""A page waits for the reckoning: some 50 us a row, the reading of it included."""


@dataclass(frozen=True)
class Tail:
    """What was found; `checkpoint` is None where none was ever kept."""

    head: int
    since: int
    """The first position that was looked at."""
    verdict: Verdict
    checkpoint: Checkpoint | None = None
    fits: bool = True
    """Whether the log has the checkpoint's position, with its chain."""


def look(log: AlertLog, newest: Checkpoint | None, rows: int = ROWS) -> Tail:
    """Reckons the chain of the newest rows anew, and compares the checkpoint."""
    end, _ = checkpoint.head(log)
    since = max(0, end - rows)
    before = checkpoint.chains(log, [since])
    verdict = _walk(log, since, end, before.get(since))
    if newest is None:
        return Tail(end, since + 1, verdict)
    found = checkpoint.chains(log, [newest.position]).get(newest.position)
    return Tail(end, since + 1, verdict, newest, found == newest.chain)


def _walk(log: AlertLog, since: int, end: int, before: str | None) -> Verdict:
    if before is None:
        return Verdict(0, "", since, "the row is missing")
    previous, events = bytes.fromhex(before), since
    # What was appended meanwhile is left for the next look.
    for row in log.chain.rows(since, ROWS, upto=end):
        if row.position != events + 1:
            return Verdict(events, previous.hex(), events + 1, "the row is missing")
        if row.chain != link(previous, row):
            return Verdict(events, previous.hex(), row.position, "the row is not what was appended")
        previous, events = row.chain, row.position
    if events != end:
        return Verdict(events, previous.hex(), events + 1, "the row is missing")
    return Verdict(events, previous.hex())
