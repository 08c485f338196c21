"""Files that go with alerts, kept by their digest: the same bytes are one row, and never change."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from psycopg_pool import ConnectionPool

from broadcaster.rules import RefusedError, Rule
from schemas.content import Attachment

MOST_BYTES = 5_000_000
BEGINNINGS = {
    "application/pdf": b"%PDF-",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
}
"""What a file of each type that is taken begins with."""

ATTACHMENTS_DDL: LiteralString = """
CREATE TABLE IF NOT EXISTS attachments (
    sha256 text PRIMARY KEY,
    sha1 text NOT NULL, -- CAP 1.2 section 3.2.3 asks for it; we know the file by the other
    media_type text NOT NULL,
    size int NOT NULL,
    data bytea NOT NULL,
    kept_by text NOT NULL,
    kept_at timestamptz NOT NULL
);
ALTER TABLE attachments ALTER COLUMN data SET STORAGE EXTERNAL; -- they are compressed already
"""

_FACTS: LiteralString = "SELECT sha256, sha1, media_type, size FROM attachments WHERE sha256 = ANY(%s)"


class Kept(NamedTuple):
    """A file that is kept."""

    sha256: str
    sha1: str
    media_type: str
    size: int
    """Bytes."""


Lookup = Callable[[Iterable[str]], Mapping[str, Kept]]
"""Of digests those that are kept."""


class Attachments:
    """The table of files."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool

    def keep(self, data: bytes, media_type: str, account: str, at: datetime) -> Kept:
        """Keeps a file, once whoever brings it. Raises RefusedError where it is none that is taken."""
        check_file(data, media_type)
        sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        kept = Kept(hashlib.sha256(data).hexdigest(), sha1, media_type, len(data))
        with self._pool.connection() as conn:
            conn.execute(
                "INSERT INTO attachments VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (*kept, data, account, at),
            )
        return kept

    def find(self, digests: Iterable[str]) -> Mapping[str, Kept]:
        """Of these digests those that are kept."""
        with self._pool.connection() as conn:
            return {row[0]: Kept(*row) for row in conn.execute(_FACTS, (list(digests),))}

    def read(self, sha256: str) -> tuple[str, bytes] | None:
        """The media type and the bytes; None where there is no such file."""
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT media_type, data FROM attachments WHERE sha256 = %s", (sha256,)
            ).fetchone()
        return None if row is None else (row[0], bytes(row[1]))


def check_file(data: bytes, media_type: str) -> None:
    """Refuses what is too large, of a type that is not taken, or not what it says it is."""
    if media_type not in BEGINNINGS:
        raise RefusedError(Rule.LIMIT, f"media_type: one of {', '.join(BEGINNINGS)}")
    if not 0 < len(data) <= MOST_BYTES:
        raise RefusedError(Rule.LIMIT, f"file: {len(data)} bytes, 1 to {MOST_BYTES} are taken")
    if not data.startswith(BEGINNINGS[media_type]):
        raise RefusedError(Rule.LIMIT, f"file: it does not begin as {media_type} does")


def check_named(named: Iterable[Attachment], find: Lookup) -> None:
    """Refuses a content whose files are not kept here, or are described wrongly."""
    asked = {each.sha256: (number, each) for number, each in enumerate(named)}
    if not asked:
        return
    kept = find(asked)
    for sha256, (number, each) in asked.items():
        place = f"attachments.{number}"
        if sha256 not in kept:
            raise RefusedError(
                Rule.LIMIT, f"{place}.sha256: no file of this digest is kept; upload it first"
            )
        if each.media_type != kept[sha256].media_type:
            raise RefusedError(Rule.LIMIT, f"{place}.media_type: the file is {kept[sha256].media_type}")
        if each.size != kept[sha256].size:
            raise RefusedError(Rule.LIMIT, f"{place}.size: the file has {kept[sha256].size} bytes")
