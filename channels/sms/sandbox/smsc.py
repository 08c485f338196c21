"""An SMSC that speaks SMPP 3.4 on loopback, keeps count of what it takes, and misbehaves when asked."""

import asyncio
import hmac
from collections import deque
from pathlib import Path
from typing import NamedTuple, cast

from channels.sms.sandbox import wire
from channels.sms.sandbox.behaviour import GONE, INVALID, TOO_LATE, UNDELIVERED
from channels.sms.sandbox.house import Sandbox
from channels.sms.sandbox.wire import Submit
from channels.sms.segments import Encoding, Part, join, part_of
from channels.sms.smpp import RESPONSE, Command, Pdu, take
from channels.sms.statuses import Status, name_of
from channels.sms.submit import CLIENT_ID_TAG

VENDOR_GONE = 0x0401
"""A status of our own (§5.1.3 leaves 0x400-0x4FF to vendors): the number is no longer in use."""
_KEPT = 1000


class Taken(NamedTuple):
    """A part that was accepted."""

    submit: Submit
    part: Part
    reference: str


class SmscSandbox(Sandbox):
    """Takes what a transceiver submits. Numbers' endings (behaviour.py) and `behaviour` make it refuse."""

    GONE_STATUSES = (VENDOR_GONE,)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.taken: deque[Taken] = deque(maxlen=_KEPT)
        """The newest accepted parts."""
        self._sessions: list[_Session] = []
        self._owed: list[bytes] = []

    def texts(self, limit: int) -> list[str]:
        """As Sandbox.texts; a message is read once its last part is there."""
        read: list[str] = []
        begun: dict[tuple[str, str], dict[int, bytes]] = {}
        for submit, part, reference in tuple(self.taken):
            bodies = begun.setdefault((submit.destination, reference), {})
            bodies[part.number] = part.body
            if len(bodies) == part.total:
                encoding = Encoding.UCS2 if submit.data_coding else Encoding.GSM7
                read.append(join([bodies[number] for number in sorted(bodies)], encoding))
                del begun[submit.destination, reference]
        return read[-limit:]

    def admits(self, system_id: str, password: str) -> Status:
        """Whether a bind is let in."""
        endpoint = self.endpoint
        if not hmac.compare_digest(system_id.encode(), endpoint.system_id.encode()):
            return Status.ESME_RINVSYSID
        if not hmac.compare_digest(password.encode(), endpoint.password.encode()):
            return Status.ESME_RINVPASWD
        return Status.ESME_ROK

    def submit(self, asked: Submit) -> tuple[int, str]:
        """The answer to a submit_sm: a status, and the message id where it was taken."""
        try:
            place = part_of(asked.data, has_header=asked.has_header)
        except ValueError:
            return self._refused(Status.ESME_RINVESMCLASS)
        if (refusal := self._refusal(asked, place)) is not Status.ESME_ROK:
            return self._refused(refusal)
        message_id = f"{self.journal.entries + 1:08X}"
        said = asked.tlvs.get(CLIENT_ID_TAG, b"").rstrip(b"\0").decode("latin-1")
        # alert/version/digest; a client that sends none has each message counted as its own.
        reference = "/".join(said.split("/")[:2]) if said.isprintable() and " " not in said else ""
        reference = reference or f"-/{message_id}"
        key = (reference, asked.destination, place.number, place.total)
        if not (self.behaviour.forget_repeats and self.journal.knows(*key)):
            self.journal.accept(*key)
            self.taken.append(Taken(asked, place, reference))
        return Status.ESME_ROK, message_id

    def _refusal(self, asked: Submit, place: Part) -> int:
        if not asked.source or self.behaviour.refuse_content:
            return Status.ESME_RINVSRCADR
        if not asked.destination.isdecimal() or asked.destination.endswith(INVALID):
            return Status.ESME_RINVDSTADR
        if asked.destination.endswith(GONE):
            return VENDOR_GONE
        encoding = Encoding.UCS2 if asked.data_coding else Encoding.GSM7
        room = encoding.whole if place.total == 1 else encoding.each
        if len(place.body) > room * (2 if asked.data_coding else 1):
            return Status.ESME_RINVMSGLEN
        if self.errs():
            return Status.ESME_RSYSERR
        # Only its beginning is put off by its number; by the share, any part is.
        late = self.throttles_any() or (place.number == 1 and self.throttles(asked.destination))
        return Status.ESME_RTHROTTLED if late else Status.ESME_ROK

    def _refused(self, status: int) -> tuple[int, str]:
        self.journal.refuse(name_of(status))
        return status, ""

    def bound(self, session: "_Session") -> None:
        """A session may be told of messages; what is owed comes first."""
        self._sessions.append(session)
        owed, self._owed = self._owed, []
        for body in owed:
            session.deliver(body)

    def unbound(self, session: "_Session") -> None:
        """It is gone."""
        if session in self._sessions:
            self._sessions.remove(session)

    def tell(self, body: bytes) -> None:
        """Sends a receipt on the newest session, or on the next where none is up."""
        if self._sessions:
            self._sessions[-1].deliver(body)
        else:
            self._owed.append(body)

    def tell_later(self, body: bytes, seconds: float) -> None:
        """As `tell`, after so long."""
        self._loop.call_later(seconds, self.tell, body)

    def _protocol(self) -> asyncio.Protocol:
        return _Session(self)


