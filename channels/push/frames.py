"""HTTP/2 frames (RFC 9113 §4, §6), as far as a client of FCM and FCM's double need them."""

import struct
from collections.abc import Generator
from enum import IntEnum

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD = 9
"""Bytes before a frame's payload: length (3), type, flags, stream (4)."""
LARGEST_FRAME = 16_384
"""Of a payload, as long as neither side asks for more: we never do."""
LAST_STREAM = 2**31 - 1
FIRST_WINDOW = 65_535

END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITY = 0x20

_HEAD = struct.Struct(">HBBBL")


class Kind:
    """Frame types. Plain numbers: an enum's members are slow to name, and each message names six."""

    DATA = 0x0
    HEADERS = 0x1
    RST_STREAM = 0x3
    SETTINGS = 0x4
    PING = 0x6
    GOAWAY = 0x7
    WINDOW_UPDATE = 0x8
    CONTINUATION = 0x9


class Setting(IntEnum):
    """The settings we name (RFC 9113 §6.5.2)."""

    HEADER_TABLE_SIZE = 0x1
    ENABLE_PUSH = 0x2
    MAX_CONCURRENT_STREAMS = 0x3
    INITIAL_WINDOW_SIZE = 0x4


class Code(IntEnum):
    """The error codes we name (RFC 9113 §7)."""

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    FLOW_CONTROL_ERROR = 0x3
    REFUSED_STREAM = 0x7
    CANCEL = 0x8


class Http2Error(Exception):
    """The peer breaks the protocol; the connection is of no more use."""


Frame = tuple[int, int, int, bytes]
"""One frame: its kind, which may be one we do not know, flags, stream and payload. A plain tuple, for one
with names takes ten times as long to make."""


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """The frame's bytes."""
    size = len(payload)
    return _HEAD.pack(size >> 8, size & 0xFF, kind, flags, stream) + payload


def framed(stream: int, block: bytes, body: bytes) -> bytes:
    """A request or an answer, whole: the frame of its header block, and the one of its body."""
    head, size = len(block), len(body)
    return b"".join(
        (
            _HEAD.pack(head >> 8, head & 0xFF, Kind.HEADERS, END_HEADERS, stream),
            block,
            _HEAD.pack(size >> 8, size & 0xFF, Kind.DATA, END_STREAM, stream),
            body,
        )
    )


def settings(values: dict[Setting, int]) -> bytes:
    """A SETTINGS frame."""
    return frame(Kind.SETTINGS, 0, 0, b"".join(struct.pack(">HL", *pair) for pair in values.items()))


def settings_in(payload: bytes) -> dict[int, int]:
    """What a SETTINGS frame says, those we do not know included. Raises Http2Error."""
    if len(payload) % 6:
        raise Http2Error("a SETTINGS frame is cut off")
    return dict(struct.iter_unpack(">HL", payload))


def number(value: int) -> bytes:
    """The payload of RST_STREAM (a Code) and of WINDOW_UPDATE (an increment)."""
    return value.to_bytes(4)


def goaway(last: int, code: Code) -> bytes:
    """A GOAWAY frame: streams above `last` were not and will not be looked at."""
    return frame(Kind.GOAWAY, 0, 0, struct.pack(">LL", last, code))


def goaway_in(payload: bytes) -> tuple[int, int]:
    """The last stream the peer looked at, and why it goes. Raises Http2Error."""
    if len(payload) < 8:  # noqa: PLR2004 (two numbers)
        raise Http2Error("a GOAWAY frame is cut off")
    last, code = struct.unpack_from(">LL", payload)
    return last & LAST_STREAM, code


def unpadded(found: Frame) -> bytes:
    """A DATA or HEADERS payload without padding and priority. Raises Http2Error."""
    kind, flags, _, payload = found
    if not flags & (PADDED | PRIORITY):
        return payload
    if flags & PADDED:
        if not payload or payload[0] >= len(payload):
            raise Http2Error("padding is longer than its frame")
        payload = payload[1 : len(payload) - payload[0]]
    if flags & PRIORITY and kind == Kind.HEADERS:
        payload = payload[5:]
    return payload


class FrameReader:
    """Cuts what arrives into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Generator[Frame]:
        """The frames that are whole by now. Raises Http2Error."""
        data = self._rest + data if self._rest else data
        at, end = 0, len(data)
        unpack = _HEAD.unpack_from
        while end - at >= HEAD:
            high, low, kind, flags, stream = unpack(data, at)
            size = high << 8 | low
            if size > LARGEST_FRAME:
                raise Http2Error(f"a frame of {size} bytes")
            if end - at - HEAD < size:
                break
            at += HEAD + size
            yield kind, flags, stream & LAST_STREAM, data[at - size : at]
        self._rest = data[at:]
