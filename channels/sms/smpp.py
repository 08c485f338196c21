"""SMPP 3.4's frame (§3.2): the header every PDU has, and where one PDU ends and the next begins."""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

_HEADER = struct.Struct(">IIII")
_LONGEST = 65536
RESPONSE = 0x80000000
"""The top bit of command_id marks a response."""


class Command(IntEnum):
    """§5.1.2.1 command_id of what a session asks."""

    BIND_RECEIVER = 0x01
    BIND_TRANSMITTER = 0x02
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    BIND_TRANSCEIVER = 0x09
    ENQUIRE_LINK = 0x15
    GENERIC_NACK = 0x80000000


class FrameError(ValueError):
    """A length that no PDU has: the stream cannot be followed any further."""


class Pdu(NamedTuple):
    """A PDU, its length aside."""

    command: int
    status: int
    sequence: int
    body: bytes = b""

    def octets(self) -> bytes:
        """As it goes on the wire."""
        return _HEADER.pack(_HEADER.size + len(self.body), *self[:3]) + self.body

    def answer(self, status: int = 0, body: bytes = b"") -> "Pdu":
        """The response to it."""
        return Pdu(RESPONSE | self.command, status, self.sequence, body)


def take(buffer: bytearray) -> Iterator[Pdu]:
    """Takes the whole PDUs off the buffer's front. Raises FrameError."""
    at = 0
    try:
        while len(buffer) - at >= _HEADER.size:
            length, command, status, sequence = _HEADER.unpack_from(buffer, at)
            if not _HEADER.size <= length <= _LONGEST:
                raise FrameError(f"command_length {length}")
            if len(buffer) - at < length:
                break
            yield Pdu(command, status, sequence, bytes(buffer[at + _HEADER.size : at + length]))
            at += length
    finally:
        del buffer[:at]
