"""A mail relay that speaks SMTP (RFC 5321, PIPELINING) on loopback and keeps count of what it takes."""

import asyncio
import base64
import binascii
import hmac
import re
from collections import deque
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import NamedTuple, cast

from channels.sms.sandbox.behaviour import GONE, INVALID
from channels.sms.sandbox.house import Sandbox

DOMAIN = "sms.sandbox"
"""The domain of its mailboxes; it does not look at it."""
_KEPT = 200
_LONGEST_LINE, _LONGEST_MAIL = 4096, 1 << 20
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([0-9a-f-]{36})\.([0-9]+)\.", re.IGNORECASE | re.MULTILINE)
_OFFERS = ("PIPELINING", "8BITMIME", "AUTH PLAIN")
_ADDRESS = re.compile(r"(?:FROM|TO):\s*<([^>]*)>", re.IGNORECASE)


class Mail(NamedTuple):
    """A mail that was accepted."""

    recipients: tuple[str, ...]
    octets: bytes

    @property
    def text(self) -> str:
        """Its words."""
        content = str(message_from_bytes(self.octets, policy=default).get_content())
        return content.replace("\r\n", "\n").removesuffix("\n")


class SmtpSandbox(Sandbox):
    """Takes mail for <number>@anything. Numbers' endings (behaviour.py) and `behaviour` make it refuse."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.taken: deque[Mail] = deque(maxlen=_KEPT)
        """The newest accepted mails."""

    def texts(self, limit: int) -> list[str]:
        """As Sandbox.texts; each recipient of a mail reads a message."""
        return [mail.text for mail in tuple(self.taken) for _ in mail.recipients][-limit:]

    def admits(self, response: str) -> bool:
        """Whether an AUTH PLAIN response (RFC 4616) is right."""
        try:
            _, user, password = base64.b64decode(response, validate=True).split(b"\0")
        except (binascii.Error, ValueError):
            return False
        endpoint = self.endpoint
        known = hmac.compare_digest(user, endpoint.system_id.encode())
        return hmac.compare_digest(password, endpoint.password.encode()) and known

    def refusal(self, number: str) -> str:
        """The answer to a RCPT that is not taken; empty for one that is."""
        refusal = ""
        if not number.isdecimal() or number.endswith(INVALID):
            refusal = "553 5.1.3 no such address"
        elif number.endswith(GONE):
            refusal = "550 5.1.1 no such user"
        elif self.throttles_any() or self.throttles(number):
            refusal = "450 4.2.1 not now"
        if refusal:
            self.journal.refuse(refusal[:9])
        return refusal

    def take(self, recipients: list[str], octets: bytes) -> str:
        """Notes a mail for each of its recipients; the answer to it."""
        if self.behaviour.refuse_content:
            self.journal.refuse("554 5.7.1")
            return "554 5.7.1 not such mail"
        if self.errs():
            self.journal.refuse("451 4.3.0")
            return "451 4.3.0 not well"
        named = _MESSAGE_ID.search(octets)
        reference = f"{named[1].decode()}/{int(named[2])}" if named else f"-/{self.journal.entries + 1}"
        for recipient in recipients:
            if not (self.behaviour.forget_repeats and self.journal.knows(reference, recipient)):
                self.journal.accept(reference, recipient)
        self.taken.append(Mail(tuple(recipients), octets))
        return "250 2.0.0 taken"

    def _protocol(self) -> asyncio.Protocol:
        return _Session(self)


class _Session(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, relay: SmtpSandbox) -> None:
        self._relay, self._buffer = relay, bytearray()
        self._admitted = self._has_sender = self._reading = self._broken = False
        self._recipients: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._relay.joined(self._transport)
        self._write("220 sandbox ESMTP")

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._relay.left(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        answers: list[str] = []
        while not self._transport.is_closing() and (unit := self._unit()) is not None:
            answers += filter(
                None, (self._mail(unit) if self._reading else self._command(unit.decode("latin-1")),)
            )
        self._relay.journal.flush()
        if self._broken:
            self._transport.abort()
        elif answers:
            self._relay.later(self._write, *answers)

    def _unit(self) -> bytes | None:
        """The next line, or the whole mail where one is being read."""
        end, most = (b"\r\n.\r\n", _LONGEST_MAIL) if self._reading else (b"\r\n", _LONGEST_LINE)
        at = self._buffer.find(end)
        if at < 0:
            self._broken = self._broken or len(self._buffer) > most
            return None
        unit = bytes(self._buffer[:at])
        del self._buffer[: at + len(end)]
        return unit

    def _write(self, *answers: str) -> None:
        if not self._transport.is_closing():
            self._transport.write("".join(f"{answer}\r\n" for answer in answers).encode())
            if answers[-1].startswith("221"):
                self._transport.close()

    def _mail(self, stuffed: bytes) -> str:
        self._reading = False
        octets = stuffed.replace(b"\r\n..", b"\r\n.") + b"\r\n"
        answer = self._relay.take(self._recipients, octets)
        self._reset()
        self._broken = self._relay.drops()
        return "" if self._relay.behaviour.silent else answer

    def _command(self, line: str) -> str:
        verb, _, rest = line.partition(" ")
        match verb.upper():
            case "EHLO":
                return (
                    "".join(f"250-{offer}\r\n" for offer in ("sandbox", *_OFFERS))
                    + "250 ENHANCEDSTATUSCODES"
                )
            case "AUTH":
                return self._auth(rest)
            case "MAIL" | "RCPT" | "DATA":
                return self._transact(verb.upper(), rest)
            case "RSET":
                self._reset()
                return "250 2.0.0 forgotten"
            case "NOOP":
                return "250 2.0.0 yes"
            case "QUIT":
                return "221 2.0.0 bye"
            case _:
                return "502 5.5.1 not here"

    def _auth(self, rest: str) -> str:
        mechanism, _, response = rest.partition(" ")
        self._admitted = mechanism.upper() == "PLAIN" and self._relay.admits(response)
        return "235 2.7.0 welcome" if self._admitted else "535 5.7.8 not you"

    def _transact(self, verb: str, rest: str) -> str:
        if not self._admitted:
            return "530 5.7.0 who are you"
        if verb == "DATA":
            self._reading = bool(self._recipients)
            return "354 go on" if self._reading else "503 5.5.1 to whom"
        address = _ADDRESS.match(rest)
        if address is None:
            return "501 5.5.4 no address"
        if verb == "MAIL":
            if self._has_sender:
                return "503 5.5.1 one at a time"
            self._has_sender = True
            return "250 2.1.0 sender"
        if not self._has_sender:
            return "503 5.5.1 from whom"
        number = address[1].partition("@")[0]
        refusal = self._relay.refusal(number)
        if not refusal:
            self._recipients.append(number)
        return refusal or "250 2.1.5 recipient"

    def _reset(self) -> None:
        self._has_sender, self._recipients = False, []
