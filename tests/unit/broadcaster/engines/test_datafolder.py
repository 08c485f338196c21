import os
import subprocess
import sys
from pathlib import Path

import pytest

from broadcaster.engines.children import EngineError
from broadcaster.engines.datafolder import DataFolder, kept, write_private


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_second_owner_is_told_who_is_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with DataFolder(folder), pytest.raises(EngineError, match=f"{folder} is in use by pid {os.getpid()}"):
        DataFolder(folder).open()


def test_the_lock_can_be_taken_again_once_it_was_given_back(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    for _ in range(2):
        folder.open()
        folder.open()
        folder.close()
        folder.close()
    with DataFolder(tmp_path / "data"):
        pass


def test_the_lock_ends_with_its_process_and_not_with_its_children(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, pathlib\n"
        "from broadcaster.engines.datafolder import DataFolder\n"
        "DataFolder(pathlib.Path(sys.argv[1])).open()\n"
        "print(subprocess.Popen(['sleep', '600'], stdout=-3, stderr=-3).pid)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "data")], capture_output=True, text=True, check=True
    )
    try:
        with DataFolder(tmp_path / "data"):
            pass
    finally:
        os.kill(int(done.stdout), 9)


def test_a_folder_made_here_is_private_and_one_that_exists_is_left_alone(tmp_path: Path) -> None:
    with DataFolder(tmp_path / "made"):
        assert mode(tmp_path / "made") == 0o700
    (tmp_path / "given").mkdir()
    (tmp_path / "given").chmod(0o750)
    with DataFolder(tmp_path / "given", passable=True):
        assert mode(tmp_path / "given") == 0o750


def test_only_root_makes_passable_folders(tmp_path: Path) -> None:
    passable = 0o711 if os.geteuid() == 0 else 0o700
    before = os.umask(0o077)
    try:
        with (
            DataFolder(tmp_path / "data" / "postgres", passable=True),
            DataFolder(tmp_path / "data" / "nats"),
        ):
            assert mode(tmp_path / "data") == passable
            assert mode(tmp_path / "data" / "postgres") == passable
            assert mode(tmp_path / "data" / "nats") == 0o700
    finally:
        os.umask(before)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match=r"cannot make the data folder .*/file/data"):
        DataFolder(tmp_path / "file" / "data").open()


def test_what_is_kept_is_made_once_and_private(tmp_path: Path) -> None:
    answers = iter(["first", "second"])
    assert kept(tmp_path / "token", lambda: next(answers)) == "first"
    assert kept(tmp_path / "token", lambda: next(answers)) == "first"
    assert mode(tmp_path / "token") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["token"]


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "conf"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert (path.read_text(), mode(path)) == ("new", 0o600)
