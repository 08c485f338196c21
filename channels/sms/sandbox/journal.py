"""What a double has accepted, kept so that a kill -9 of it loses no count."""

import os
from collections import Counter
from hashlib import blake2b
from pathlib import Path

from channels.gateway import SandboxCount

_FIELDS = 5


class Journal:
    """An append-only file with a line for each accepted part and each refusal; numbers only as digests.

    A message counts as received when all its parts are there, as often as the rarest of them is.
    """

    def __init__(self, path: Path) -> None:
        self._copies: dict[str, list[int]] = {}
        self._refused: Counter[str] = Counter()
        self._received = self._unique = self.entries = 0
        self._lines: list[str] = []
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        self._load(path)

    def accept(self, reference: str, recipient: str, part: int = 1, total: int = 1) -> None:
        """Notes a part of the message that `reference` names (an alert's id and version, no spaces)."""
        key = f"{reference} {_digest(recipient)} {total}"
        self._lines.append(f"+ {key} {part}\n")
        self._accepted(key, part, total)

    def refuse(self, reason: str) -> None:
        """Notes an answer that was an error."""
        self._lines.append(f"- {reason}\n")
        self._refused[reason] += 1

    def knows(self, reference: str, recipient: str, part: int = 1, total: int = 1) -> bool:
        """Whether this part was accepted before."""
        copies = self._copies.get(f"{reference} {_digest(recipient)} {total}")
        return copies is not None and copies[part - 1] > 0

    def flush(self) -> None:
        """Writes what was noted, before anyone is told of it."""
        if self._lines:
            os.write(self._file, "".join(self._lines).encode())
            self._lines.clear()

    def count(self) -> SandboxCount:
        """What was received since the journal began."""
        return SandboxCount(self._received, self._unique, dict(self._refused))

    def whole(self) -> set[str]:
        """The messages received whole, each once: the same name in every double's journal."""
        return {key for key, copies in self._copies.items() if min(copies)}

    def close(self) -> None:
        """Writes what is left and lets go of the file."""
        self.flush()
        os.close(self._file)

    def _accepted(self, key: str, part: int, total: int) -> None:
        copies = self._copies.setdefault(key, [0] * total)
        before = min(copies)
        copies[part - 1] += 1
        after = min(copies)
        self._received += after - before
        self._unique += before == 0 < after
        self.entries += 1

    def _load(self, path: Path) -> None:
        stored = path.read_text()
        if stored and not stored.endswith("\n"):
            os.write(self._file, b"\n")  # a line cut short was never answered for
            stored = stored[: stored.rfind("\n") + 1]
        for line in stored.splitlines():
            if line.startswith("- "):
                self._refused[line[2:]] += 1
            elif line.startswith("+ ") and len(fields := line.split()) == _FIELDS:
                _, reference, digest, total, part = fields
                self._accepted(f"{reference} {digest} {total}", int(part), int(total))


def read_count(path: Path) -> SandboxCount:
    """What the journal of a double that may not be running says."""
    journal = Journal(path)
    journal.close()
    return journal.count()


def _digest(recipient: str) -> str:
    return blake2b(recipient.encode(), digest_size=8).hexdigest()
