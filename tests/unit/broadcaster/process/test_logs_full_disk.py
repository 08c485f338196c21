"""Log lines on a disk that is full: each in a process of its own, whose standard error is that disk."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")
"""Every write to it fails for want of space."""
SAYS = """
import logging, structlog
from broadcaster.process import logs
logs.configure()
log = structlog.get_logger()
log.info("one")
try:
    raise ValueError("a bug")
except ValueError:
    log.exception("two")
logging.getLogger("a library").warning("three")
print("went on")
"""
ROOM_AGAIN = """
import os, resource, structlog
from broadcaster.process import logs
logs.configure()
log = structlog.get_logger()
log.info("before")
resource.setrlimit(resource.RLIMIT_FSIZE, (os.stat(2).st_size + 10, resource.RLIM_INFINITY))
for number in range(500):
    log.info("lost", number=number)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
log.info("after")
"""
ENDS = """
import time
from broadcaster.process import logs
from broadcaster.roles import ending
logs.configure()
ending.PATIENCE = 0.1
end = ending.Ending()
end.listen()
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
class TestAFullDisk:
    def test_what_cannot_be_written_stops_nobody(self) -> None:
        with FULL.open("w") as full:
            ran = subprocess.run(
                [sys.executable, "-c", SAYS], stdout=subprocess.PIPE, stderr=full, text=True, check=False
            )
        assert ran.stdout == "went on\n"

    def test_a_role_that_is_asked_to_stop_ends(self) -> None:
        with (
            FULL.open("w") as full,
            subprocess.Popen([sys.executable, "-c", ENDS], stdout=subprocess.PIPE, stderr=full) as made,
        ):
            assert made.stdout is not None
            assert made.stdout.readline() == b"ready\n"
            made.terminate()
            try:
                assert made.wait(timeout=10) == 0
            finally:
                made.kill()


def test_once_there_is_room_it_says_how_many_lines_are_missing(tmp_path: Path) -> None:
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    if hard != resource.RLIM_INFINITY:
        pytest.skip("a limit on files is set already")
    path = tmp_path / "role.log"
    with path.open("a") as log:
        subprocess.run([sys.executable, "-c", ROOM_AGAIN], stderr=log, check=True)
    first, torn, *rest = path.read_text().splitlines()
    assert json.loads(first)["event"] == "before"
    assert len(torn) == 10
    told, after = map(json.loads, rest)
    assert (told["event"], told["lines"]) == ("log_lines_lost", 500)
    assert after["event"] == "after"
