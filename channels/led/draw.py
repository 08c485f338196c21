"""Frames: pages drawn as their displays want them."""

import io
import struct
from functools import lru_cache

from PIL import Image, ImageDraw

from channels.led.layout import IDLE, Layout, lay_out
from schemas.content import Mode, Severity
from schemas.displays import Colours, Display, Frame, Page, display

MAGIC = b"HLF1"
_HEADER = struct.Struct(">4sHHBBHI")
"""Magic, width, height, bits a pixel, pages, milliseconds a page (0: the feed says), reserved."""

LIT = 255
_LEVELS = 15
"""Steps from dark to lit on a television; the sixteenth colour is the band's."""
_NIGHT = (10, 14, 24)
_WHITE = (255, 255, 255)
_COLOURS = {
    Severity.EXTREME: (255, 48, 32),
    Severity.SEVERE: (255, 150, 0),
    Severity.MODERATE: (255, 220, 0),
    Severity.MINOR: (80, 230, 110),
    Severity.UNKNOWN: _WHITE,
}
CACHED = 2048
CACHED_LCD = 128


class Artist:
    """Draws alerts for displays. Each (text, profile, severity, mode) is drawn once while it is in use."""

    def __init__(self) -> None:
        self._matrix = lru_cache(CACHED)(draw)
        self._lcd = lru_cache(CACHED_LCD)(draw)

    def pages(self, text: str, profile: str, severity: Severity, mode: Mode) -> tuple[Page, ...]:
        """The pages of an alert."""
        shown = display(profile)
        # A matrix of one colour shows every severity alike.
        if shown.colours is Colours.ONE_BIT:
            severity = Severity.UNKNOWN
        return (self._matrix if shown.is_matrix else self._lcd)(text, shown, severity, mode)

    def idle(self, profile: str) -> Page:
        """What a screen shows while it has nothing to tell."""
        return self.pages(IDLE, profile, Severity.UNKNOWN, Mode.ACTUAL)[0]


def draw(text: str, shown: Display, severity: Severity, mode: Mode) -> tuple[Page, ...]:
    """The pages of a text, drawn."""
    layout = lay_out(text, shown, mode)
    return tuple(Page(lines, Frame(encode(grey(layout, lines), shown, severity))) for lines in layout.pages)


def grey(layout: Layout, lines: tuple[str, ...]) -> Image.Image:
    """One page, dark 0 to lit 255, at true size."""
    shown = layout.display
    image = Image.new("L", (shown.width, shown.height))
    if layout.mark and layout.bar:
        ImageDraw.Draw(image).rectangle((0, 0, shown.width - 1, layout.bar - 1), fill=LIT)
        _mark(image, layout, layout.mark)
    elif layout.mark:
        ImageDraw.Draw(image).rectangle((0, 0, shown.width - 1, shown.height - 1), outline=LIT, width=2)
    free = shown.height - layout.bar - layout.pitch * len(lines)
    # The room between lines is below each; the last has none.
    top = layout.bar + (free + layout.pitch - layout.face.height) // 2
    for number, line in enumerate(lines):
        left = (shown.width - layout.face.width(line)) // 2
        layout.face.draw(image, left, top + number * layout.pitch, line, LIT)
    return image


def encode(image: Image.Image, shown: Display, severity: Severity) -> bytes:
    """A page as its display wants it: raw bits behind a header, or PNG."""
    match shown.colours:
        case Colours.ONE_BIT:
            bits = bits_of(image)
            return _HEADER.pack(MAGIC, shown.width, shown.height, 1, 1, 0, 0) + bits.tobytes()
        case Colours.RGB:
            return png(_inked(image, _COLOURS[severity]), bits=1)
        case Colours.LCD:
            return png(_banded(image, _COLOURS[severity]), bits=4)


def decode(frame: bytes) -> Image.Image:
    """A raw frame as a picture, its pixels 0 and 1. Raises ValueError for anything else."""
    if len(frame) < _HEADER.size:
        raise ValueError("a frame begins with a header of 16 bytes")
    magic, width, height, depth, count, _, _ = _HEADER.unpack_from(frame)
    if magic != MAGIC or depth != 1 or count != 1:
        raise ValueError("not a frame of one bit a pixel")
    rows = frame[_HEADER.size :]
    if len(rows) != height * -(-width // 8):
        raise ValueError("the frame is not as long as its header says")
    return Image.frombytes("1", (width, height), rows)


def bits_of(image: Image.Image) -> Image.Image:
    """Lit or dark, one bit a pixel, the leftmost in the highest bit, each row filled to whole bytes."""
    return image.point([0] * 128 + [LIT] * 128, "1")


def png(image: Image.Image, **how: int) -> bytes:
    """The picture as PNG."""
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=6, **how)
    return out.getvalue()


def _mark(image: Image.Image, layout: Layout, mark: str) -> None:
    face = layout.face
    left = (layout.display.width - face.width(mark)) // 2
    if face.height <= layout.bar:
        face.draw(image, left, (layout.bar - face.height) // 2, mark, 0)
        return
    # A television's letters are larger than its bar: drawn apart, and made to fit.
    strip = Image.new("L", (face.width(mark), face.height), LIT)
    face.draw(strip, 0, 0, mark, 0)
    width = strip.width * layout.bar * 9 // 10 // strip.height
    strip = strip.resize((width, layout.bar * 9 // 10), Image.Resampling.LANCZOS)
    image.paste(strip, ((layout.display.width - width) // 2, layout.bar // 20))


def _inked(image: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    inked = Image.new("P", image.size)
    inked.putpalette([0, 0, 0, *colour])
    inked.paste(1, mask=bits_of(image))
    return inked


def _banded(image: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """White on night, with a band of the severity's colour at the left."""
    shades = image.point([value * (_LEVELS - 1) // LIT for value in range(256)])
    banded = Image.frombytes("P", image.size, shades.tobytes())
    steps = _LEVELS - 1
    ramp = [
        dark + (light - dark) * step // steps
        for step in range(_LEVELS)
        for dark, light in zip(_NIGHT, _WHITE, strict=True)
    ]
    banded.putpalette([*ramp, *colour])
    banded.paste(_LEVELS, (0, 0, image.width // 60, image.height))
    return banded
