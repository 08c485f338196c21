"""A feed as it goes out: in each form its tag, its bytes, and what its answers say before them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from broadcaster.web.edge import wire

JSON = "application/json"


@dataclass(frozen=True)
class Form:
    """A feed in one form as it goes out: its tag, its bytes, and the headers of both answers."""

    etag: bytes
    body: bytes
    media_type: bytes
    sign: Callable[[bytes], str]
    unchanged: list[tuple[bytes, bytes]]

    @cached_property
    def whole(self) -> list[tuple[bytes, bytes]]:
        """The headers of a 200. Signed when first sent: most of the cost of taking a feed in."""
        return [
            *self.unchanged,
            (b"content-type", self.media_type),
            (b"content-length", str(len(self.body)).encode()),
            (b"x-feed-signature", self.sign(self.body).encode()),
        ]

    @cached_property
    def head_whole(self) -> bytes:
        """The head of a 200 as bytes, without the empty line that ends it."""
        return wire.head(200, self.whole)

    @cached_property
    def head_unchanged(self) -> bytes:
        """The same of a 304."""
        return wire.head(304, self.unchanged)


@dataclass(frozen=True)
class Served:
    """A feed in the forms that it was asked for so far, by their suffixes; JSON has none."""

    seq: int
    forms: dict[str, Form]

    @property
    def etag(self) -> bytes:
        """Of the JSON."""
        return self.forms[""].etag

    @property
    def body(self) -> bytes:
        """The JSON."""
        return self.forms[""].body


def form(etag: str, body: bytes, media_type: str, sign: Callable[[bytes], str]) -> Form:
    """A feed made ready to go out; `sign` is asked for the signature over these bytes."""
    tag = etag.encode()
    always = [
        (b"etag", tag),
        (b"cache-control", b"private, no-cache"),
        (b"vary", b"authorization, prefer"),
        (b"x-content-type-options", b"nosniff"),
    ]
    return Form(tag, body, media_type.encode(), sign, always)
