"""What the double answered, so that its counts outlive it."""

import os
from collections import Counter
from hashlib import blake2b
from pathlib import Path
from typing import Self

from channels.gateway import SandboxCount


class Journal:
    """An append-only file: `+ADDRESS ALERT VERSION` for each message accepted, `-ERROR` for each refused.

    Of an address it holds 64 bits of a hash. Lines are written before their answers (`flush`), so a
    killed double forgets nothing it answered; what a crash of the machine left half-written is cut off.
    """

    def __init__(self, path: Path) -> None:
        self._received = 0
        self._unwritten: list[str] = []
        self._seen: dict[str, set[int]] = {}
        self._refused: Counter[str] = Counter()
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with path.open("rb") as file:
            end = 0
            for line in file:
                if line.endswith(b"\n"):
                    self._count(line.decode().rstrip())
                    end += len(line)
        os.ftruncate(self._file, end)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.flush()
        os.close(self._file)

    def accept(self, address: str, alert: str, version: str) -> None:
        """Notes a message as accepted."""
        digest, said = blake2b(address.encode(), digest_size=8).digest(), f"{alert} {version}"
        self._unwritten.append(f"+{digest.hex()} {said}\n")
        self._add(said, int.from_bytes(digest))

    def refuse(self, error: str) -> None:
        """Notes that a message was answered with this error."""
        self._note(f"-{error}")

    def count(self) -> SandboxCount:
        """All since the file began."""
        unique = sum(len(addresses) for addresses in self._seen.values())
        return SandboxCount(self._received, unique, dict(self._refused))

    def received(self, alert: str) -> int:
        """Different recipients that the alert's versions reached, summed over the versions."""
        found = (addresses for version, addresses in self._seen.items() if version.startswith(f"{alert} "))
        return sum(map(len, found))

    def _note(self, line: str) -> None:
        self._unwritten.append(f"{line}\n")
        self._count(line)

    def flush(self) -> None:
        """Writes what was noted."""
        if self._unwritten:
            os.write(self._file, "".join(self._unwritten).encode())
            self._unwritten.clear()

    def _count(self, line: str) -> None:
        if line.startswith("-"):
            self._refused[line[1:]] += 1
            return
        digest, _, version = line[1:].partition(" ")
        self._add(version, int(digest, 16))

    def _add(self, version: str, digest: int) -> None:
        self._received += 1
        seen = self._seen.get(version)
        if seen is None:
            seen = self._seen[version] = set()
        seen.add(digest)
