"""The test pattern of a display: an edge to see what is cut off, diagonals for dead rows, its own name."""

from functools import cache

from PIL import Image, ImageDraw

from channels.led.draw import LIT, encode
from channels.led.faces import Outline
from schemas.content import Severity
from schemas.displays import DISPLAYS, Display, Frame, Page, display

_STEP = 8
"""Pixels between diagonals on a matrix: every row and column has a lit and a dark one nearby."""


@cache
def pattern(profile: str) -> Page:
    """The one page of it; the same bytes on every machine."""
    shown = display(profile)
    name = f"{shown.width}x{shown.height}"
    return Page((name, "TEST"), Frame(encode(_drawn(shown, name), shown, Severity.UNKNOWN)))


@cache
def pattern_frames() -> dict[str, bytes]:
    """The frames of every display's pattern by their names: no feed's view has them."""
    frames = (pattern(name).frame for name in DISPLAYS)
    return {frame.sha256: frame.body for frame in frames}


def _drawn(shown: Display, name: str) -> Image.Image:
    unit = max(1, shown.height // 90)
    image = Image.new("L", (shown.width, shown.height))
    pen = ImageDraw.Draw(image)
    for start in range(-shown.height, shown.width, _STEP * unit):
        pen.line((start, shown.height, start + shown.height, 0), fill=LIT, width=unit)
    pen.rectangle((0, 0, shown.width - 1, shown.height - 1), outline=LIT, width=unit)
    face = Outline(12 * min(unit, 8), smooth=not shown.is_matrix)
    width, height = face.width(name) + 4 * unit, face.height + 2 * unit
    left, top = (shown.width - width) // 2, (shown.height - height) // 2
    pen.rectangle((left, top, left + width, top + height), fill=0, outline=LIT)
    face.draw(image, left + 2 * unit, top + unit, name, LIT)
    return image
