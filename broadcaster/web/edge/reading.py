"""The side of a connection that reads: heads, within their limits, made into requests."""

from typing import Protocol

import httptools

from broadcaster.web.edge.answers import Refused
from broadcaster.web.edge.limits import Limits
from broadcaster.web.edge.request import Request

_ROOM = 4
"""Times the limit of a head that may come in before it is whole, for requests that follow each other."""


class Owner(Protocol):
    """Whose requests are read."""

    @property
    def is_over(self) -> bool:
        """Whether nothing that comes matters any more."""
        ...

    def begins(self) -> None:
        """The first byte of a request is there."""
        ...

    def asked(self, request: Request) -> None:
        """A request is whole."""
        ...

    def refuse(self, refused: Refused) -> None:
        """What comes is no request."""
        ...


class Reader:
    """One connection's parser."""

    __slots__ = (
        "_authorization",
        "_bodied",
        "_count",
        "_limits",
        "_owner",
        "_parser",
        "_prefer",
        "_size",
        "_state",
        "_tags",
        "_target",
        "raw",
        "whole",
    )

    def __init__(self, owner: Owner, limits: Limits) -> None:
        self._owner, self._limits = owner, limits
        self._parser = httptools.HttpRequestParser(self)
        self.raw = 0
        """Bytes that came of a head so far, at least; 0 before the first of a connection."""
        self.whole = 0
        """Requests that have become whole; who wants to know how many sets it to 0 before."""
        self._clear()

    def feed(self, data: bytes, *, within: bool) -> None:
        """Reads these bytes; `within` says that a head has begun. Raises httptools' errors."""
        if within:
            # The parser keeps a header that does not end, so what it is given is bounded too.
            self.raw += len(data)
            if self.raw > _ROOM * self._limits.head_bytes:
                self._owner.refuse(Refused("request.head", reason="head_too_large"))
                return
        self._parser.feed_data(data)

    def _clear(self) -> None:
        self._target, self._authorization = b"", ""
        self._tags = self._prefer = self._state = b""
        self._count = self._size = 0
        self._bodied = False

    # --- what the parser calls --------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A request begins."""
        self._clear()
        self._owner.begins()

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        self._target += url
        self._grow(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, whole."""
        self._count += 1
        self._grow(len(name) + len(value) + 4)
        name = name.lower()
        if name == b"authorization":
            self._authorization = value.decode("latin-1")
        elif name == b"if-none-match":
            self._tags = value if not self._tags else self._tags + b"," + value
        elif name == b"prefer":
            self._prefer = value if not self._prefer else self._prefer + b"," + value
        elif name == b"x-screen-state":
            self._state = value
        elif name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0 ")):
            self._bodied = True

    def on_headers_complete(self) -> None:
        """The head is whole. Its body, if it has one, is not read: nothing here takes any."""
        if self._bodied and not self._owner.is_over:
            kind = "request.too-large" if self._parser.get_method() in {b"GET", b"HEAD"} else "method"
            self._owner.refuse(Refused(kind, reason="body"))

    def on_message_complete(self) -> None:
        """A request is whole."""
        if self._owner.is_over:
            return
        self.whole += 1
        self._owner.asked(
            Request(
                self._parser.get_method().decode("latin-1"),
                self._target,
                self._authorization,
                self._tags,
                self._prefer,
                self._state,
                self._parser.should_keep_alive(),
            )
        )

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._limits.head_bytes or self._count > self._limits.headers:
            self._owner.refuse(Refused("request.head", reason="head_too_large"))
