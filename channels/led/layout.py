"""Which lines of a text go on which page of a display, and whether all of it does."""

import math
import unicodedata
from dataclasses import dataclass
from functools import cache

from channels.led import wrap
from channels.led.faces import OUTLINE_SIZE, PACKAGES, Cells, Face, Outline, bitmap
from schemas.content import Mode
from schemas.displays import DISPLAYS, MAX_PAGES, Colours, Display, Letters

MARKS = {Mode.EXERCISE: "DIỄN TẬP", Mode.TEST: "THỬ NGHIỆM"}
"""What stands on every page of what is not meant."""
IDLE = "Thành phố Hà Nội"
"""What a screen shows while it has nothing to tell: a dark one could as well be broken."""

_STEP = 4
_LEAST, _MOST = 48, 240
"""Pixels of letters on a television."""
_LEADING = 1.15


class SignTooLongError(ValueError):
    """A text that a display cannot show whole in MAX_PAGES pages."""

    def __init__(self, display: Display, lines: int) -> None:
        self.display, self.lines, self.most = display, lines, display.lines * MAX_PAGES
        super().__init__(
            f"takes {lines} lines on a {display.width}x{display.height} screen, which shows {self.most} "
            f"in {MAX_PAGES} pages; write a shorter sign_text"
        )


@dataclass(frozen=True)
class Layout:
    """A text laid out: the face, the pages, the mark on each, and the pixels from line to line."""

    display: Display
    face: Face
    pitch: int
    pages: tuple[wrap.Lines, ...]
    mark: str | None
    bar: int
    """Height of the mark's bar at the top; 0 where a border stands for it."""
    whole: bool
    """Whether all of the text is on the pages."""
    missing: str | None = None
    """Debian's package of the face that would do better, where the system lacks it."""


def check(text: str) -> None:
    """Whether every display shows the text whole. Raises SignTooLongError for the first that does not.

    Judged without a mark, which takes pages of its own: a text is rehearsed as it would be told.
    """
    for display in DISPLAYS.values():
        if display.colours is Colours.ONE_BIT:
            lines = len(wrap.wrap(_clean(text), display.width, _preferred(display).width))
            if lines > display.lines * MAX_PAGES:
                raise SignTooLongError(display, lines)


def lay_out(text: str, display: Display, mode: Mode = Mode.ACTUAL, *, whole: bool = False) -> Layout:
    """The pages of a text. One that does not fit ends in an ellipsis, at a word; `whole` has all its pages.

    Pages are at most MAX_PAGES, save where a mark or a larger face leaves room for fewer lines: then
    the same lines take more pages.
    """
    if display.letters is Letters.FITTED:
        return _fitted(_clean(text), display, MARKS.get(mode))
    return _ruled(_clean(text), display, MARKS.get(mode), whole=whole)


def _ruled(text: str, display: Display, mark: str | None, *, whole: bool) -> Layout:
    face = _preferred(display)
    missing = None
    if isinstance(face, Cells) and bitmap(face.letters) is None:
        missing, face = PACKAGES[face.letters], _outline(OUTLINE_SIZE)
    lines_a_page = display.height // face.height
    bordered = mark is not None and lines_a_page == 1
    width = display.width - 8 if bordered else display.width
    most = display.lines * MAX_PAGES
    shown = text if whole else wrap.cut(text, width, face.width, most)
    room = max(1, lines_a_page - 1) if mark else lines_a_page
    pages = wrap.pages(wrap.wrap(shown, width, face.width), room)
    if bordered and mark:
        # Too low for a bar above the text: the mark has pages of its own, and a border every page.
        pages = [*wrap.pages(wrap.wrap(mark, width, face.width), 1), *pages]
    return Layout(
        display=display,
        face=face,
        pitch=display.height // lines_a_page if lines_a_page > 1 else face.height,
        pages=tuple(pages),
        mark=mark,
        bar=face.height if mark and not bordered else 0,
        whole=shown == text,
        missing=missing,
    )


def _fitted(text: str, display: Display, mark: str | None) -> Layout:
    bar = display.height // 9 if mark else 0
    width, height = display.width * 88 // 100, (display.height - bar) * 88 // 100
    low, high = _LEAST // _STEP, _MOST // _STEP
    while low < high:
        middle = (low + high + 1) // 2
        if _taken(text, width, middle * _STEP) <= height:
            low = middle
        else:
            high = middle - 1
    face = _outline(low * _STEP, smooth=True)
    most = height // _pitch(face)
    shown = wrap.cut(text, width, face.width, most)
    lines = wrap.wrap(shown, width, face.width)
    return Layout(display, face, _pitch(face), (tuple(lines),), mark, bar, whole=shown == text)


def _taken(text: str, width: int, size: int) -> int:
    """The height of the text at a size; without end where a word would have to be cut."""
    face = _outline(size, smooth=True)
    if any(face.width(word) > width for word in text.split()) and size > _LEAST:
        return 1 << 30
    return len(wrap.wrap(text, width, face.width)) * _pitch(face)


def _pitch(face: Face) -> int:
    return math.ceil(face.height * _LEADING)


def _preferred(display: Display) -> Face:
    if display.letters in PACKAGES:
        return Cells(display.letters)
    return _outline(OUTLINE_SIZE)


@cache
def _outline(size: int, *, smooth: bool = False) -> Outline:
    return Outline(size, smooth=smooth)


def _clean(text: str) -> str:
    # Decomposed letters would have their marks drawn beside them.
    return " ".join(unicodedata.normalize("NFC", text).split())
