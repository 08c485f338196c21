"""The letters of displays: how wide a text is, how high a line, and drawing one.

A system may lack the two bitmap faces. What text fits is judged by their cells all the same, for a
text must not be refused or taken by which machine looks at it; only drawing needs the file.
"""

import gzip
import io
import math
import os
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Protocol

from PIL import Image, ImageDraw, ImageFont

from schemas.displays import Letters

TALLEST = "ẤẪỂỔẲẰẮỘỰỸẴẶgpqyỵựộ|"
"""Letters that together fill a line from top to bottom: ASCII alone would clip the marks."""
_FILES = {
    Letters.CELLS_16: "fonts/opentype/unifont/unifont.otf",
    Letters.CELLS_20: "fonts/X11/misc/10x20.pcf.gz",
}
PACKAGES = {Letters.CELLS_16: "fonts-unifont", Letters.CELLS_20: "xfonts-base"}
"""Debian's packages that have them."""
_CELLS = {Letters.CELLS_16: (8, 16), Letters.CELLS_20: (10, 20)}
OUTLINE_SIZE = 16
"""The least size at which every pair of tone marks stays apart at one bit a pixel; a line is 24 pixels."""


class Face(Protocol):
    """Letters of one size."""

    height: int
    """Pixels from the top of the highest mark to the bottom of the lowest."""

    def width(self, text: str) -> int:
        """Pixels that a text takes."""
        ...

    def draw(self, image: Image.Image, x: int, y: int, text: str, ink: int) -> None:
        """Draws a line whose box begins at that corner."""
        ...


class Cells:
    """A bitmap face: every letter as wide as any other."""

    def __init__(self, letters: Letters) -> None:
        self.letters = letters
        self._cell, self.height = _CELLS[letters]

    def width(self, text: str) -> int:
        """Pixels that a text takes."""
        return self._cell * len(text)

    def draw(self, image: Image.Image, x: int, y: int, text: str, ink: int) -> None:
        """Draws a line. Raises OSError where the system lacks the face."""
        place = bitmap(self.letters)
        if place is None:
            raise OSError(f"the face of {PACKAGES[self.letters]} is not installed")
        font = _font(place, self.height)
        line = Image.new("1", (self.width(text) + 1, self.height))
        pen = ImageDraw.Draw(line)
        # By the baseline: a letter without a mark would else be set at the top.
        pen.text((0, font.getmetrics()[0]), text, font=font, fill=1, anchor="ls")
        mask = line.copy()
        if self.letters is Letters.CELLS_16:
            # Strokes of one pixel are thin in the street: drawn twice, one pixel apart.
            mask.paste(1, (1, 0), line)
        image.paste(ink, (x, y), mask)


class Outline:
    """Be Vietnam Pro Bold at a size, without grey edges unless `smooth`."""

    def __init__(self, size: int, *, smooth: bool = False) -> None:
        self.size, self.smooth = size, smooth
        self._font = _font(outline(), size)
        _, self._top, _, bottom = self._font.getbbox(TALLEST, anchor="ls", mode="L" if smooth else "1")
        self._top = round(self._top)
        self.height = round(bottom) - self._top

    def width(self, text: str) -> int:
        """Pixels that a text takes."""
        return math.ceil(self._font.getlength(text, mode="L" if self.smooth else "1"))

    def draw(self, image: Image.Image, x: int, y: int, text: str, ink: int) -> None:
        """Draws a line."""
        pen = ImageDraw.Draw(image)
        pen.fontmode = "L" if self.smooth else "1"
        pen.text((x, y - self._top), text, font=self._font, fill=ink, anchor="ls")


@cache
def bitmap(letters: Letters) -> Path | None:
    """The file of a bitmap face on this system (XDG Base Directories); None where it is not installed."""
    folders = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    places = (Path(folder) / _FILES[letters] for folder in folders.split(":") if folder)
    return next((place for place in places if place.is_file()), None)


def outline() -> Path:
    """The file of the outline face, which comes with the installation."""
    return Path(str(files("fontpkg_be_vietnam_pro"))) / "files" / "BeVietnamPro-Bold.ttf"


@cache
def _font(place: Path, size: int) -> ImageFont.FreeTypeFont:
    # The basic layout is the same on every machine; text comes in NFC, which is all it needs.
    # A packed file is unpacked first: seeking in it for every letter costs 20 ms a line.
    data = gzip.decompress(place.read_bytes()) if place.suffix == ".gz" else place.read_bytes()
    return ImageFont.truetype(io.BytesIO(data), size, layout_engine=ImageFont.Layout.BASIC)
