"""An answer made ready to go out: for each encoding its bytes, its tag, and the heads of 200 and 304."""

import hashlib
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from broadcaster.web.edge import wire
from broadcaster.web.edge.wire import Header
from broadcaster.web.feeds.polls import matches

_WORTH_PACKING = 600
"""Bytes."""
_LEVEL = 8
_PACKED_ALREADY = (b"image/png", b"image/jpeg", b"application/pdf")
_OF_A_BODY = frozenset({b"content-length", b"content-type", b"content-encoding"})


class Form(NamedTuple):
    """An answer in one encoding."""

    etag: bytes
    body: bytes
    whole: list[Header]
    unchanged: list[Header]
    head_whole: bytes
    """The head of a 200 without the empty line that ends it."""
    head_unchanged: bytes
    """The same of a 304."""


@dataclass(frozen=True)
class Copy:
    """An answer of 200, and how long it holds."""

    plain: Form
    packed: Form
    """In gzip where that is worth it, else the plain one."""
    generation: int
    """Of the news that it was made after; -1 where no news end it."""
    since: datetime
    until: datetime

    @property
    def size(self) -> int:
        """Bytes of memory, about."""
        return len(self.plain.body) + len(self.packed.body) + 2_000

    def holds(self, generation: int, now: datetime) -> bool:
        """Whether it may be given out; a clock that was put back ends it too."""
        return self.generation in {-1, generation} and self.since <= now < self.until


class Terms(NamedTuple):
    """How long a copy holds: the news it was made after, and from when to when."""

    generation: int
    since: datetime
    until: datetime


def made(headers: list[Header], body: bytes, terms: Terms) -> Copy:
    """A copy of an answer whose body came as it is, without an encoding."""
    given = {name.lower(): value for name, value in headers}
    tag = given.get(b"etag") or b'"%s"' % hashlib.sha256(body).hexdigest()[:32].encode()
    kept = [(name.lower(), value) for name, value in headers]
    kept = [(name, value) for name, value in kept if name not in {b"etag", b"content-length", b"date"}]
    if len(body) < _WORTH_PACKING or given.get(b"content-type", b"").startswith(_PACKED_ALREADY):
        plain = _form(kept, tag, body)
        return Copy(plain, plain, *terms)
    kept = _vary(kept)
    packer = zlib.compressobj(_LEVEL, wbits=31)
    data = packer.compress(body) + packer.flush()
    # Other bytes have another strong tag (RFC 9110 §8.8.3.3).
    packed = _form([*kept, (b"content-encoding", b"gzip")], tag[:-1] + b'-gz"', data)
    return Copy(_form(kept, tag, body), packed, *terms)


def _form(headers: list[Header], tag: bytes, body: bytes) -> Form:
    unchanged = [(b"etag", tag), *(each for each in headers if each[0] not in _OF_A_BODY)]
    of_body = [each for each in headers if each[0] in _OF_A_BODY]
    whole = [*unchanged, *of_body, (b"content-length", str(len(body)).encode())]
    return Form(tag, body, whole, unchanged, wire.head(200, whole), wire.head(304, unchanged))


def _vary(headers: list[Header]) -> list[Header]:
    said = [value for name, value in headers if name == b"vary"]
    rest = [each for each in headers if each[0] != b"vary"]
    return [*rest, (b"vary", b", ".join([*said, b"Accept-Encoding"]))]


def takes_gzip(accepted: bytes) -> bool:
    """Whether Accept-Encoding names gzip, and not to refuse it (RFC 9110 §12.5.3)."""
    if b"gzip" not in accepted:
        return False
    for part in accepted.split(b","):
        name, _, weight = part.strip().partition(b";")
        if name.strip() == b"gzip":
            return weight.replace(b" ", b"").rstrip(b"0.") != b"q="
    return False


def is_unchanged(form: Form, tags: bytes) -> bool:
    """Whether the reader has it already."""
    return bool(tags) and matches(tags, form.etag)
