"""One SMPP 3.4 session as a transceiver: requests and their answers, deadlines, keepalive, receipts.

smpp34 encodes and decodes; the session is ours, because smpp34's own has one exception for a refused
bind, a lost line and a missing answer, fixed timers, and 60-150 us a message where this takes a tenth.
"""

import asyncio
import re
from collections.abc import Callable
from typing import NamedTuple, cast

from smpp34 import DeliverSm, SmppError, decode

from channels.sms.smpp import RESPONSE, Command, FrameError, Pdu, take
from channels.sms.statuses import Status

_MESSAGE_STATE, _RECEIPTED_MESSAGE_ID = 0x0427, 0x001E
_RECEIPT_TYPE, _RECEIPT = 0x3C, 0x04
_STATES = (
    "UNKNOWN",
    "ENROUTE",
    "DELIVRD",
    "EXPIRED",
    "DELETED",
    "UNDELIV",
    "ACCEPTD",
    "UNKNOWN",
    "REJECTD",
)
"""SMPP 3.4 §5.2.28 by number, under the names of Appendix B."""
_STATED = re.compile(rb"stat:([A-Z]{1,10})")
_NAMED = re.compile(rb"\bid:([^ \x00]{1,65})")
_INTERFACE_VERSION = 0x34
_LAST_SEQUENCE = 0x7FFFFFFF
_LOOKS = 10


class Word(NamedTuple):
    """What the SMSC said later of a message: its id there, and its state under Appendix B's names.

    MO for a message from a phone, UNKNOWN for what cannot be read; the id is empty where none is named.
    """

    message_id: str
    state: str


Heard = Callable[[Word], None]


