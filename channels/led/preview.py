"""What a text will look like on a screen, for the people who write it: the very frames, enlarged."""

import io

from PIL import Image, ImageDraw

from channels.led.draw import bits_of, encode, grey, png
from channels.led.layout import Layout, SignTooLongError, check, lay_out
from schemas.content import Mode, Severity
from schemas.displays import Frame

_DOT = 4
"""Pixels of the picture for one diode."""
_GAP = 4
_AMBER, _DARK, _BOARD, _OVER = (255, 176, 0), (38, 28, 8), (90, 90, 90), (220, 40, 40)
_LCD_WIDTH = 480


def preview(layout: Layout, text: str, severity: Severity, mode: Mode) -> bytes:
    """The pages of a text that was laid out, as one picture (PNG); those past its last are crossed out."""
    full = layout if layout.whole else lay_out(text, layout.display, mode, whole=True)
    last = len(layout.pages)
    pages = [_page(full, lines, severity, over=number >= last) for number, lines in enumerate(full.pages)]
    return png(_stack(pages))


def trouble(text: str) -> SignTooLongError | None:
    """Why the text cannot go out on every screen; None where it can."""
    try:
        check(text)
    except SignTooLongError as error:
        return error
    return None


def dots(image: Image.Image, colour: tuple[int, int, int] = _AMBER) -> Image.Image:
    """A page of diodes, each a square with a gap."""
    size = (image.width * _DOT, image.height * _DOT)
    lit = bits_of(image).resize(size, Image.Resampling.NEAREST)
    board = Image.new("RGB", size, _DARK)
    board.paste(colour, mask=lit)
    pen = ImageDraw.Draw(board)
    for x in range(_DOT - 1, size[0], _DOT):
        pen.line((x, 0, x, size[1]), fill=0)
    for y in range(_DOT - 1, size[1], _DOT):
        pen.line((0, y, size[0], y), fill=0)
    return board


def _page(layout: Layout, lines: tuple[str, ...], severity: Severity, *, over: bool) -> Image.Image:
    image = grey(layout, lines)
    if layout.display.is_matrix:
        picture = dots(image, _OVER if over else _AMBER)
    else:
        picture = _small(Frame(encode(image, layout.display, severity)))
    if over:
        ImageDraw.Draw(picture).line((0, picture.height, picture.width, 0), fill=_OVER, width=_DOT)
    return picture


def _small(frame: Frame) -> Image.Image:
    picture = Image.open(io.BytesIO(frame.body)).convert("RGB")
    height = picture.height * _LCD_WIDTH // picture.width
    return picture.resize((_LCD_WIDTH, height), Image.Resampling.LANCZOS)


def _stack(pictures: list[Image.Image]) -> Image.Image:
    width = max((picture.width for picture in pictures), default=1)
    height = sum(picture.height + _GAP for picture in pictures) - _GAP
    stacked = Image.new("RGB", (width, max(1, height)), _BOARD)
    top = 0
    for picture in pictures:
        stacked.paste(picture, (0, top))
        top += picture.height + _GAP
    # By octree: the median cut gives the thin band of a severity the mean of all colours.
    return stacked.quantize(64, Image.Quantize.FASTOCTREE)
