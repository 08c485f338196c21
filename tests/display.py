"""A display without a panel: Xvfb, its pixels, and an interpreter that can open windows."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

import pytest
from PIL import Image, ImageGrab

from tests.processes import begin, end

SIZE = (800, 600)


@dataclass(frozen=True)
class Display:
    """A running X server."""

    name: str
    server: subprocess.Popen[bytes]

    def pixels(self) -> Image.Image:
        """What is on it."""
        return ImageGrab.grab(xdisplay=self.name).convert("RGB")

    def lose(self) -> None:
        """The server dies, as when someone pulls a plug."""
        self.server.kill()
        self.server.wait()


def python() -> str:
    """An interpreter with tkinter, all that the controller needs. Skips the test where there is none."""
    for one in (sys.executable, "/usr/bin/python3"):
        asked = "import sys, tkinter; assert sys.version_info >= (3, 11)"
        if subprocess.run([one, "-c", asked], capture_output=True, check=False).returncode == 0:
            return one
    return _lacking("no interpreter has tkinter (Debian: python3-tk)")


@contextmanager
def displayed() -> Generator[Display]:
    """A display of 800 x 600 pixels. Skips the test where there is no Xvfb."""
    xvfb = shutil.which("Xvfb")
    if xvfb is None:
        _lacking("no Xvfb (Debian: xvfb)")
    reader, writer = os.pipe()
    screen = f"{SIZE[0]}x{SIZE[1]}x24"
    server = begin(
        [xvfb, "-displayfd", str(writer), "-screen", "0", screen, "-nolisten", "tcp", "-noreset"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        # The server writes its number once it can be reached.
        with os.fdopen(reader) as told:
            number = told.readline().strip()
        assert number, "Xvfb did not start"
        yield Display(f":{number}", server)
    finally:
        end(server, signal.SIGTERM)


def _lacking(what: str) -> NoReturn:
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(f"{what}, and REQUIRE_BROWSER=1")
    pytest.skip(what)
