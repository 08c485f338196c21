"""Pictures for the people who write."""

import io

import pytest
from PIL import Image, ImageChops

from channels.led.layout import lay_out
from channels.led.preview import preview, trouble
from schemas.content import Mode, Severity
from schemas.displays import DISPLAYS, SMALLEST, Display

LONG = "abcdefghij " * 9


def picture(text: str, shown: Display, mode: Mode = Mode.ACTUAL) -> Image.Image:
    body = preview(lay_out(text, shown, mode), text, Severity.SEVERE, mode)
    return Image.open(io.BytesIO(body)).convert("RGB")


def reds(image: Image.Image) -> int:
    red, green, _ = image.split()
    lit = ImageChops.subtract(red, green).point([0] * 150 + [255] * 106)
    return lit.histogram()[255]


@pytest.mark.parametrize("shown", DISPLAYS.values(), ids=lambda shown: shown.name)
def test_every_display_has_a_picture(shown: Display) -> None:
    image = picture("Ngập sâu tại phường Phúc Xá", shown, Mode.TEST)
    assert image.width == (shown.width * 4 if shown.is_matrix else 480)
    assert reds(image) == 0


def test_pages_too_many_are_crossed_out() -> None:
    assert trouble("Ngập sâu") is None
    problem = trouble(LONG)
    assert problem is not None
    assert problem.lines == 9
    image = picture(LONG, SMALLEST)
    assert reds(image) > 0
    assert image.height > picture("abcdefghij " * 6, SMALLEST).height
