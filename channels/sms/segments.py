"""How a text becomes short messages: alphabet, parts, and what costs more.

GSM-7 is the default alphabet of 3GPP TS 23.038 §6.2.1 with its extension table (§6.2.1.1), UCS-2 is
UTF-16BE as every handset reads it. Concatenation is the 8-bit user data header of TS 23.040 §9.2.3.24.1.
Vietnamese with its marks is never GSM-7, and no national shift table has it: marks more than halve a part.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = {"\f": 10, "^": 20, "{": 40, "}": 41, "\\": 47, "[": 60, "~": 61, "]": 62, "|": 64, "€": 101}
ESCAPE = 27

_CODES = {c: bytes((code,)) for code, c in enumerate(BASIC) if code != ESCAPE} | {
    c: bytes((ESCAPE, code)) for c, code in EXTENSION.items()
}
_EXTENDED = {code: c for c, code in EXTENSION.items()}
# What a reader knows the character by, where Unicode's own decomposition does not say it.
_STAND_INS = {
    odd: usual
    for usual, odds in {
        "d": "đ₫",
        "D": "Đ",
        "o": "°",
        "'": "`\u00b4\u2018\u2019\u201a\u2032",
        '"': "\u00ab\u00bb\u201c\u201d\u201e\u2033",
        "-": "\u00b7\u2010\u2011\u2012\u2013\u2014\u2015\u2022\u2212\u25aa\u25cf",
        "x": "\u00d7",
        "/": "\u00f7\u2044",
        "->": "→⇒",
        "<-": "←",
        ">=": "≥",
        "<=": "≤",
        "~": "≈",
        "+/-": "±",
        " 1/4": "¼",
        " 1/2": "½",
        " 3/4": "¾",
    }.items()
    for odd in odds
}

_HEADER = b"\x05\x00\x03"  # six octets with the reference, the total and the number that follow it
_HEADER_SIZE = 6
_MOST_PARTS = 255


class Encoding(StrEnum):
    """The alphabet of a message; one for all its parts."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"

    @property
    def whole(self) -> int:
        """Units that fit one message alone: septets, or UTF-16 units."""
        return 160 if self is Encoding.GSM7 else 70

    @property
    def each(self) -> int:
        """Units that fit each part of several, beside the header."""
        return 153 if self is Encoding.GSM7 else 67

    @property
    def data_coding(self) -> int:
        """SMPP 3.4 §5.2.19: 0 is the SMSC's default alphabet, 8 is UCS-2."""
        return 0 if self is Encoding.GSM7 else 8


class Segments(NamedTuple):
    """What a text costs: `units` of its alphabet, in `parts` messages."""

    encoding: Encoding
    units: int
    parts: int


class Part(NamedTuple):
    """A part that arrived: number 1..total of the message with this reference (0 where it stands alone)."""

    reference: int
    total: int
    number: int
    body: bytes


def encoding_of(text: str) -> Encoding:
    """GSM-7 where every character is in it, UCS-2 otherwise."""
    return Encoding.GSM7 if all(c in _CODES for c in text) else Encoding.UCS2


def units(text: str) -> int:
    """The text's length in units of its own alphabet; an extension character is two septets."""
    if encoding_of(text) is Encoding.GSM7:
        return len(text) + sum(c in EXTENSION for c in text)
    return len(text) + sum(c > "\uffff" for c in text)


def count(text: str) -> Segments:
    """What the text would cost, as it stands: put it in NFC first, for NFD doubles its marks."""
    encoding, bodies = _bodies(text)
    return Segments(encoding, units(text), len(bodies))


