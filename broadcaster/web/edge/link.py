"""One client's socket: what it is about, by when, and what is written to it."""

import asyncio
from enum import Enum
from typing import TYPE_CHECKING, cast

from broadcaster.web.edge.answers import Refused, Reply
from broadcaster.web.edge.deadlines import NEVER
from broadcaster.web.edge.request import Request

if TYPE_CHECKING:
    from broadcaster.web.edge.server import EdgeServer

KEPT_OPEN = b"connection: keep-alive\r\n\r\n"
"""What ends the head of an answer after which more may be asked."""
_CLOSED = b"connection: close\r\n\r\n"
_LINGER = 2.0
"""Seconds that are still read after a refusal: to close at once would reset it before it is read."""


class Phase(Enum):
    """What the connection is about; each has a deadline."""

    HEAD = 0
    """Reading a request."""
    IDLE = 1
    """Between requests."""
    WAIT = 2
    """A poll waits for news."""
    BUSY = 3
    """An answer is being fetched."""
    ENDED = 4


class Link(asyncio.Protocol):
    """The transport's side of a connection, and all that is written. In the server's loop."""

    __slots__ = (
        "_refusals",
        "_transport",
        "address",
        "deadline",
        "ending",
        "phase",
        "server",
        "slot",
        "stuck",
    )

    def __init__(self, server: "EdgeServer") -> None:
        self.server = server
        self._transport: asyncio.Transport | None = None
        self._refusals = 0
        self.stuck = False
        """Whether the client does not take what it asked for."""
        self.ending = False
        """Whether the next answer is the last."""
        self.phase, self.deadline, self.slot, self.address = Phase.HEAD, float("inf"), NEVER, ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        # uvloop's own is no asyncio.Transport by class.
        self._transport = cast("asyncio.Transport", transport)
        name = transport.get_extra_info("peername")
        self.address = str(name[0]) if name else ""
        reason = self.server.enter(self)
        if reason is not None:
            self.refuse(Refused("unavailable", None, (b"retry-after", b"5"), reason=reason))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, or we have closed."""
        del exc
        self.phase = Phase.ENDED
        self.server.leave(self)

    def eof_received(self) -> bool:
        """The client sends no more; what it asked for before is not worth waiting for."""
        return False

    def pause_writing(self) -> None:
        """The client does not take what it asked for."""
        self.stuck = True
        self.due_in(min(self.deadline - self.server.time(), self.server.limits.write_seconds))
        self.read_on(False)

    def resume_writing(self) -> None:
        """It does again."""
        self.stuck = False
        if self.phase is Phase.IDLE:
            self.due_in(self.server.limits.idle_seconds)
        if self.phase is not Phase.BUSY:
            self.read_on(True)

    def read_on(self, on: bool) -> None:
        """Lets more come in, or not."""
        if self._transport is not None:
            if on:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def due_in(self, seconds: float) -> None:
        """Sets the deadline."""
        self.deadline = self.server.time() + seconds
        self.server.deadlines.watch(self)

    def expired(self) -> None:
        """The deadline has passed."""
        if self.stuck:
            self.server.desk.refused["slow_reader"] += 1
            self.abort()
        elif self.phase is Phase.ENDED:
            self.abort()
        elif self.phase is Phase.BUSY:
            self.refuse(Refused("unavailable", reason="busy"))
        else:
            self.close()

    def shut(self) -> None:
        """The server ends."""
        self.close()

    def write(self, answer: bytes) -> None:
        """A whole answer, after which more may be asked."""
        assert self._transport is not None
        self._transport.write(answer)

    def send(self, reply: Reply, request: Request, *, refused: bool = False) -> None:
        """Answers a request; the last answer ends the connection."""
        self._refusals += refused
        last = (
            not request.keep_alive
            or self.ending
            or self.server.closing
            or self._refusals >= self.server.limits.refusals
        )
        self.phase = Phase.IDLE
        self.due_in(self.server.limits.idle_seconds)
        body = b"" if request.method == "HEAD" else reply.body
        self.write(reply.head + (_CLOSED if last else KEPT_OPEN) + body)
        if last:
            self.close()

    def refuse(self, refused: Refused) -> None:
        """An answer to what is no request; the connection is over."""
        if self.phase is Phase.ENDED or self._transport is None or self._transport.is_closing():
            return
        reply = self.server.desk.refuse(refused)
        self._transport.write(reply.head + _CLOSED + reply.body)
        self._transport.write_eof()
        self.phase = Phase.ENDED
        self.due_in(_LINGER)

    def close(self) -> None:
        """Ends it once what was written is out."""
        self.phase = Phase.ENDED
        self.due_in(self.server.limits.write_seconds)
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Ends it without a word."""
        if self._transport is not None:
            self._transport.abort()
