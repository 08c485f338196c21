"""The controller's window on a real X server: pixel for pixel, and how it ends."""

import os
import subprocess
import textwrap
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from broadcaster.player import controller
from broadcaster.player.controller import Bitmap, Picture, SettingError, WindowPlace, drawing
from tests.display import SIZE, Display, displayed, python
from tests.processes import begin
from tests.waiting import PATIENCE, until

FILE = Path(controller.__file__)
FEED = "http://127.0.0.1:9/v1/screens/me/feed"
"""Where nobody listens: a screen that is offline from the start."""


@pytest.fixture
def display() -> Generator[Display]:
    with displayed() as running:
        yield running


def started(display: str, folder: Path, *asked: str) -> subprocess.Popen[str]:
    """The controller as it is installed on a box: the one file, and an interpreter with tkinter."""
    said = [python(), str(FILE), "--feed", FEED, "--state", str(folder / "state"), *asked]
    return begin(
        said,
        env={"PATH": os.environ["PATH"], "DISPLAY": display, "SCREEN_KEY": "hn_a_b"},
        stderr=subprocess.PIPE,
        text=True,
    )


def idle(profile: str) -> Image.Image:
    """What a box shows that has never heard of its house."""
    bitmap = drawing(
        Picture(None, 0, 1, 1, (controller.IDLE,), None, "", stale=True, until=0), None, profile
    )
    return Image.frombytes("RGB", (bitmap.width, bitmap.height), bytes(bitmap.rgb))


def on(picture: Image.Image, left: int, top: int) -> Image.Image:
    """The display with nothing on but that."""
    whole = Image.new("RGB", SIZE)
    whole.paste(picture, (left, top))
    return whole


def same(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.difference(one, other).getbbox() is None


@pytest.mark.parametrize(
    ("asked", "size", "place"),
    [
        ("window", (768, 256), (16, 172)),  # 8 pixels a diode
        ("window:192x64+30+40", (192, 64), (30, 40)),
        ("window:96x32+0+0", (96, 32), (0, 0)),  # as a sending card takes it
        ("window:100x40+0+0", (96, 32), (2, 4)),
    ],
)
def test_a_diode_is_so_many_pixels(
    display: Display,
    tmp_path: Path,
    asked: str,
    size: tuple[int, int],
    place: tuple[int, int],
) -> None:
    box = started(display.name, tmp_path, "--output", asked, "--profile", "m96x32-1")
    try:
        expected = on(idle("m96x32-1").resize(size, Image.Resampling.NEAREST), *place)
        until(lambda: same(display.pixels(), expected))
    finally:
        box.terminate()
        _, said = box.communicate()
    assert box.returncode == 0, said
    assert "Traceback" not in said
    until(lambda: not display.pixels().getbbox())  # The window is gone with it.


def test_a_television_s_picture_is_made_to_fit(display: Display, tmp_path: Path) -> None:
    box = started(display.name, tmp_path, "--output", "window", "--profile", "lcd1920")
    try:
        whole = idle("lcd1920")
        small = Image.new("RGB", (800, 450))
        small.putdata([whole.getpixel((x * 12 // 5, y * 12 // 5)) for y in range(450) for x in range(800)])
        expected = on(small, 0, 75)
        until(lambda: same(display.pixels(), expected))
    finally:
        box.terminate()
        box.communicate()


def test_a_lost_display_ends_the_program_for_its_supervisor_to_start_anew(
    display: Display, tmp_path: Path
) -> None:
    box = started(display.name, tmp_path, "--output", "window")
    try:
        until(lambda: display.pixels().getbbox())
        display.lose()
        assert box.wait(PATIENCE) == 1
    finally:
        box.kill()
        box.communicate()


@pytest.mark.parametrize("asked", ["window", "window:96x32"])
def test_without_a_display_one_line_says_so(tmp_path: Path, asked: str) -> None:
    box = started(":65000", tmp_path, "--output", asked)
    _, said = box.communicate(timeout=PATIENCE)
    assert box.returncode == 2
    assert said.startswith("screen: output: no window: ")
    assert ":65000" in said
    assert said.count("\n") == 1


def test_without_tkinter_one_line_says_so(tmp_path: Path) -> None:
    (tmp_path / "tkinter.py").write_text("raise ImportError")
    said = [python(), "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import runpy; "]
    said[-1] += f"sys.argv = ['x', '--feed', {FEED!r}, '--output', 'window']; "
    said[-1] += f"runpy.run_path({str(FILE)!r}, run_name='__main__')"
    done = subprocess.run(said, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "screen: output: a window needs tkinter (Debian: python3-tk)\n",
    )


@pytest.mark.parametrize(
    "act", ["root.event_generate('<Escape>')", "root.tk.call(root.protocol('WM_DELETE_WINDOW'))"]
)
def test_escape_and_closing_end_it_cleanly(display: Display, tmp_path: Path, act: str) -> None:
    script = f"""
        import sys
        sys.path.insert(0, {str(FILE.parent)!r})
        from pathlib import Path
        from controller import Box, Settings
        box = Box(Settings({FEED!r}, "hn_a_b", "window:300x200", Path({str(tmp_path)!r})))
        root = box._window._root
        root.after(200, lambda: {act})
        box.run()
        print("ended")
    """
    done = subprocess.run(
        [python(), "-c", textwrap.dedent(script)],
        env={"PATH": os.environ["PATH"], "DISPLAY": display.name},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("wrong", ["0x32", "96x", "96x32+1", "96x32+-1+0", "9x9x9", "full", "960000x1"])
def test_a_place_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(SettingError, match="window:WIDTHxHEIGHT"):
        WindowPlace.parse(wrong)


def test_places() -> None:
    assert WindowPlace.parse("") == WindowPlace()
    assert WindowPlace.parse("96x32") == WindowPlace((96, 32))
    assert WindowPlace.parse("96x32+0+7") == WindowPlace((96, 32), (0, 7))


@given(*[st.integers(1, 80)] * 4)
def test_what_is_too_large_is_made_to_fit_and_no_smaller(
    width: int, height: int, wide: int, high: int
) -> None:
    wide, high = min(wide, width), min(high, height)
    small = Bitmap.dark(width, height).within(wide, high)
    assert len(small.rgb) == 3 * small.width * small.height
    assert small.width <= wide
    assert small.height <= high
    assert small.width == wide or small.height == high
