"""Displays that screens have: what a frame measures, and how many characters a page of it takes.

Sizes of letters are what was found legible with stacked Vietnamese marks at one bit a pixel: 16 pixels
a line is the least, and 96x32 takes two such lines of 12.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

MAX_PAGES = 3
"""A matrix shows one alert in 3 pages at most: passers-by see the whole of it in 12 seconds."""


class Colours(StrEnum):
    """What one pixel can be."""

    ONE_BIT = "1"
    """Lit or dark."""
    RGB = "rgb"
    """A panel of red, green and blue diodes; still no grey edges."""
    LCD = "lcd"
    """A television: smooth edges."""


class Letters(StrEnum):
    """The face that a display's letters are drawn in."""

    CELLS_16 = "cells-16"
    """8x16 cells, drawn twice."""
    CELLS_20 = "cells-20"
    """10x20 cells."""
    OUTLINE = "outline"
    """An outline face, 24 pixels a line."""
    FITTED = "fitted"
    """An outline face as large as the text allows."""


@dataclass(frozen=True)
class Display:
    """A profile: width and height in pixels, its colours, its letters, and the lines of one page."""

    name: str
    width: int
    height: int
    colours: Colours
    letters: Letters
    lines: int

    @property
    def is_matrix(self) -> bool:
        """Whether it is made of diodes, not a television."""
        return self.colours is not Colours.LCD

    @property
    def suffix(self) -> str:
        """The form whose SHA-256 names a frame: raw bits for one bit a pixel, else PNG."""
        return "bin" if self.colours is Colours.ONE_BIT else "png"


_MATRICES = (
    (96, 32, Letters.CELLS_16, 2),
    (128, 64, Letters.CELLS_16, 4),
    (192, 64, Letters.CELLS_20, 3),
    (192, 96, Letters.OUTLINE, 4),
)


def _matrices(colours: Colours) -> list[Display]:
    return [
        Display(f"m{width}x{height}-{colours.value}", width, height, colours, letters, lines)
        for width, height, letters, lines in _MATRICES
    ]


DISPLAYS: dict[str, Display] = {
    display.name: display
    for display in (
        *_matrices(Colours.ONE_BIT),
        *_matrices(Colours.RGB),
        Display("lcd1920", 1920, 1080, Colours.LCD, Letters.FITTED, 5),
        Display("lcd1080x1920", 1080, 1920, Colours.LCD, Letters.FITTED, 10),
    )
}
"""Every profile by its name."""
SMALLEST = DISPLAYS["m96x32-1"]


def display(name: str) -> Display:
    """The display of a profile; the smallest for an unknown one, since its pages fit any.

    Screens are registered with known profiles only; the log may have older ones.
    """
    return DISPLAYS.get(name, SMALLEST)


class Frame(NamedTuple):
    """One picture as its display wants it; named by the SHA-256 of these bytes."""

    body: bytes

    @property
    def sha256(self) -> str:
        """Its name, 64 hex digits."""
        return hashlib.sha256(self.body).hexdigest()


class Page(NamedTuple):
    """What a screen shows at once: its lines, and the frame they are drawn on."""

    lines: tuple[str, ...]
    frame: Frame
