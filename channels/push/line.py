"""One HTTP/2 connection: requests out, answers in, and what is certain where no answer comes."""

import asyncio
from collections.abc import Callable
from itertools import takewhile
from time import monotonic
from typing import cast

from hpack import HPACKError

from channels.push.frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    FIRST_WINDOW,
    LAST_STREAM,
    PREFACE,
    Code,
    Frame,
    FrameReader,
    Http2Error,
    Kind,
    Setting,
    frame,
    goaway_in,
    number,
    settings,
    settings_in,
    unpadded,
)
from channels.push.headers import OK, HeaderBlocks
from channels.push.request import Handback, Loss, Reply, Request

STREAMS = 100
"""Requests at a time before the peer has said its own limit, and the most we use."""
PATIENCE = 5.0
"""Seconds of silence, while answers are awaited, until the peer is asked for a sign of life; and again
until it is given up."""
TICK = 0.25
LARGEST_BODY = 8192
"""Bytes; FCM takes 4096 and an address."""


class Line(asyncio.Protocol):
    """The client's end of one connection.

    `freed` is called when it can take requests again, `handed_back` with those the peer certainly did
    not look at. The first stream's number is an argument so that running out of them can be tried.
    """

    def __init__(
        self, timeout: float, freed: Callable[[], None], handed_back: Handback, first_stream: int = 1
    ) -> None:
        self._timeout, self._freed, self._handed_back = timeout, freed, handed_back
        self._next = first_stream
        self._streams: dict[int, Request] = {}
        self._reader = FrameReader()
        self._blocks = HeaderBlocks()
        self._unfinished: tuple[int, int, bytes] | None = None
        self._limit = 0
        self._stream_window = self._window = FIRST_WINDOW
        self._received = 0
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._heard = self.idle_since = monotonic()
        self._pinged = False
        self.ready = asyncio.get_running_loop().create_future()
        """Done when the peer has said its settings. Its exception, where there is one: OSError."""
        self._gone = asyncio.Event()
        self.draining = False
        """It takes no more requests and ends with the last answer."""
        self.closed = False

    # --- out ---------------------------------------------------------------------------------------

    @property
    def free(self) -> int:
        """How many more requests it takes now."""
        return 0 if self.draining or self.closed else self._limit - len(self._streams)

    @property
    def busy(self) -> int:
        """Requests without an answer."""
        return len(self._streams)

    def takes(self, size: int) -> bool:
        """Whether a body of so many bytes may go now."""
        return self.free > 0 and size <= self._window

    def start(self, request: Request, now: float) -> None:
        """Sends it with the next `flush`. Only where `takes` says so."""
        stream, body = self._next, request.body
        self._next += 2
        if self._next > LAST_STREAM:
            self.draining = True
        self._window -= len(body)
        request.deadline, request.status, request.wish, request.data = now + self._timeout, 0, None, b""
        self._streams[stream] = request
        self._out.append(
            frame(Kind.HEADERS, END_HEADERS, stream, self._blocks.encoded(request.headers))
            + frame(Kind.DATA, END_STREAM, stream, body)
        )

    def flush(self) -> None:
        """Writes what was started."""
        if self._out and self._transport:
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def close(self) -> None:
        """Hangs up; what has no answer is lost."""
        if self._transport:
            self._transport.abort()

    async def hang_up(self) -> None:
        """Closes, and waits until the socket is given back."""
        self.close()
        if self._transport:
            await self._gone.wait()
        if self.ready.done():
            self.ready.exception()

    # --- in ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greets the peer."""
        # uvloop's has the methods, not the class.
        self._transport = cast("asyncio.Transport", transport)
        if transport.get_extra_info("ssl_object").selected_alpn_protocol() != "h2":
            self._fail("the peer does not speak HTTP/2")
            return
        ours = {Setting.HEADER_TABLE_SIZE: 0, Setting.ENABLE_PUSH: 0}
        room = frame(Kind.WINDOW_UPDATE, 0, 0, number(LAST_STREAM - FIRST_WINDOW))
        self._transport.write(PREFACE + settings(ours) + room)
        self._ticker = asyncio.get_running_loop().call_later(TICK, self._tick)

    def data_received(self, data: bytes) -> None:
        """Takes what the peer says."""
        self._heard, self._pinged = monotonic(), False
        try:
            for found in self._reader.feed(data):
                self._take(found)
        except (Http2Error, HPACKError) as error:
            self._fail(str(error))
            return
        self.flush()
        if not self._streams:
            self.idle_since = self._heard
            if self.draining:
                self.close()
        self._freed()

    def _take(self, found: Frame) -> None:
        kind, flags, stream, payload = found
        if self._unfinished and kind != Kind.CONTINUATION:
            raise Http2Error("a header is broken off")
        if kind == Kind.HEADERS:
            self._take_headers(stream, flags, unpadded(found))
        elif kind == Kind.DATA:
            self._take_data(found)
        elif kind == Kind.CONTINUATION:
            self._take_more_headers(found)
        elif kind == Kind.RST_STREAM:
            self._take_reset(stream, int.from_bytes(payload))
        elif stream == 0:
            self._take_control(kind, flags, payload)

    def _take_control(self, kind: int, flags: int, payload: bytes) -> None:
        """What concerns the whole connection."""
        if kind == Kind.WINDOW_UPDATE:
            self._window += int.from_bytes(payload)
        elif kind == Kind.SETTINGS and not flags & ACK:
            self._take_settings(settings_in(payload))
        elif kind == Kind.PING and not flags & ACK:
            self._out.append(frame(Kind.PING, ACK, 0, payload))
        elif kind == Kind.GOAWAY:
            self._take_goaway(*goaway_in(payload))

    def _take_headers(self, stream: int, flags: int, block: bytes) -> None:
        if not flags & END_HEADERS:
            self._unfinished = (stream, flags, block)
            return
        request = self._streams.get(stream)
        if request is None:
            return
        if block[:1] == OK:
            request.status = 200
        elif not request.status:
            request.status, request.wish = self._blocks.decoded(block)
        if flags & END_STREAM:
            self._answer(stream, request)

    def _take_more_headers(self, found: Frame) -> None:
        if not self._unfinished or self._unfinished[0] != found.stream:
            raise Http2Error("a header goes on that never began")
        stream, flags, block = self._unfinished
        self._unfinished = None
        self._take_headers(stream, flags | found.flags & END_HEADERS, block + found.payload)

    def _take_data(self, found: Frame) -> None:
        self._received += len(found.payload)
        if self._received > LAST_STREAM // 2:
            self._out.append(frame(Kind.WINDOW_UPDATE, 0, 0, number(self._received)))
            self._received = 0
        request = self._streams.get(found.stream)
        if request is not None:
            request.data += unpadded(found)
            if found.flags & END_STREAM:
                self._answer(found.stream, request)

    def _take_settings(self, values: dict[int, int]) -> None:
        self._limit = min(STREAMS, values.get(Setting.MAX_CONCURRENT_STREAMS, self._limit or STREAMS))
        if Setting.HEADER_TABLE_SIZE in values:
            self._blocks.resize(values[Setting.HEADER_TABLE_SIZE])
        self._stream_window = values.get(Setting.INITIAL_WINDOW_SIZE, self._stream_window)
        if self._stream_window < LARGEST_BODY:
            raise Http2Error(f"a window of {self._stream_window} bytes has no room for a message")
        self._out.append(frame(Kind.SETTINGS, ACK, 0))
        if not self.ready.done():
            self.ready.set_result(None)

    def _answer(self, stream: int, request: Request) -> None:
        del self._streams[stream]
        request.order.answered(request.place, Reply(request.status, request.wish, request.data))

    # --- trouble -----------------------------------------------------------------------------------

    def _take_reset(self, stream: int, code: int) -> None:
        request = self._streams.pop(stream, None)
        if request is None:
            return
        if code == Code.REFUSED_STREAM:
            # RFC 9113 §8.7: it was not looked at.
            request.refused += 1
            self._handed_back([request])
        else:
            request.order.answered(request.place, Loss("STREAM_RESET", ambiguous=True))

    def _take_goaway(self, last: int, _code: int) -> None:
        """What is above `last` was not looked at (RFC 9113 §6.8); the rest may still be answered."""
        self.draining = True
        unread = [self._streams.pop(stream) for stream in list(self._streams) if stream > last]
        for request in unread:
            request.left_over += 1
        self._handed_back(unread)

    def _tick(self) -> None:
        now = monotonic()
        # Streams begin in order and have the same time: the first that is not late ends the search.
        late = list(takewhile(lambda stream: self._streams[stream].deadline <= now, self._streams))
        for stream in late:
            self._out.append(frame(Kind.RST_STREAM, 0, stream, number(Code.CANCEL)))
            request = self._streams.pop(stream)
            request.order.answered(request.place, Loss("DEADLINE_EXCEEDED", ambiguous=True))
        if self._streams and now - self._heard > PATIENCE:
            if self._pinged and now - self._heard > 2 * PATIENCE:
                self._fail("no sign of life")
                return
            if not self._pinged:
                self._pinged = True
                self._out.append(frame(Kind.PING, 0, 0, bytes(8)))
        self.flush()
        if late:
            self._freed()
        self._ticker = asyncio.get_running_loop().call_later(TICK, self._tick)

    def _fail(self, why: str) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(why))
        self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """What was sent and has no answer may have been read."""
        self.closed = True
        self._gone.set()
        if self._ticker:
            self._ticker.cancel()
        if not self.ready.done():
            self.ready.set_exception(exc if isinstance(exc, OSError) else ConnectionError("closed"))
        streams, self._streams = self._streams, {}
        for request in streams.values():
            request.order.answered(request.place, Loss("CONNECTION_LOST", ambiguous=True))
        self._freed()
