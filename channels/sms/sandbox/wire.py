"""What an SMSC reads and writes of SMPP 3.4 beyond the frame: bind, submit_sm and a receipt."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from channels.sms.smpp import Command

_TLV = struct.Struct(">HH")
_UDH_INDICATOR = 0x40
_MESSAGE_STATE, _RECEIPTED_MESSAGE_ID = 0x0427, 0x001E
_STATES = {"DELIVRD": 2, "EXPIRED": 3, "UNDELIV": 5}
"""SMPP 3.4 §5.2.28."""

BINDS = frozenset({Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER})


class Submit(NamedTuple):
    """What a submit_sm asks for."""

    source: str
    destination: str
    esm_class: int
    priority: int
    validity: str
    wants_receipt: bool
    data_coding: int
    data: bytes
    tlvs: dict[int, bytes]

    @property
    def has_header(self) -> bool:
        """Whether the data begins with a user data header."""
        return bool(self.esm_class & _UDH_INDICATOR)


def read_bind(body: bytes) -> tuple[str, str]:
    """The system_id and password of a bind. Raises ValueError where they do not end."""
    system_id, at = _text(body, 0)
    return system_id, _text(body, at)[0]


def read_submit(body: bytes) -> Submit:
    """The fields of a submit_sm (§4.4.1). Raises ValueError or IndexError where it is cut short."""
    _, at = _text(body, 0)
    source, at = _text(body, at + 2)
    destination, at = _text(body, at + 2)
    esm_class, priority = body[at], body[at + 2]
    _, at = _text(body, at + 3)
    validity, at = _text(body, at)
    registered, data_coding, size = body[at], body[at + 2], body[at + 4]
    at += 5
    data = body[at : at + size]
    if len(data) < size:
        raise ValueError("short_message is shorter than sm_length")
    tlvs = dict(_tlvs(body, at + size))
    return Submit(
        source, destination, esm_class, priority, validity, bool(registered & 3), data_coding, data, tlvs
    )


def receipt(source: str, destination: str, message_id: str, state: str) -> bytes:
    """The body of a deliver_sm that says what became of a message (§5.2.12, Appendix B)."""
    reached = int(state == "DELIVRD")
    said = f"id:{message_id} sub:001 dlvrd:{reached:03} stat:{state} err:000 text:".encode()
    identity = message_id.encode() + b"\0"
    return (
        b"\0\x01\x01" + source.encode() + b"\0\x05\0" + destination.encode() + b"\0"
        b"\x04\0\0\0\0\0\0\0\0" + bytes((len(said),)) + said
        + _TLV.pack(_RECEIPTED_MESSAGE_ID, len(identity)) + identity
        + _TLV.pack(_MESSAGE_STATE, 1) + bytes((_STATES[state],))
    )  # fmt: skip


def _text(body: bytes, at: int) -> tuple[str, int]:
    end = body.index(0, at)
    return body[at:end].decode("latin-1"), end + 1


def _tlvs(body: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at < len(body):
        if len(body) - at < _TLV.size:
            raise ValueError("an optional parameter is cut short")
        tag, length = _TLV.unpack_from(body, at)
        at += _TLV.size
        yield tag, body[at : at + length]
        at += length
