"""A folder that one process owns, and small files kept in it."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from broadcaster.engines.children import EngineError

SECRET_MOUNTS = Path("/run/secrets")
"""Where Compose and Swarm mount secrets."""


class DataFolder:
    """A folder locked by this process while it is open. The lock ends with the process.

    A folder that is made here gets mode 0700; the mode of one that exists is left alone. With
    `passable`, root makes it 0711, as it does missing parents: PostgreSQL, which refuses root, must
    be able to pass through.
    """

    def __init__(self, path: Path, *, passable: bool = False) -> None:
        self.path = path.resolve()
        self._parents_mode = 0o711 if os.geteuid() == 0 else 0o700
        self._mode = self._parents_mode if passable else 0o700
        self._lock: int | None = None

    def make(self) -> None:
        """Makes the folder where it is missing. Raises EngineError."""
        try:
            for parent in reversed([each for each in self.path.parents if not each.exists()]):
                _make(parent, self._parents_mode)
            _make(self.path, self._mode)
        except OSError as error:
            raise EngineError(f"cannot make the data folder {self.path}: {error.strerror}") from error

    def open(self) -> None:
        """Takes the lock; safe to repeat. Raises EngineError where another process has it."""
        if self._lock is not None:
            return
        self.make()
        try:
            lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise EngineError(f"cannot write to the data folder {self.path}: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(lock, 20).decode().strip() or "unknown"
            os.close(lock)
            raise EngineError(f"data folder {self.path} is in use by pid {owner}; stop it first") from None
        self._lock = lock
        # For whom the lock refuses. On a full disk it stays unsaid: the lock holds all the same.
        with contextlib.suppress(OSError):
            os.ftruncate(lock, 0)
            os.write(lock, f"{os.getpid()}\n".encode())

    def close(self) -> None:
        """Gives the lock back; safe to repeat."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _make(folder: Path, mode: int) -> None:
    """Makes a folder of this mode, whatever the umask, unless it exists."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=mode)
        folder.chmod(mode)


def kept(path: Path, make: Callable[[], str]) -> str:
    """The text of a small private file (mode 0600), made once and the same ever after."""
    while not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        write_private(draft, make() + "\n")
        try:
            os.link(draft, path)  # whole or not at all; loses to whoever was first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def others_may_read(path: Path, mounts: Path = SECRET_MOUNTS) -> bool:
    """Whether a private file is open to other users of this machine. Raises OSError.

    What a container is given below `mounts` has the mode of the host's file, which must let a user who is
    not root read it; there is nobody else in the container.
    """
    mode = path.stat().st_mode
    return bool(mode & (stat.S_IRWXG | stat.S_IRWXO)) and mounts not in path.absolute().parents


def write_private(path: Path, text: str) -> None:
    """Writes a file that its owner alone may read, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
