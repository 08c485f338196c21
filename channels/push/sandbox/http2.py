"""The server's end of an HTTP/2 connection (RFC 9113).

Cheap enough to measure a client against, and able to be as rude as the protocol allows.
"""

import asyncio
from typing import Any, cast

from hpack import Decoder, Encoder, HPACKError

from channels.push.frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    FIRST_WINDOW,
    LARGEST_FRAME,
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
    goaway,
    number,
    settings,
    settings_in,
    unpadded,
)
from channels.push.sandbox.wire import App, Asked, Fields

INTERNAL_ERROR = 0x2
OK = b"\x88"
"""`:status: 200` (RFC 7541, appendix A)."""
BLOCKS = 256
"""Header blocks whose meaning is remembered."""
_answers: dict[tuple[int, Fields], bytes] = {}


class _Stream:
    """One request, and the way back."""

    __slots__ = ("_line", "_number", "body", "headers", "window")

    def __init__(self, line: "Http2Line", number: int, headers: dict[str, str], window: int) -> None:
        self._line, self._number, self.headers, self.window = line, number, headers, window
        self.body = b""

    def answer(self, status: int, fields: Fields, body: bytes) -> None:
        """See wire.Wire."""
        self._line.answer(self._number, status, fields, body)

    def cut(self) -> None:
        """See wire.Wire."""
        self._line.cut()

    def reset(self, *, unread: bool) -> None:
        """See wire.Wire."""
        self._line.reset(self._number, Code.REFUSED_STREAM if unread else INTERNAL_ERROR)

    def go_away(self) -> None:
        """See wire.Wire."""
        self._line.go_away(self._number)


