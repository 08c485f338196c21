"""Imports a CSV of subscribers in batches. Killed at any moment and run again, it goes on.

A line counts as that phone registering again, by the rules of `subscribers`; only its secret stays.
A file that was read to its end is not read again, wherever it lies: people who left stay away.
"""

import fcntl
import os
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from csv import writer
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest
from itertools import islice
from pathlib import Path
from typing import Any, LiteralString, NamedTuple, TextIO

from psycopg import Connection, Cursor
from psycopg_pool import ConnectionPool

from broadcaster.registry.address_book import Row
from broadcaster.registry.lines import HEADER, Line, Person, Reject, SubscriberFile
from broadcaster.registry.staging import upsert
from schemas.areas import AreaTree

SUBSCRIBER_IMPORTS_DDL: LiteralString = """
CREATE TABLE IF NOT EXISTS subscriber_imports (
    file_sha256 text PRIMARY KEY,
    edition text NOT NULL,
    byte_offset bigint NOT NULL DEFAULT 0,
    line bigint NOT NULL DEFAULT 0,
    accepted bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL,
    finished_at timestamptz
);
"""

_ADVANCE: LiteralString = """
UPDATE subscriber_imports SET byte_offset = %s, line = %s, accepted = %s, rejected = %s
WHERE file_sha256 = %s AND byte_offset = %s AND finished_at IS NULL
"""
_FINISH: LiteralString = "UPDATE subscriber_imports SET finished_at = %s WHERE file_sha256 = %s"

Progress = Callable[[int, int, int, int], None]
"""Told after each batch: bytes read, bytes in all, lines accepted, lines rejected."""


class ImportBusyError(RuntimeError):
    """Another process imports this file."""


class ImportEditionError(RuntimeError):
    """The import began under another edition of the area register."""


@dataclass(frozen=True)
class ImportResult:
    """How an import ended. `rejects_file` holds the rejected lines, where there are any."""

    accepted: int
    rejected: int
    file_sha256: str
    rejects_file: Path | None


class _Job(NamedTuple):
    sha256: str
    edition: str
    byte_offset: int
    accepted: int
    rejected: int
    finished: bool


def _quiet(_done: int, _total: int, _accepted: int, _rejected: int) -> None:
    pass


def import_csv(
    path: Path,
    pool: ConnectionPool[Any],
    tree: AreaTree,
    *,
    at: datetime,
    progress: Progress = _quiet,
    batch: int = 5000,
) -> ImportResult:
    """Reads the file to its end, or on from where an earlier run was stopped.

    Rejected lines go to `<file>.rejected.csv`, with their number and the rule they broke; like the file
    it holds personal data, and only its owner may read it.

    Raises SubscriberFileError, ImportBusyError, ImportEditionError, OSError.
    """
    with path.open("rb") as file:
        sha256, total = file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size
    rejects_path = path.with_name(f"{path.name}.rejected.csv")
    lines = SubscriberFile(path, tree)
    with pool.connection() as connection, connection.cursor() as cursor:
        job = _job(cursor, sha256, tree.edition, at)
        connection.commit()
        if not job.finished:
            with _rejects(rejects_path) as rejects, closing(_read_ahead(lines, batch)) as blocks:
                for block in blocks:
                    _keep_rejects(rejects, block)
                    # Lines from before the stop are read again, for their addresses and rejects only.
                    if fresh := [line for line in block if line.end > job.byte_offset]:
                        job = _take_in(cursor, job, fresh, at)
                        connection.commit()
                        progress(job.byte_offset, total, job.accepted, job.rejected)
            cursor.execute(_FINISH, (at, sha256))
            connection.commit()
            _tidy(connection)
    if job.rejected == 0:
        rejects_path.unlink(missing_ok=True)
    return ImportResult(job.accepted, job.rejected, sha256, rejects_path if rejects_path.exists() else None)


def _job(cursor: Cursor[Row], sha256: str, edition: str, at: datetime) -> _Job:
    cursor.execute(
        "INSERT INTO subscriber_imports (file_sha256, edition, started_at) VALUES (%s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (sha256, edition, at),
    )
    row = cursor.execute(
        "SELECT file_sha256, edition, byte_offset, accepted, rejected, finished_at IS NOT NULL"
        " FROM subscriber_imports WHERE file_sha256 = %s",
        (sha256,),
    ).fetchone()
    assert row is not None
    job = _Job(*row)
    if not job.finished and job.edition != edition:
        raise ImportEditionError(f"this import began under edition {job.edition} of the area register")
    return job


def _read_ahead(lines: Iterable[Line], batch: int) -> Generator[list[Line]]:
    """The lines in blocks; while the database takes one in, the next is read and checked."""
    rest = iter(lines)
    with ThreadPoolExecutor(1, "subscriber-file") as reader:
        block = reader.submit(lambda: list(islice(rest, batch)))
        while ready := block.result():
            block = reader.submit(lambda: list(islice(rest, batch)))
            yield ready


@contextmanager
def _rejects(path: Path) -> Generator[TextIO]:
    """The rejects file, begun anew: it is a function of the file, so a second run writes it again."""
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(opened, "w", encoding="utf-8", newline="") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ImportBusyError("another process imports this file") from None
        os.fchmod(opened, 0o600)
        os.ftruncate(opened, 0)
        writer(file).writerow((*HEADER, "line", "reason"))
        yield file


def _keep_rejects(file: TextIO, block: Sequence[Line]) -> None:
    rows = writer(file)
    for number, _, said in block:
        if isinstance(said, Reject):
            rows.writerow((*said.cells, number, said.reason))
    file.flush()


def _take_in(cursor: Cursor[Row], job: _Job, lines: Sequence[Line], at: datetime) -> _Job:
    """Writes the lines and the job's place behind them, in the caller's transaction."""
    people = [line.said for line in lines if isinstance(line.said, Person)]
    after = job._replace(
        byte_offset=lines[-1].end,
        accepted=job.accepted + len(people),
        rejected=job.rejected + len(lines) - len(people),
    )
    upsert(cursor, people, job.edition, at)
    counts = (after.accepted, after.rejected)
    cursor.execute(_ADVANCE, (after.byte_offset, lines[-1].number, *counts, job.sha256, job.byte_offset))
    if cursor.rowcount != 1:
        raise ImportBusyError("another process imports this file")
    return after


def _tidy(connection: Connection[Row]) -> None:
    """Lets the next audience be read from the indexes alone: autovacuum would only come in a while."""
    connection.autocommit = True
    try:
        connection.execute("VACUUM (ANALYZE) subscribers, subscriber_areas")
    finally:
        connection.autocommit = False
