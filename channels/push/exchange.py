"""HTTP/2 without a socket: requests become frames, frames become answers (RFC 9113)."""

from itertools import takewhile

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
    framed,
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
LARGEST_BODY = 8192
"""Bytes; FCM takes 4096 and an address."""
GREETING = (
    PREFACE
    + settings({Setting.HEADER_TABLE_SIZE: 0, Setting.ENABLE_PUSH: 0})
    + frame(Kind.WINDOW_UPDATE, 0, 0, number(LAST_STREAM - FIRST_WINDOW))
)
"""What a client says first."""


class Exchange:
    """The client's side of one connection's requests and answers. Frames to send gather in `out`.

    `handed_back` is called with the requests that the peer certainly did not look at. The first
    stream's number is an argument so that running out of them can be tried.
    """

    def __init__(self, handed_back: Handback, first_stream: int = 1) -> None:
        self._handed_back = handed_back
        self._next = first_stream
        self._streams: dict[int, Request] = {}
        self._reader = FrameReader()
        self._blocks = HeaderBlocks()
        self._unfinished: tuple[int, int, bytes] | None = None
        self._limit = 0
        self._stream_window = self._window = FIRST_WINDOW
        self._received = 0
        self.out: list[bytes] = []
        self.greeted = False
        """The peer has said its settings."""
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

    def start(self, request: Request, deadline: float) -> None:
        """Makes frames of it. Only where `takes` says so."""
        stream, body = self._next, request.body
        self._next += 2
        if self._next > LAST_STREAM:
            self.draining = True
        self._window -= len(body)
        request.deadline, request.status, request.wish, request.data = deadline, 0, None, b""
        self._streams[stream] = request
        self.out.append(framed(stream, self._blocks.encoded(request.headers), body))

    def give_up_late(self, now: float) -> bool:
        """Cancels those whose deadline is past; whether there were any."""
        # Streams begin in order and have the same time: the first that is not late ends the search.
        late = list(takewhile(lambda stream: self._streams[stream].deadline <= now, self._streams))
        for stream in late:
            self.out.append(frame(Kind.RST_STREAM, 0, stream, number(Code.CANCEL)))
            request = self._streams.pop(stream)
            request.order.answered(request.place, Loss("DEADLINE_EXCEEDED", ambiguous=True))
        return bool(late)

    def ping(self) -> None:
        """Asks the peer for a sign of life."""
        self.out.append(frame(Kind.PING, 0, 0, bytes(8)))

    def lose_all(self) -> None:
        """The connection is gone: what was sent and has no answer may have been read."""
        self.closed = True
        streams, self._streams = self._streams, {}
        for request in streams.values():
            request.order.answered(request.place, Loss("CONNECTION_LOST", ambiguous=True))

    # --- in ----------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Takes what the peer says. Raises Http2Error, HPACKError."""
        for found in self._reader.feed(data):
            self._take(found)

    def _take(self, found: Frame) -> None:
        kind, flags, stream, payload = found
        if self._unfinished and kind != Kind.CONTINUATION:
            raise Http2Error("a header is broken off")
        if kind == Kind.HEADERS:
            self._take_headers(stream, flags, unpadded(found))
        elif kind == Kind.DATA:
            self._take_data(found)
        elif kind == Kind.CONTINUATION:
            self._take_more_headers(stream, flags, payload)
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
            self.out.append(frame(Kind.PING, ACK, 0, payload))
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

    def _take_more_headers(self, number: int, more: int, rest: bytes) -> None:
        if not self._unfinished or self._unfinished[0] != number:
            raise Http2Error("a header goes on that never began")
        stream, flags, block = self._unfinished
        self._unfinished = None
        self._take_headers(stream, flags | more & END_HEADERS, block + rest)

    def _take_data(self, found: Frame) -> None:
        _, flags, stream, payload = found
        self._received += len(payload)
        if self._received > LAST_STREAM // 2:
            self.out.append(frame(Kind.WINDOW_UPDATE, 0, 0, number(self._received)))
            self._received = 0
        request = self._streams.get(stream)
        if request is not None:
            request.data += unpadded(found)
            if flags & END_STREAM:
                self._answer(stream, request)

    def _take_settings(self, values: dict[int, int]) -> None:
        self._limit = min(STREAMS, values.get(Setting.MAX_CONCURRENT_STREAMS, self._limit or STREAMS))
        if Setting.HEADER_TABLE_SIZE in values:
            self._blocks.resize(values[Setting.HEADER_TABLE_SIZE])
        self._stream_window = values.get(Setting.INITIAL_WINDOW_SIZE, self._stream_window)
        if self._stream_window < LARGEST_BODY:
            raise Http2Error(f"a window of {self._stream_window} bytes has no room for a message")
        self.out.append(frame(Kind.SETTINGS, ACK, 0))
        self.greeted = True

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
