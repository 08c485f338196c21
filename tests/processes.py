"""What tests of processes share: folders for engines, and whether a process is gone."""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def passable_folder() -> Generator[Path]:
    """A temporary folder that PostgreSQL can reach even when we are root; pytest's own are closed to it."""
    with tempfile.TemporaryDirectory(prefix="broadcaster-tests-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


def gone(pid: int) -> bool:
    """Whether the process has ended with all its threads, be it reaped or not."""
    process = Path(f"/proc/{pid}")
    try:
        state = (process / "stat").read_text().rpartition(") ")[2]
        return state.startswith("Z") and len(list((process / "task").iterdir())) == 1
    except (FileNotFoundError, ProcessLookupError):
        return True
