"""Pages of every display: their size, their bytes, their marks."""

import io
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from broadcaster import reference
from channels.led import faces
from channels.led.draw import Artist, bits_of, decode, draw, grey
from channels.led.layout import MARKS, SignTooLongError, check, lay_out
from schemas.content import Mode, Severity
from schemas.displays import DISPLAYS, MAX_PAGES, SMALLEST, Colours, Display, display

FLOOD = "CẢNH BÁO: Mưa lớn, ngập sâu tại phường Phúc Xá"
MATRICES = [shown for shown in DISPLAYS.values() if shown.is_matrix]
every = pytest.mark.parametrize("shown", DISPLAYS.values(), ids=lambda shown: shown.name)


@pytest.fixture(name="bare")
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A system without the bitmap faces."""
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path))
    faces.bitmap.cache_clear()
    yield
    faces.bitmap.cache_clear()


def opened(body: bytes, shown: Display) -> Image.Image:
    return decode(body) if shown.suffix == "bin" else Image.open(io.BytesIO(body))


@every
@pytest.mark.parametrize("mode", Mode)
def test_frames_have_the_size_and_depth_of_their_display(shown: Display, mode: Mode) -> None:
    pages = draw(FLOOD, shown, Severity.SEVERE, mode)
    assert pages
    for page in pages:
        image = opened(page.frame.body, shown)
        assert image.size == (shown.width, shown.height)
        assert image.mode == {"1": "1", "rgb": "P", "lcd": "P"}[shown.colours.value]
    assert "".join("".join(page.lines) for page in pages).replace(" ", "").endswith(FLOOD.replace(" ", ""))
    assert draw(FLOOD, shown, Severity.SEVERE, mode) == pages


@every
def test_what_is_not_meant_says_so_on_every_page(shown: Display) -> None:
    for mode, words in MARKS.items():
        layout = lay_out(FLOOD, shown, mode)
        assert layout.mark == words
        for lines in layout.pages:
            image = grey(layout, lines)
            assert image.getpixel((shown.width - 1, 0)) == 255
            plain = grey(lay_out(FLOOD, shown), lines)
            assert image.tobytes() != plain.tobytes()


@every
def test_no_word_is_lost_to_a_mark(shown: Display) -> None:
    told = [
        word for lines in lay_out(FLOOD, shown, Mode.TEST).pages for line in lines for word in line.split()
    ]
    assert told[-len(FLOOD.split()) :] == FLOOD.split()


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("shown", MATRICES, ids=lambda shown: shown.name)
def test_without_the_bitmap_faces_letters_are_larger(shown: Display) -> None:
    layout = lay_out("Ngập sâu tại Phúc Xá", shown)
    assert layout.face.height == 24
    assert layout.whole
    assert (layout.missing is None) == (shown.letters.value == "outline")
    for mode in Mode:
        assert draw(FLOOD, shown, Severity.MINOR, mode)
    check(FLOOD)  # what is refused does not depend on the machine


def test_a_bitmap_face_that_is_missing_is_named(bare: None) -> None:
    del bare
    face = faces.Cells(SMALLEST.letters)
    with pytest.raises(OSError, match="fonts-unifont"):
        face.draw(Image.new("L", (96, 32)), 0, 0, "a", 255)


@pytest.mark.parametrize("sample", reference.sample_alerts(), ids=lambda sample: sample.id)
def test_the_samples_fit_every_matrix_whole_in_three_pages(sample: reference.SampleAlert) -> None:
    check(sample.title)
    for shown in MATRICES:
        layout = lay_out(sample.title, shown)
        assert layout.missing or (layout.whole and len(layout.pages) <= MAX_PAGES)


def test_a_text_too_long_is_refused_with_the_display_that_shows_why() -> None:
    with pytest.raises(SignTooLongError, match="takes 7 lines on a 96x32 screen, which shows 6") as caught:
        check("abcdefghij " * 7)
    assert caught.value.display is SMALLEST
    assert not lay_out("abcdefghij " * 7, SMALLEST).whole
    assert lay_out("abcdefghij " * 70, SMALLEST).pages[-1][-1].endswith("…")


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=160), st.sampled_from(MATRICES), st.sampled_from(Mode))
def test_any_text_is_drawn_within_its_display(text: str, shown: Display, mode: Mode) -> None:
    layout = lay_out(text, shown, mode)
    for lines in layout.pages:
        assert all(layout.face.width(line) <= shown.width or len(line) == 1 for line in lines)
        assert layout.bar + layout.face.height * len(lines) <= shown.height
        grey(layout, lines)


@pytest.mark.parametrize("text", [FLOOD, "Sơ tán", "x" * 160, "Ngập sâu " * 17])
@pytest.mark.parametrize("name", ["lcd1920", "lcd1080x1920"])
def test_a_television_shows_any_headline_on_one_page(text: str, name: str) -> None:
    layout = lay_out(text, display(name))
    (lines,) = layout.pages
    assert layout.whole
    assert all(layout.face.width(line) <= display(name).width * 88 // 100 for line in lines)
    assert layout.pitch * len(lines) <= display(name).height


def test_decomposed_letters_are_drawn_composed() -> None:
    apart = unicodedata.normalize("NFD", FLOOD)
    assert draw(apart, SMALLEST, Severity.MINOR, Mode.ACTUAL) == draw(
        FLOOD, SMALLEST, Severity.MINOR, Mode.ACTUAL
    )


def test_raw_bits_are_rows_of_whole_bytes_leftmost_first() -> None:
    image = Image.new("L", (10, 2))
    image.putpixel((0, 0), 255)
    image.putpixel((9, 1), 255)
    assert bits_of(image).tobytes() == b"\x80\x00\x00\x40"
    body = draw(FLOOD, SMALLEST, Severity.MINOR, Mode.ACTUAL)[0].frame.body
    assert body[:16] == b"HLF1\x00\x60\x00\x20\x01\x01\x00\x00\x00\x00\x00\x00"
    assert len(body) == 16 + 384
    for wrong in (b"", body[:-1], b"XXXX" + body[4:]):
        with pytest.raises(ValueError, match="frame"):
            decode(wrong)


def test_an_artist_draws_once_and_colours_by_severity() -> None:
    artist = Artist()
    first = artist.pages(FLOOD, "m96x32-1", Severity.SEVERE, Mode.ACTUAL)
    assert artist.pages(FLOOD, "m96x32-1", Severity.MINOR, Mode.ACTUAL) is first
    severe = artist.pages(FLOOD, "m96x32-rgb", Severity.SEVERE, Mode.ACTUAL)
    assert severe != artist.pages(FLOOD, "m96x32-rgb", Severity.EXTREME, Mode.ACTUAL)
    assert all(artist.idle(name).lines for name in DISPLAYS)
    assert display("hologram") is SMALLEST
    assert {shown.colours for shown in MATRICES} == {Colours.ONE_BIT, Colours.RGB}