def split(text: str, reference: int = 0) -> list[bytes]:
    """The user data of each part, ready to send: with a header where there are several.

    One octet a septet for GSM-7, as SMPP carries it. `reference` (0..255) is what a phone joins the
    parts by. Raises ValueError for more than 255 parts or a lone surrogate.
    """
    _, bodies = _bodies(text)
    total = len(bodies)
    if total == 1:
        return bodies
    if total > _MOST_PARTS:
        raise ValueError(f"text: {total} parts, {_MOST_PARTS} is the most that can be joined")
    return [
        _HEADER + bytes((reference, total, number)) + body for number, body in enumerate(bodies, start=1)
    ]


def part_of(data: bytes, *, has_header: bool) -> Part:
    """The place and body of a part's user data. Raises ValueError where its header is not the 8-bit one."""
    if not has_header:
        return Part(0, 1, 1, data)
    if len(data) < _HEADER_SIZE or not data.startswith(_HEADER):
        raise ValueError("user data header: only 8-bit concatenation is read")
    reference, total, number = data[3:_HEADER_SIZE]
    if not 1 <= number <= total:
        raise ValueError(f"user data header: part {number} of {total}")
    return Part(reference, total, number, data[_HEADER_SIZE:])


def join(bodies: Sequence[bytes], encoding: Encoding) -> str:
    """The text of a message's bodies in order. Raises ValueError for octets outside the alphabet."""
    data = b"".join(bodies)
    return data.decode("utf-16-be") if encoding is Encoding.UCS2 else "".join(_characters(data))


def costly(text: str) -> tuple[str, ...]:
    """The characters that force UCS-2, each once, in order of appearance."""
    return tuple(dict.fromkeys(c for c in text if c not in _CODES))


def plain(text: str) -> str:
    """The text without its marks, as people write Vietnamese on a phone: always GSM-7, for any text.

    Punctuation of print becomes that of a keyboard, pictures are left out, and what has no
    likeness becomes a question mark.
    """
    return "".join(map(_plain, unicodedata.normalize("NFC", text)))


def unwritable(text: str) -> tuple[str, ...]:
    """The characters that `plain` cannot even come near to: the letters of other scripts. Each once."""
    return tuple(c for c in costly(text) if "?" in _plain(c))


@lru_cache(maxsize=4096)
def _plain(c: str) -> str:
    # Letters lose their marks even where GSM-7 has them (à, é): half-accented words mislead.
    bare = (d for d in unicodedata.normalize("NFKD", _STAND_INS.get(c, c)) if not unicodedata.combining(d))
    return "".join(d if d in _CODES else _STAND_INS.get(d) or _likeness(d) for d in bare)


def _likeness(c: str) -> str:
    category = unicodedata.category(c)
    if category[0] == "Z" or category == "Cc":
        return " "
    return "" if category[0] == "M" or category in {"Cf", "So", "Sk"} else "?"


def _bodies(text: str) -> tuple[Encoding, list[bytes]]:
    encoding = encoding_of(text)
    whole = [_encode(c, encoding) for c in text]
    width = 1 if encoding is Encoding.GSM7 else 2
    if sum(map(len, whole)) <= encoding.whole * width:
        return encoding, [b"".join(whole)]
    bodies = [bytearray()]
    for octets in whole:
        # A character's octets go together, so no pair (escape or surrogate) is ever cut.
        if len(bodies[-1]) + len(octets) > encoding.each * width:
            bodies.append(bytearray())
        bodies[-1] += octets
    return encoding, [bytes(body) for body in bodies]


def _encode(c: str, encoding: Encoding) -> bytes:
    return _CODES[c] if encoding is Encoding.GSM7 else c.encode("utf-16-be")


def _characters(septets: bytes) -> Iterator[str]:
    escaped = False
    for code in septets:
        if escaped:
            # TS 23.038 §6.2.1.1: what the table lacks is shown as in the basic one.
            yield _EXTENDED.get(code) or _basic(code)
            escaped = False
        elif code == ESCAPE:
            escaped = True
        else:
            yield _basic(code)


def _basic(code: int) -> str:
    if code >= len(BASIC):
        raise ValueError(f"octet {code:#04x} is no septet")
    return BASIC[code]