class Http2Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._transport: asyncio.Transport
        self._client = ""
        self._begun = False
        self._buffer = b""
        self._reader = FrameReader()
        self._decoder = Decoder()
        self._blocks: dict[bytes, dict[str, str]] = {}
        self._unfinished: tuple[int, int, bytes] | None = None
        self._streams: dict[int, _Stream] = {}
        self._late: dict[int, bytes] = {}
        self._window = self._first_window = FIRST_WINDOW
        self._received = 0
        self._last = LAST_STREAM
        self._out: list[bytes] = []
        self._reading = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greets the client."""
        self._transport = cast("asyncio.Transport", transport)
        self._client = "{}:{}".format(*transport.get_extra_info("peername")[:2])
        room = frame(Kind.WINDOW_UPDATE, 0, 0, number(LAST_STREAM - FIRST_WINDOW))
        self._transport.write(settings({Setting.MAX_CONCURRENT_STREAMS: self._app.streams}) + room)

    def data_received(self, data: bytes) -> None:
        """Takes what the client says; all answers to it leave in one write."""
        if not self._begun:
            data = self._buffer = self._buffer + data
            if len(data) < len(PREFACE):
                return
            if not data.startswith(PREFACE):
                self.cut()
                return
            self._begun, data = True, data[len(PREFACE) :]
        self._reading = True
        try:
            for found in self._reader.feed(data):
                self._take(found)
        except (Http2Error, HPACKError):
            self._out.append(goaway(0, Code.PROTOCOL_ERROR))
            self._flush()
            self._transport.close()
        else:
            self._flush()
        finally:
            self._reading = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is left to answer."""
        del exc
        self._streams.clear()
        self._late.clear()

    def _flush(self) -> None:
        self._app.settle()
        if self._out:
            self._transport.write(b"".join(self._out))
            self._out.clear()

    def _take(self, found: Frame) -> None:
        kind, flags, stream, payload = found
        if kind == Kind.DATA:
            self._take_data(found)
        elif kind == Kind.HEADERS:
            self._take_headers(stream, flags, unpadded(found))
        elif kind == Kind.CONTINUATION and self._unfinished:
            stream, first, block = self._unfinished
            self._take_headers(stream, first | flags & END_HEADERS, block + payload)
        elif kind == Kind.WINDOW_UPDATE:
            self._take_room(stream, int.from_bytes(payload))
        elif kind == Kind.RST_STREAM:
            self._streams.pop(stream, None)
            self._late.pop(stream, None)
        elif kind == Kind.SETTINGS and not flags & ACK:
            self._first_window = settings_in(payload).get(Setting.INITIAL_WINDOW_SIZE, self._first_window)
            self._out.append(frame(Kind.SETTINGS, ACK, 0))
        elif kind == Kind.PING and not flags & ACK:
            self._out.append(frame(Kind.PING, ACK, 0, payload))

    def _take_headers(self, stream: int, flags: int, block: bytes) -> None:
        if not flags & END_HEADERS:
            self._unfinished = (stream, flags, block)
            return
        self._unfinished = None
        headers = self._decoded(block)
        if stream > self._last:
            return
        if len(self._streams) >= self._app.streams:
            self.reset(stream, Code.REFUSED_STREAM)
            return
        self._streams[stream] = found = _Stream(self, stream, headers, self._first_window)
        if flags & END_STREAM:
            self._handle(found)

    def _decoded(self, block: bytes) -> dict[str, str]:
        known = self._blocks.get(block)
        if known is None:
            table = self._decoder.header_table
            before = (
                len(table.dynamic_entries),
                table.dynamic_entries[0] if table.dynamic_entries else None,
            )
            known = {str(name): str(value) for name, value in self._decoder.decode(block)}
            after = (
                len(table.dynamic_entries),
                table.dynamic_entries[0] if table.dynamic_entries else None,
            )
            if before != after or len(self._blocks) >= BLOCKS:
                # What blocks mean changes with the table; one that changes it means something once.
                self._blocks.clear()
            if before == after:
                self._blocks[block] = known
        return known

    def _take_data(self, found: Frame) -> None:
        _, flags, place, payload = found
        self._received += len(payload)
        if self._received > LAST_STREAM // 2:
            self._out.append(frame(Kind.WINDOW_UPDATE, 0, 0, number(self._received)))
            self._received = 0
        stream = self._streams.get(place)
        if stream is not None:
            stream.body = stream.body + unpadded(found) if stream.body else unpadded(found)
            if flags & END_STREAM:
                self._handle(stream)

    def _handle(self, stream: _Stream) -> None:
        headers = stream.headers
        path, _, query = headers.get(":path", "").partition("?")
        asked = Asked(headers.get(":method", ""), path, query, headers, stream.body, self._client)
        self._app.handle(asked, stream)

    def _take_room(self, stream: int, room: int) -> None:
        if stream == 0:
            self._window += room
        elif stream in self._streams:
            self._streams[stream].window += room
        for late in list(self._late):
            self._send_rest(late)

    # --- out ---------------------------------------------------------------------------------------

    def answer(self, stream: int, status: int, fields: Fields, body: bytes) -> None:
        """Answers a request that is still open."""
        asked = self._streams.get(stream)
        if asked is None:
            return
        block = _answers.get((status, fields))
        if block is None:
            # One connection's table must not matter to another: every field stands for itself.
            rest = Encoder().encode(cast("Any", [(*field, True) for field in fields]))
            block = OK + rest if status == 200 else _status(status) + rest  # noqa: PLR2004 (HTTP's own number)
            if len(_answers) < BLOCKS:
                _answers[status, fields] = block
        if len(body) <= min(LARGEST_FRAME, self._window, asked.window):
            self._out.append(framed(stream, block, body))
            self._window -= len(body)
            del self._streams[stream]
        else:
            self._out.append(frame(Kind.HEADERS, END_HEADERS, stream, block))
            self._late[stream] = body
            self._send_rest(stream)
        self._leave()

    def _send_rest(self, number: int) -> None:
        """As much of the body as the client has room for."""
        stream, body = self._streams[number], self._late.pop(number)
        while True:
            size = min(len(body), LARGEST_FRAME, self._window, stream.window)
            last = size == len(body)
            if not last and size <= 0:
                self._late[number] = body
                return
            self._out.append(frame(Kind.DATA, END_STREAM if last else 0, number, body[:size]))
            self._window -= size
            stream.window -= size
            body = body[size:]
            if last:
                del self._streams[number]
                return

    def _leave(self) -> None:
        if not self._reading:
            self._flush()

    def reset(self, stream: int, code: int) -> None:
        """Ends one request."""
        self._streams.pop(stream, None)
        self._out.append(frame(Kind.RST_STREAM, 0, stream, code.to_bytes(4)))
        self._leave()

    def go_away(self, last: int) -> None:
        """Takes no request after this one, and forgets those it has not read."""
        self._last = last
        for stream in [stream for stream in self._streams if stream > last]:
            del self._streams[stream]
        self._out.append(goaway(last, Code.NO_ERROR))
        self._leave()

    def cut(self) -> None:
        """Cuts the connection."""
        self._app.settle()
        self._out.clear()
        self._transport.abort()


def _status(status: int) -> bytes:
    return Encoder().encode(cast("Any", [(":status", str(status), True)]))
