"""Search as people type it: without accents, in any case, a hyphen for a blank. Pure."""

import re
import unicodedata
from collections import defaultdict
from functools import cache

from schemas.areas import unaccented

_FIRST, _LAST = 0xC0, 0x1EFF
"""Where Unicode has the letters of Vietnamese, ready made."""
_BLANK = "[-[:space:]]+"


@cache
def _letters() -> dict[str, str]:
    """Each plain letter with all that it may stand for, both cases."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for number in range(_FIRST, _LAST + 1):
        letter = chr(number)
        plain = unaccented(letter)
        if len(plain) == 1 and plain.isascii() and plain.isalpha():
            found[plain].append(letter)
    return {plain: plain + plain.upper() + "".join(marked) for plain, marked in found.items()}


def pattern(words: str) -> str:
    """A regular expression of PostgreSQL that finds the words; empty where there are none.

    Classes of letters and no flags, so the database's locale does not matter.
    """
    plain = unaccented(unicodedata.normalize("NFC", words))
    return "".join(_BLANK if letter == " " else _any_of(letter) for letter in plain)


def _any_of(letter: str) -> str:
    if letter in _letters():
        return f"[{_letters()[letter]}]"
    if letter.isascii() and letter.isalpha():
        return f"[{letter}{letter.upper()}]"
    return letter if letter.isalnum() else re.sub(r"(.)", r"\\\1", letter)
