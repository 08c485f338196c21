"""Lines and pages of even length."""

from hypothesis import given
from hypothesis import strategies as st

from channels.led import wrap

FLOOD = "CẢNH BÁO: Mưa lớn, ngập sâu tại phường Phúc Xá"
VIETNAMESE = "aàảãáạăằẳẵắặâầẩẫấậđeèẻẽéẹêềểễếệiìỉĩíịoòỏõóọôồổỗốộơờởỡớợuùủũúụưừửữứựyỳỷỹýỵ"
words = st.text(alphabet=VIETNAMESE + VIETNAMESE.upper() + "bcd.,:", min_size=1, max_size=9)
texts = st.lists(words, max_size=40).map(" ".join)
columns = st.sampled_from([12, 16, 19])


def fewest(text: str, width: int) -> int:
    """Lines filled as full as they go."""
    lines, room = 0, -1
    for word in text.split():
        if len(word) > room:
            lines, room = lines + 1, width
        room -= len(word) + 1
    return lines


def test_no_word_is_left_alone() -> None:
    # Line by line, as full as it goes, "Xá" would stand on a page of its own.
    assert wrap.wrap(FLOOD, 12, len) == ["CẢNH BÁO:", "Mưa lớn,", "ngập sâu", "tại phường", "Phúc Xá"]
    assert wrap.wrap("a b c d", 5, len) == ["a b", "c d"]


@given(texts, columns)
def test_wrapping_keeps_every_word_in_the_fewest_lines(text: str, width: int) -> None:
    lines = wrap.wrap(text, width, len)
    assert " ".join(lines).split() == text.split()
    assert all(0 < len(line) <= width for line in lines)
    assert len(lines) == fewest(text, width)


@given(st.text(max_size=160), columns)
def test_a_cut_keeps_whole_words_from_the_beginning(text: str, width: int) -> None:
    shown = wrap.cut(text, width, len, 6)
    lines = wrap.wrap(shown, width, len)
    assert len(lines) <= 6
    whole = "".join(text.split())
    if len(wrap.wrap(text, width, len)) <= 6:
        assert shown == text
    else:
        assert whole.startswith("".join(lines).removesuffix("…"))


@given(texts, columns)
def test_a_cut_text_could_not_be_longer(text: str, width: int) -> None:
    shown = wrap.cut(text, width, len, 6)
    if shown == text:
        return
    assert shown.endswith("…")
    longer = " ".join(text.split()[: len(shown.split()) + 1]) + "…"
    assert len(wrap.wrap(longer, width, len)) > 6


def test_a_word_wider_than_the_display_is_cut() -> None:
    assert wrap.wrap("x" * 30, 12, len) == ["x" * 12, "x" * 12, "x" * 6]
    assert wrap.cut("x" * 500, 12, len, 6).endswith("…")
    # Wider than the display each: still one to a line, never none.
    assert wrap.wrap("ab", 1, lambda text: 3 * len(text)) == ["a", "b"]


def test_pages_are_evenly_filled() -> None:
    # Six lines: four and two would fit as well.
    assert [len(page) for page in wrap.pages(["x"] * 6, 4)] == [3, 3]
    assert [len(page) for page in wrap.pages(["x"] * 5, 4)] == [3, 2]
    assert wrap.pages([], 4) == []


def test_the_alphabet_above_is_whole() -> None:
    # 12 vowels in 6 tones, and đ.
    assert len(set(VIETNAMESE)) == 12 * 6 + 1