class Session(asyncio.Protocol):
    """A connection to an SMSC.

    `timeout` is how long an answer may take, `keepalive` how long the line may be quiet before it is
    asked whether it is there (both in seconds). A line that says nothing for that long is left.
    """

    def __init__(self, timeout: float, keepalive: float, on_receipt: Heard) -> None:
        self._timeout, self._keepalive, self._on_receipt = timeout, keepalive, on_receipt
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, tuple[float, asyncio.Future[Pdu | None]]] = {}
        self._buffer, self._out = bytearray(), bytearray()
        self._sequence = 0
        self._heard = self._loop.time()
        self._enquiry: asyncio.Future[Pdu | None] | None = None
        self.lost: asyncio.Future[None] = self._loop.create_future()

    @property
    def alive(self) -> bool:
        """Whether the line is up."""
        return not self.lost.done() and not self._transport.is_closing()

    def next_sequence(self) -> int:
        """The number for the next request."""
        self._sequence = self._sequence % _LAST_SEQUENCE + 1
        return self._sequence

    def ask(self, sequence: int, octets: bytes) -> asyncio.Future[Pdu | None]:
        """Sends a request; its answer, or None where the line broke or stayed silent."""
        answer: asyncio.Future[Pdu | None] = self._loop.create_future()
        if self.lost.done():
            answer.set_result(None)
        else:
            self._waiting[sequence] = (self._loop.time(), answer)
            self._write(octets)
        return answer

    async def bind(self, system_id: str, password: str, system_type: str) -> int | None:
        """Binds as a transceiver (§4.1.5); the answer's command_status, or None without one."""
        words = b"".join(word.encode() + b"\0" for word in (system_id, password, system_type))
        asked = self._request(Command.BIND_TRANSCEIVER, words + bytes((_INTERFACE_VERSION, 0, 0, 0)))
        answer = await asked
        return None if answer is None else answer.status

    async def unbind(self) -> None:
        """Takes leave and hangs up."""
        if self.alive:
            await self._request(Command.UNBIND)
        self.abort()

    def abort(self) -> None:
        """Hangs up."""
        self._transport.abort()

    # --- asyncio.Protocol -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The line is up."""
        self._transport = cast("asyncio.Transport", transport)
        self._looking = self._loop.call_later(0, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """The line is gone, and with it every answer."""
        del exc
        self._looking.cancel()
        for _, answer in self._waiting.values():
            if not answer.done():
                answer.set_result(None)
        self._waiting.clear()
        if not self.lost.done():
            self.lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Answers, receipts, and the SMSC's own questions."""
        self._heard = self._loop.time()
        self._buffer += data
        try:
            for pdu in take(self._buffer):
                if pdu.command & RESPONSE:
                    self._answered(pdu)
                else:
                    self._asked(pdu)
        except FrameError:
            self.abort()

    # --- inside -----------------------------------------------------------------------------------

    def _request(self, command: Command, body: bytes = b"") -> asyncio.Future[Pdu | None]:
        sequence = self.next_sequence()
        return self.ask(sequence, Pdu(command, 0, sequence, body).octets())

    def _answered(self, pdu: Pdu) -> None:
        _, answer = self._waiting.pop(pdu.sequence, (0.0, None))
        if answer is not None and not answer.done():
            answer.set_result(pdu)

    def _asked(self, pdu: Pdu) -> None:
        if pdu.command == Command.DELIVER_SM:
            self._on_receipt(word_of(pdu))
            self._write(pdu.answer(body=b"\0").octets())
        elif pdu.command in {Command.ENQUIRE_LINK, Command.UNBIND}:
            self._write(pdu.answer().octets())
            if pdu.command == Command.UNBIND:
                self._flush()
                self._transport.close()
        else:
            self._write(Pdu(Command.GENERIC_NACK, Status.ESME_RINVCMDID, pdu.sequence).octets())

    def _write(self, octets: bytes) -> None:
        # One system call for all that is written in one turn of the loop.
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out += octets

    def _flush(self) -> None:
        if self._out and not self._transport.is_closing():
            self._transport.write(bytes(self._out))
        self._out.clear()

    def _look(self) -> None:
        """Gives up answers that are late, a line that says nothing, and asks one that has been quiet."""
        now = self._loop.time()
        for sequence, (asked, answer) in tuple(self._waiting.items()):
            if now - asked < self._timeout:
                break
            del self._waiting[sequence]
            if not answer.done():
                answer.set_result(None)
            if self._heard < asked:
                self.abort()
        enquiring = self._enquiry is not None and not self._enquiry.done()
        if now - self._heard >= self._keepalive and not enquiring:
            self._enquiry = self._request(Command.ENQUIRE_LINK)
        self._looking = self._loop.call_later(min(self._timeout, self._keepalive) / _LOOKS, self._look)


def word_of(pdu: Pdu) -> Word:
    """What a deliver_sm says (§4.6; Appendix B for the text of a receipt)."""
    try:
        delivered = decode(pdu.octets())
    except SmppError:
        return Word("", "UNKNOWN")
    if not isinstance(delivered, DeliverSm) or delivered.esm_class & _RECEIPT_TYPE != _RECEIPT:
        return Word("", "MO")
    text = delivered.short_message
    tlvs = {tlv.tag: tlv for tlv in delivered.tlvs}
    stated, named = _STATED.search(text), _NAMED.search(text)
    state = stated[1].decode() if stated else "UNKNOWN"
    if _MESSAGE_STATE in tlvs and (number := tlvs[_MESSAGE_STATE].as_int()) is not None:
        state = _STATES[number] if number < len(_STATES) else "UNKNOWN"
    message_id = named[1] if named else b""
    if _RECEIPTED_MESSAGE_ID in tlvs:
        message_id = tlvs[_RECEIPTED_MESSAGE_ID].value.rstrip(b"\0")
    return Word(message_id.decode("latin-1"), state)


def message_id_of(answer: Pdu) -> str:
    """The id in a submit_sm_resp (§4.4.2), a string that ends with a zero octet."""
    return answer.body.partition(b"\0")[0].decode("latin-1")