class _Session(asyncio.Protocol):
    """One ESME's connection."""

    def __init__(self, smsc: SmscSandbox) -> None:
        self._smsc, self._buffer = smsc, bytearray()
        self._bound = self._leaving = False
        self._sequence = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._smsc.joined(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._smsc.left(self._transport)
        self._smsc.unbound(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        answers = bytearray()
        broken = False
        try:
            for pdu in take(self._buffer):
                answers += self._answer(pdu)
                if pdu.command == Command.SUBMIT_SM and self._smsc.drops():
                    broken = True
                    break
        except ValueError:
            broken = True  # a stream whose lengths are wrong cannot be followed any further
        self._smsc.journal.flush()
        if broken:
            self._transport.abort()
        else:
            self._smsc.later(self._write, bytes(answers))

    def _write(self, answers: bytes) -> None:
        if answers and not self._transport.is_closing():
            self._transport.write(answers)
            if self._leaving:
                self._transport.close()

    def _answer(self, pdu: Pdu) -> bytes:
        if pdu.command == Command.SUBMIT_SM:
            return self._submitted(pdu)
        if pdu.command in wire.BINDS:
            return self._bind(pdu).octets()
        if pdu.command == Command.ENQUIRE_LINK:
            return pdu.answer().octets()
        if pdu.command == Command.UNBIND:
            self._leaving = True
            return pdu.answer().octets()
        if pdu.command & RESPONSE:
            return b""  # to a receipt, or to nothing we asked
        return Pdu(Command.GENERIC_NACK, Status.ESME_RINVCMDID, pdu.sequence).octets()

    def _bind(self, pdu: Pdu) -> Pdu:
        try:
            status = self._smsc.admits(*wire.read_bind(pdu.body))
        except ValueError:
            status = Status.ESME_RBINDFAIL
        self._bound = status is Status.ESME_ROK
        if self._bound:
            # After the answer to the bind, which is written first.
            asyncio.get_running_loop().call_soon(self._smsc.bound, self)
        return pdu.answer(status, b"sandbox\0" if self._bound else b"")

    def _submitted(self, pdu: Pdu) -> bytes:
        if not self._bound:
            return pdu.answer(Status.ESME_RINVBNDSTS).octets()
        try:
            asked = wire.read_submit(pdu.body)
        except (ValueError, IndexError):
            return pdu.answer(Status.ESME_RINVPARLEN).octets()
        status, message_id = self._smsc.submit(asked)
        if self._smsc.behaviour.silent:
            return b""
        if status:
            return pdu.answer(status).octets()
        answer = pdu.answer(body=message_id.encode() + b"\0").octets()
        if not (asked.wants_receipt and self._smsc.behaviour.receipts):
            return answer
        body = wire.receipt(asked.destination, asked.source, message_id, _fate(asked.destination))
        if delay := self._smsc.behaviour.receipt_delay_ms:
            self._smsc.tell_later(body, delay / 1000)
            return answer
        return answer + self._delivery(body)

    def deliver(self, body: bytes) -> None:
        """Sends a deliver_sm."""
        self._write(self._delivery(body))

    def _delivery(self, body: bytes) -> bytes:
        self._sequence += 1
        return Pdu(Command.DELIVER_SM, 0, self._sequence, body).octets()


def _fate(number: str) -> str:
    """What a receipt says of the message to a number, under Appendix B's names."""
    if number.endswith(UNDELIVERED):
        return "UNDELIV"
    return "EXPIRED" if number.endswith(TOO_LATE) else "DELIVRD"
