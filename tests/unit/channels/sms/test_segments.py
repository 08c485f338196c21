import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.segments import (
    BASIC,
    EXTENSION,
    Encoding,
    costly,
    count,
    encoding_of,
    join,
    part_of,
    plain,
    split,
    units,
)

VOWELS = "aăâeêioôơuưy"
TONES = ["", *"\u0300\u0301\u0303\u0309\u0323"]
LETTERS = [unicodedata.normalize("NFC", vowel + tone) for vowel in VOWELS for tone in TONES] + ["đ"]
VIETNAMESE = "".join({form for letter in LETTERS for form in (letter, letter.upper())})
PUNCTUATION = " \n.,;:!?()[]%/+-\u2013\u2014…“”\u2018\u2019\u00a0°²•"


def _repeated(text: str, times: int) -> str:
    return text * times


# Longer than a part or two, without the time it takes to draw as many characters one by one.
vietnamese = st.text(VIETNAMESE + PUNCTUATION + string.ascii_letters + string.digits, max_size=60)
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
gsm = st.text(BASIC.replace("\x1b", "") + "".join(EXTENSION), max_size=60)
texts = st.builds(_repeated, st.one_of(vietnamese, anything, gsm), st.integers(1, 12))


def bodies(text: str) -> list[bytes]:
    parts = split(text, 7)
    return [part_of(part, has_header=len(parts) > 1).body for part in parts]


@given(vietnamese)
def test_plain_vietnamese_is_gsm7_without_a_mark_or_a_loss(text: str) -> None:
    bare = plain(text)
    assert encoding_of(bare) is Encoding.GSM7
    assert bare.isascii()
    assert "?" not in bare.replace("?", "", text.count("?"))
    assert plain(unicodedata.normalize("NFD", text)) == bare


@given(anything)
def test_plain_of_anything_is_gsm7(text: str) -> None:
    assert encoding_of(plain(text)) is Encoding.GSM7
    assert plain(plain(text)) == plain(text)


def test_plain_reads_well() -> None:
    assert plain("Bão số 3 \u2013 “khẩn cấp” … Đường Láng: 38°C, 50 m², 1½ ngày, ≥100\u00a0mm ⚠️") == (
        'Bao so 3 - "khan cap" ... Duong Lang: 38oC, 50 m2, 1 1/2 ngay, >=100 mm '
    )
    assert plain("đĐ ₫ `ô`") == "dD d 'o'"
    assert plain("水") == "?"


@given(texts)
def test_joined_parts_are_the_text(text: str) -> None:
    assert join(bodies(text), encoding_of(text)) == text


@given(texts)
def test_every_part_is_within_its_limit_and_whole_by_itself(text: str) -> None:
    encoding = encoding_of(text)
    octets = 1 if encoding is Encoding.GSM7 else 2
    parts = split(text)
    limit = encoding.whole if len(parts) == 1 else encoding.each
    # A pair cut in two could not be read alone; what was read alone adds up to the text.
    alone = [join([body], encoding) for body in bodies(text)]
    assert all(len(body) <= limit * octets for body in bodies(text))
    assert all(len(part) <= 140 or encoding is Encoding.GSM7 for part in parts)
    assert "".join(alone) == text


@given(texts)
def test_count_is_what_split_makes(text: str) -> None:
    segments = count(text)
    assert segments.parts == len(split(text))
    assert segments.units == sum(map(len, bodies(text))) // (1 if segments.encoding is Encoding.GSM7 else 2)
    assert segments.units == units(text)


@given(texts)
def test_costly_characters_are_those_that_force_ucs2(text: str) -> None:
    dear = costly(text)
    assert bool(dear) == (encoding_of(text) is Encoding.UCS2)
    assert len(set(dear)) == len(dear)
    assert encoding_of("".join(c for c in text if c not in dear)) is Encoding.GSM7


@pytest.mark.parametrize(
    ("text", "encoding", "length", "parts"),
    [
        ("", Encoding.GSM7, 0, 1),
        ("a" * 160, Encoding.GSM7, 160, 1),
        ("a" * 161, Encoding.GSM7, 161, 2),
        ("a" * 306, Encoding.GSM7, 306, 2),
        ("a" * 307, Encoding.GSM7, 307, 3),
        ("€" * 80, Encoding.GSM7, 160, 1),
        # 153 is odd: an escape pair that would straddle the end begins the next part.
        ("€" * 153, Encoding.GSM7, 306, 3),
        ("ế" * 70, Encoding.UCS2, 70, 1),
        ("ế" * 71, Encoding.UCS2, 71, 2),
        ("ế" * 134, Encoding.UCS2, 134, 2),
        ("ế" * 135, Encoding.UCS2, 135, 3),
        ("🌊" * 35, Encoding.UCS2, 70, 1),
        ("🌊" * 67, Encoding.UCS2, 134, 3),
    ],
)
def test_prices(text: str, encoding: Encoding, length: int, parts: int) -> None:
    assert count(text) == (encoding, length, parts)


def test_octets_of_the_default_alphabet() -> None:
    # 3GPP TS 23.038 §6.2.1: a row of it, and where it differs from ASCII.
    assert split("@£$_ AZaz09") == [b"\x00\x01\x02\x11 AZaz09"]
    assert split("[€]^") == [b"\x1b\x3c\x1b\x65\x1b\x3e\x1b\x14"]
    assert join([b"\x1b\x41"], Encoding.GSM7) == "A"


def test_parts_carry_the_header() -> None:
    first, second = split("a" * 161, 200)
    assert first[:6] == b"\x05\x00\x03\xc8\x02\x01"
    assert second == b"\x05\x00\x03\xc8\x02\x02" + b"a" * 8
    assert part_of(second, has_header=True) == (200, 2, 2, b"a" * 8)


@pytest.mark.parametrize(
    "data", [b"", b"\x05\x00", b"\x06\x08\x04\x00\x01\x02\x01a", b"\x05\x00\x03\x01\x02\x03a"]
)
def test_other_headers_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="user data header"):
        part_of(data, has_header=True)


def test_what_cannot_be_sent_is_an_error() -> None:
    with pytest.raises(ValueError, match="255"):
        split("a" * 153 * 256)
    with pytest.raises(ValueError, match="surrogates"):
        split("\ud800")
    with pytest.raises(ValueError, match="septet"):
        join([b"\x80"], Encoding.GSM7)
