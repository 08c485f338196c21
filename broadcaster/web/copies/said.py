"""What a passer-by's request says beside its address, and which copy that comes to."""

from collections.abc import Sequence
from typing import NamedTuple

from broadcaster.web.copies.address import Ask, language_of

Key = tuple[str, str, str]
"""The path, what counts of the query, and the language."""


class Said(NamedTuple):
    """What a request's headers say, as far as it counts here."""

    cookies: bytes = b""
    encodings: bytes = b""
    tags: bytes = b""
    accept: bytes = b""
    is_plain: bool = True
    """Whether it shows no key, which would have to be looked at."""


def said_in(headers: Sequence[tuple[bytes, bytes]]) -> Said:
    """What these headers say."""
    cookies = encodings = tags = accept = b""
    is_plain = True
    for name, value in headers:
        if name == b"cookie":
            cookies = value if not cookies else cookies + b";" + value
        elif name == b"accept-encoding":
            encodings = value if not encodings else encodings + b"," + value
        elif name == b"if-none-match":
            tags = value if not tags else tags + b"," + value
        elif name == b"accept":
            accept = value
        elif name in {b"authorization", b"range"}:
            is_plain = False
    return Said(cookies, encodings, tags, accept, is_plain)


def key_of(ask: Ask, said: Said) -> Key:
    """Under which its copy is kept."""
    lang = ask.lang or (language_of(said.cookies) or "vi" if ask.kind.in_languages else "")
    return ask.path, ask.query, lang
