"""The web role's connections: uvicorn's, with bounds of heads in bytes, lines and seconds."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from broadcaster.web.edge.answers import Refused
from broadcaster.web.feeds.front import Front

HEAD_BYTES = 16_384
"""Request line and headers together; cookies and a sign-in by the city's provider need some 4 kB."""
HEADERS = 100
HEAD_SECONDS = 10.0
"""From the first byte of a request to the end of its head, and from connecting to the first byte."""
LINGER = 2.0
"""Seconds that are still read after a refusal: to close at once would reset it before it is read."""
_ROOM = 4
"""Times the limit of a head that may come in before it is whole, for requests that follow each other."""


class BoundedProtocol(HttpToolsProtocol):
    """One client's connection to a Front. A head becomes a scope only once it is whole."""

    head_bytes, headers_most, head_seconds = HEAD_BYTES, HEADERS, HEAD_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.front = cast("Front", self.config.app)
        self._in_head, self._over, self._asked = False, False, False
        self._raw = self._size = 0
        self._slow_timer: asyncio.TimerHandle | None = None

    # --- the transport ----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        super().connection_made(transport)
        self._slow_timer = self.loop.call_later(self.head_seconds, self._slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, or we have closed."""
        self._over = True
        self._hurried()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request, or of several."""
        if self._over:
            return
        super().data_received(data)
        if self._in_head and not self._over:
            self._raw += len(data)
            if self._raw > _ROOM * self.head_bytes:
                # The parser keeps a header that does not end.
                self._refuse("request.head", "head_too_large")
            elif self._slow_timer is None:
                self._slow_timer = self.loop.call_later(self.head_seconds, self._slow)

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP."""
        if not self._over:
            self.front.desk.refused["malformed"] += 1
            self._over = True
            super().send_400_response(msg)

    # --- the parser -------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A request begins; its scope is made when its head is whole, if it needs one."""
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._in_head, self._asked, self._raw, self._size = True, True, 0, 0

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        self.url += url
        self._grow(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, whole."""
        super().on_header(name, value)
        self._grow(len(name) + len(value) + 4)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._hurried()
        if not self._over:
            self.head_whole()

    def head_whole(self) -> None:
        """The head is whole, and within its bounds."""
        self.to_asgi()

    def to_asgi(self) -> None:
        """Makes a scope of the head, and a task that answers it."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        if not self._over:
            super().on_body(body)

    def is_answering(self) -> bool:
        """Whether a request is with the framework."""
        cycle: Any = self.cycle  # None before the first request, whatever its type says.
        return bool(self.pipeline) or not (cycle is None or cycle.response_complete)

    # --- refusals ---------------------------------------------------------------------------------

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self.head_bytes or len(self.headers) > self.headers_most:
            self._refuse("request.head", "head_too_large")

    def _hurried(self) -> None:
        if self._slow_timer is not None:
            self._slow_timer.cancel()
            self._slow_timer = None

    def _slow(self) -> None:
        self._slow_timer = None
        if self._over or self.transport.is_closing():
            return
        if self._asked:
            self._refuse("request.slow", "slow_head")
        else:
            self.transport.close()  # It never asked for anything.

    def _refuse(self, kind: str, reason: str) -> None:
        """An answer to what is no request; the connection is over."""
        if self._over:
            return
        self._over = True
        self._hurried()
        self._unset_keepalive_if_required()
        reply = self.front.desk.refuse(Refused(kind, reason=reason))
        if self.is_answering():
            self.transport.close()  # Another answer is on its way: this one cannot overtake it.
            return
        self.transport.write(reply.head + b"connection: close\r\n\r\n" + reply.body)
        self.transport.write_eof()
        self.loop.call_later(LINGER, self.transport.close)
