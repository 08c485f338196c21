"""Text for signs: unaccented, wrapped, cut."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.feeds.profiles import PROFILES, SMALLEST, Profile, profile
from projections.feeds.text import MAX_PAGES, fits, paginate, unaccented_text, wrap

SIGN = PROFILES["m96x32-1"]
FLOOD = "CẢNH BÁO: Mưa lớn, ngập sâu tại phường Phúc Xá"

VIETNAMESE = "aàảãáạăằẳẵắặâầẩẫấậđeèẻẽéẹêềểễếệiìỉĩíịoòỏõóọôồổỗốộơờởỡớợuùủũúụưừửữứựyỳỷỹýỵ"
words = st.text(alphabet=VIETNAMESE + VIETNAMESE.upper() + "bcd.,:", min_size=1, max_size=9)
texts = st.lists(words, max_size=40).map(" ".join)
displays = st.sampled_from(list(PROFILES.values()))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (FLOOD, "CANH BAO: Mua lon, ngap sau tai phuong Phuc Xa"),
        ("Đường Đê La Thành đóng", "Duong De La Thanh dong"),
        ("35°C \N{EN DASH} nắng “gay gắt” ½ ngày…", '35C - nang "gay gat" 1/2 ngay...'),
        (unicodedata.normalize("NFD", "Ngập sâu"), "Ngap sau"),
        ("Sơ tán 🌊 ngay", "So tan ngay"),
    ],
)
def test_accents_go_and_case_stays(text: str, plain: str) -> None:
    assert unaccented_text(text) == plain


def test_every_vietnamese_letter_has_a_plain_one() -> None:
    plain = unaccented_text(VIETNAMESE)
    assert len(plain) == len(VIETNAMESE)
    assert set(plain) == set("adeiouy")
    assert unaccented_text(VIETNAMESE.upper()) == plain.upper()


@given(st.text())
def test_plain_text_is_ascii(text: str) -> None:
    assert unaccented_text(text).isascii()


def test_no_word_is_left_alone() -> None:
    # Line by line, as full as it goes, "Xá" would stand on a page of its own.
    assert wrap(FLOOD, 12) == ["CẢNH BÁO:", "Mưa lớn,", "ngập sâu", "tại phường", "Phúc Xá"]
    assert wrap("a b c d", 5) == ["a b", "c d"]


def fewest(text: str, columns: int) -> int:
    """Lines filled as full as they go."""
    lines, room = 0, -1
    for word in text.split():
        if len(word) > room:
            lines, room = lines + 1, columns
        room -= len(word) + 1
    return lines


@given(texts, displays)
def test_wrapping_keeps_every_word_in_the_fewest_lines(text: str, display: Profile) -> None:
    lines = wrap(text, display.columns)
    assert " ".join(lines).split() == text.split()
    assert all(0 < len(line) <= display.columns for line in lines)
    assert len(lines) == fewest(text, display.columns)


@given(st.text(max_size=160), displays)
def test_pages_fit_the_display(text: str, display: Profile) -> None:
    pages = paginate(text, display)
    assert len(pages) <= MAX_PAGES
    assert all(0 < len(page) <= display.lines for page in pages)
    assert all(0 < len(line) <= display.columns for page in pages for line in page)
    shown = "".join("".join(line.split()) for page in pages for line in page)
    whole = "".join(text.split())
    assert shown == whole if fits(text, display) else whole.startswith(shown.removesuffix("…"))


@given(texts, displays)
def test_a_cut_text_could_not_be_longer(text: str, display: Profile) -> None:
    if fits(text, display):
        return
    lines = [line for page in paginate(text, display) for line in page]
    shown = " ".join(lines)
    assert shown.endswith("…")
    kept = len(shown.split())
    assert not fits(" ".join(text.split()[: kept + 1]) + "…", display)


def test_a_word_longer_than_the_display_is_cut() -> None:
    assert wrap("x" * 30, 12) == ["x" * 12, "x" * 12, "x" * 6]
    assert paginate("x" * 500, SIGN)[-1][-1].endswith("…")


def test_pages_are_evenly_filled() -> None:
    # Six lines: four and two would fit as well.
    assert [len(page) for page in paginate("abcdefghij " * 6, Profile(10, 4))] == [3, 3]
    assert [len(page) for page in paginate("abcdefghij " * 5, Profile(10, 4))] == [3, 2]
    assert paginate("", SIGN) == []


def test_an_unknown_profile_gets_pages_that_fit_any() -> None:
    assert profile("hologram") == SMALLEST
    assert all(SMALLEST.columns <= p.columns and SMALLEST.lines <= p.lines for p in PROFILES.values())


def test_the_alphabet_above_is_whole() -> None:
    # 12 vowels in 6 tones, and đ.
    assert len(set(VIETNAMESE)) == 12 * 6 + 1
    assert not set(VIETNAMESE) & set(string.punctuation)
