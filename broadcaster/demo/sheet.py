"""The 25 samples as every matrix shows them, in pictures for the docs: `python -m broadcaster.demo.sheet`.

One pixel of a picture is one diode, so that what is legible here is legible in the street.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

import typer
from PIL import Image

from broadcaster import reference
from channels.led.draw import bits_of, grey, png
from channels.led.layout import IDLE, lay_out
from channels.led.preview import dots, preview
from schemas.content import Mode, Severity
from schemas.displays import DISPLAYS, Colours, Display

WIDTH = 808
"""Pixels; as wide as a page of the docs shows it unscaled."""
GAP = 4
_BOARD, _AMBER, _DARK = (90, 90, 90), (255, 176, 0), (24, 18, 6)
_CLOSE = "Ngập sâu, sơ tán khỏi ngõ 29 Tân Ấp"


def main(folder: Path = Path("docs/pictures")) -> None:
    """Writes the pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for shown in DISPLAYS.values():
        if shown.colours is Colours.ONE_BIT:
            _write(folder / f"screens-{shown.width}x{shown.height}.png", sheet(samples(shown)))
    _write(folder / "screens-close.png", sheet(close()))
    _write(folder / "screens-lcd.png", sheet(televisions()))


def samples(shown: Display) -> Iterator[list[Image.Image]]:
    """The pages of each sample at true size, then of one as a drill, and the idle page."""
    told = [(sample.title, Mode.ACTUAL) for sample in reference.sample_alerts()]
    for text, mode in (*told, (told[1][0], Mode.EXERCISE), (told[1][0], Mode.TEST), (IDLE, Mode.ACTUAL)):
        layout = lay_out(text, shown, mode)
        yield [_amber(grey(layout, lines)) for lines in layout.pages]


def close() -> Iterator[list[Image.Image]]:
    """One text on the smallest matrices, diode by diode."""
    for name, mode in (("m96x32-1", Mode.ACTUAL), ("m96x32-1", Mode.EXERCISE), ("m128x64-1", Mode.ACTUAL)):
        layout = lay_out(_CLOSE, DISPLAYS[name], mode)
        yield from ([dots(grey(layout, lines))] for lines in layout.pages)


def televisions() -> Iterator[list[Image.Image]]:
    """Two samples on televisions, reduced."""
    told = [sample.title for sample in reference.sample_alerts()][:8:7]
    for name in ("lcd1920", "lcd1080x1920"):
        for text, severity, mode in zip(
            told, (Severity.SEVERE, Severity.EXTREME), (Mode.EXERCISE, Mode.ACTUAL), strict=True
        ):
            body = preview(lay_out(text, DISPLAYS[name], mode), text, severity, mode)
            picture = Image.open(BytesIO(body)).convert("RGB")
            yield [picture.resize((picture.width * 4 // 5, picture.height * 4 // 5))]


def sheet(groups: Iterable[list[Image.Image]]) -> Image.Image:
    """Groups beside each other as long as there is room; a group's own pages stay together."""
    placed: list[tuple[int, int, Image.Image]] = []
    left, top, height = GAP, GAP, 0
    for pages in groups:
        width = sum(page.width + 1 for page in pages)
        if left > GAP and left + width > WIDTH:
            left, top, height = GAP, top + height + GAP, 0
        for page in pages:
            placed.append((left, top, page))
            left += page.width + 1
        left += GAP - 1
        height = max(height, *(page.height for page in pages))
    whole = Image.new("RGB", (WIDTH, top + height + GAP), _BOARD)
    for x, y, page in placed:
        whole.paste(page, (x, y))
    return whole


def _amber(page: Image.Image) -> Image.Image:
    inked = Image.new("RGB", page.size, _DARK)
    inked.paste(_AMBER, mask=bits_of(page))
    return inked


def _write(place: Path, picture: Image.Image) -> None:
    place.write_bytes(png(picture.quantize(64, Image.Quantize.FASTOCTREE)))


if __name__ == "__main__":
    typer.run(main)
