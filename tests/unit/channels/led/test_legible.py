"""Every pair of letters that differ in a mark alone differs on the panel too, at each size."""

from itertools import combinations

import pytest
from PIL import Image, ImageChops

from channels.led.faces import OUTLINE_SIZE, TALLEST, Cells, Face, Outline, bitmap
from schemas.displays import Letters

TONES = [
    "aàảãáạ",
    "ăằẳẵắặ",
    "âầẩẫấậ",
    "eèẻẽéẹ",
    "êềểễếệ",
    "iìỉĩíị",
    "oòỏõóọ",
    "ôồổỗốộ",
    "ơờởỡớợ",
    "uùủũúụ",
    "ưừửữứự",
    "yỳỷỹýỵ",
]
KIN = ("aăâ", "eê", "oôơ", "uư", "dđ")
PAIRS = sorted(
    {pair for group in (*TONES, *KIN) for pair in combinations(group, 2)}
    | {pair for group in (*TONES, *KIN) for pair in combinations(group.upper(), 2)}
)


def drawn(face: Face, text: str) -> Image.Image:
    image = Image.new("L", (face.width(text) + 8, face.height + 16))
    face.draw(image, 4, 8, text, 255)
    return image


def distance(one: Image.Image, other: Image.Image) -> int:
    """Pixels that differ, where the two are laid on each other at their best."""
    size = (max(one.width, other.width), one.height)
    here = Image.new("L", size)
    here.paste(one)
    found: list[int] = []
    for shift in (-1, 0, 1):
        there = Image.new("L", size)
        there.paste(other, (shift, 0))
        found.append(ImageChops.difference(here, there).histogram()[255])
    return min(found)


def face_of(letters: Letters) -> Cells:
    if bitmap(letters) is None:
        pytest.skip("this system lacks the face; the next test tells what is drawn then")
    return Cells(letters)


@pytest.mark.parametrize(("letters", "least"), [(Letters.CELLS_16, 2), (Letters.CELLS_20, 3)], ids=str)
def test_bitmap_letters_stay_apart(letters: Letters, least: int) -> None:
    face = face_of(letters)
    pictures = {letter: drawn(face, letter) for pair in PAIRS for letter in pair}
    closest = min((distance(pictures[one], pictures[other]), one, other) for one, other in PAIRS)
    assert closest[0] >= least, closest


def test_outline_letters_stay_apart_at_one_bit() -> None:
    face = Outline(OUTLINE_SIZE)
    pictures = {letter: drawn(face, letter) for pair in PAIRS for letter in pair}
    closest = min((distance(pictures[one], pictures[other]), one, other) for one, other in PAIRS)
    assert closest[0] >= 3, closest


def faces() -> list[Face]:
    cells = [Cells(letters) for letters in (Letters.CELLS_16, Letters.CELLS_20) if bitmap(letters)]
    return [*cells, Outline(OUTLINE_SIZE), Outline(120, smooth=True)]


@pytest.mark.parametrize("face", faces(), ids=lambda face: f"{type(face).__name__}-{face.height}")
def test_no_mark_is_clipped_by_the_line(face: Face) -> None:
    for letter in {letter for pair in PAIRS for letter in pair} | set(TALLEST):
        box = drawn(face, letter).getbbox()
        assert box is not None, letter
        assert box[1] >= 8, letter
        assert box[3] <= 8 + face.height, letter
