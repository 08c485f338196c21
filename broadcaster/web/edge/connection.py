"""One client's connection: requests in, answers out in their order, within limits."""

import asyncio
from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, cast

import httptools

from broadcaster.web.edge.desk import Elsewhere, Refused, Reply, Turn
from broadcaster.web.edge.request import Place, Request, TargetError, place_of

if TYPE_CHECKING:
    from broadcaster.web.edge.server import EdgeServer

_METHODS = {"GET", "HEAD"}
_NO_HINTS = "Hints are not streamed here: poll the feed with `Prefer: wait=`, which answers as soon."
_ROOM = 4
"""Times the limit of a head that may come in before it is whole, for requests that follow each other."""
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


class Connection(asyncio.Protocol):
    """Parses, asks the desk, writes. Everything happens in the server's loop."""

    __slots__ = (
        "_authorization",
        "_behind",
        "_bodied",
        "_count",
        "_ending",
        "_kept",
        "_parser",
        "_prefer",
        "_raw",
        "_refusals",
        "_same",
        "_server",
        "_size",
        "_state",
        "_stuck",
        "_tags",
        "_target",
        "_task",
        "_transport",
        "_turn",
        "_whole",
        "address",
        "deadline",
        "phase",
    )

    def __init__(self, server: "EdgeServer") -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._behind: deque[Request] | None = None
        self._kept: tuple[Turn, Request] | None = None
        self._same, self._whole = b"", 0
        self._turn: tuple[Turn, Request] | None = None
        self._task: asyncio.Task[None] | None = None
        self._refusals = self._raw = 0
        self._stuck = self._ending = False
        self.phase, self.deadline, self.address = Phase.HEAD, float("inf"), ""
        self.on_message_begin()

    # --- the transport ----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        # uvloop's own is no asyncio.Transport by class.
        self._transport = cast("asyncio.Transport", transport)
        name = transport.get_extra_info("peername")
        self.address = str(name[0]) if name else ""
        reason = self._server.enter(self)
        if reason is not None:
            self._refuse(Refused("unavailable", None, (b"retry-after", b"5"), reason=reason))
            self._close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, or we have closed."""
        del exc
        self._leave_wait()
        self.phase = Phase.ENDED
        self._behind = None
        if self._task is not None:
            self._task.cancel()
        self._server.leave(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request, or of several."""
        if self.phase is Phase.ENDED:
            return  # What comes after a refusal.
        if self.phase is Phase.IDLE and data == self._same and self._kept is not None:
            turn, request = self._kept
            # The same bytes at the same place mean the same, while the key lives and is that screen's.
            if self._server.desk.stands(turn):
                self._send(self._server.desk.reply(turn, head=request.method == "HEAD"), request)
                return
        began = self.phase
        self._kept, self._same = None, b""
        self._whole = 0
        self._parse(data)
        if self._kept is not None and self._is_alone(began):
            self._same = data

    def _is_alone(self, began: Phase) -> bool:
        """Whether what came was one request, no more and no less."""
        return self._whole == 1 and began is Phase.IDLE and self.phase is Phase.IDLE

    def _parse(self, data: bytes) -> None:
        if self.phase is Phase.HEAD:
            # The parser keeps a header that does not end, so what it is given is bounded too.
            self._raw += len(data)
            if self._raw > _ROOM * self._server.limits.head_bytes:
                self._refuse(Refused("request.head", reason="head_too_large"))
                return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._ending = True  # Nothing is spoken here but HTTP/1.1.
            if self.phase is Phase.IDLE:
                self._close()
        except httptools.HttpParserCallbackError as error:
            self._server.trouble(error)
            self._refuse(Refused("unexpected", reason="unexpected"))
        except httptools.HttpParserError:
            self._refuse(Refused("request.malformed", reason="malformed"))

    def eof_received(self) -> bool:
        """The client sends no more; what it asked for before is not worth waiting for."""
        return False

    def pause_writing(self) -> None:
        """The client does not take what it asked for."""
        self._stuck = True
        self.deadline = min(self.deadline, self._server.time() + self._server.limits.write_seconds)
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It does again."""
        self._stuck = False
        if self.phase is Phase.IDLE:
            self.deadline = self._server.time() + self._server.limits.idle_seconds
        if self._transport is not None and self.phase is not Phase.BUSY:
            self._transport.resume_reading()

    # --- the parser -------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A request begins."""
        self._target, self._authorization = b"", ""
        self._tags = self._prefer = self._state = b""
        self._count = self._size = 0
        self._bodied = False
        if self.phase is Phase.IDLE:
            self.phase, self._raw = Phase.HEAD, 1
            self.deadline = self._server.time() + self._server.limits.head_seconds

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        self._target += url
        self._grow(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, whole."""
        self._count += 1
        self._grow(len(name) + len(value) + 4)
        name = name.lower()
        if name == b"authorization":
            self._authorization = value.decode("latin-1")
        elif name == b"if-none-match":
            self._tags = value if not self._tags else self._tags + b"," + value
        elif name == b"prefer":
            self._prefer = value if not self._prefer else self._prefer + b"," + value
        elif name == b"x-screen-state":
            self._state = value
        elif name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0 ")):
            self._bodied = True

    def on_headers_complete(self) -> None:
        """The head is whole. Its body, if it has one, is not read: nothing here takes any."""
        if self._bodied and self.phase is not Phase.ENDED:
            kind = "request.too-large" if self._parser.get_method() in {b"GET", b"HEAD"} else "method"
            self._refuse(Refused(kind, reason="body"))

    def on_message_complete(self) -> None:
        """A request is whole."""
        if self.phase is Phase.ENDED:
            return
        self._whole += 1
        request = Request(
            self._parser.get_method().decode("latin-1"),
            self._target,
            self._authorization,
            self._tags,
            self._prefer,
            self._state,
            self._parser.should_keep_alive(),
        )
        if self.phase is Phase.WAIT:
            self.news()  # Who asks again has waited long enough.
        if self.phase is Phase.BUSY:
            self._queue(request)
        else:
            self._answer(request)

    def _grow(self, size: int) -> None:
        self._size += size
        limits = self._server.limits
        if self._size > limits.head_bytes or self._count > limits.headers:
            self._refuse(Refused("request.head", reason="head_too_large"))

    # --- answers ----------------------------------------------------------------------------------

    def news(self) -> None:
        """Answers the poll that waits."""
        if self._turn is None:
            return
        turn, request = self._turn
        self._leave_wait()
        self._send(self._server.desk.reply(turn, head=request.method == "HEAD"), request)

    def expired(self) -> None:
        """The deadline has passed."""
        if self._stuck:
            self._server.desk.refused["slow_reader"] += 1
            self.abort()
        elif self.phase is Phase.WAIT:
            self.news()
        elif self.phase is Phase.HEAD and self._raw:
            self._refuse(Refused("request.slow", reason="slow_head"))
        elif self.phase is Phase.BUSY:
            self._refuse(Refused("unavailable", reason="busy"))
        elif self.phase is Phase.ENDED:
            self.abort()
        else:
            self._close()

    def shut(self) -> None:
        """The server ends: who waits is answered, who asks nothing is closed."""
        if self.phase is Phase.WAIT:
            self.news()
        elif self.phase is Phase.IDLE or (self.phase is Phase.HEAD and not self._raw):
            self._close()

    def abort(self) -> None:
        """Ends it without a word."""
        if self._transport is not None:
            self._transport.abort()

    def _answer(self, request: Request) -> None:
        desk = self._server.desk
        try:
            place = place_of(request.target)
            if place is None:
                raise Refused("not-found")  # noqa: TRY301 (every refusal is answered below)
            if request.method not in _METHODS:
                raise Refused("method", None, (b"allow", b"GET, HEAD"))  # noqa: TRY301
            try:
                self._answer_at(request, place)
            except Elsewhere:
                self.phase = Phase.BUSY
                self.deadline = self._server.time() + self._server.limits.busy_seconds
                self._task = self._server.loop.create_task(self._fetch(request, place))
                assert self._transport is not None
                self._transport.pause_reading()
        except TargetError:
            self._refuse(Refused("request.malformed", reason="malformed"))
        except Refused as refused:
            self._send(desk.refuse(refused), request, refused=bool(refused.reason))

    def _answer_at(self, request: Request, place: Place) -> None:
        if place.kind == "frame":
            self._send(self._server.desk.frame(request, place), request)
            return
        if place.kind == "hints":
            raise Refused("not-found", _NO_HINTS)
        if place.kind != "feed":
            self._send(self._server.report(place.kind, request.method), request)
            return
        turn = self._server.desk.turn(request, place)
        waiting = self._server.waiting
        if turn.wait and not self._server.closing:
            turn.waited = True
            if waiting.join(turn.screen.pair, turn.screen.screen_id, self):
                self._turn, self.phase = (turn, request), Phase.WAIT
                self.deadline = self._server.time() + turn.wait
                return
        elif not request.prefer and request.authorization[:1] in {"B", "b"}:
            self._kept = (turn, request)  # Signed requests never come twice.
        self._send(self._server.desk.reply(turn, head=request.method == "HEAD"), request)

    async def _fetch(self, request: Request, place: Place) -> None:
        """Answers what memory lacked, then what came behind it."""
        refused: Refused | None = None
        try:
            await self._server.desk.fetch(request, place)
        except Refused as error:
            refused = error
        except Exception as error:  # noqa: BLE001 (the last one to see it)
            self._server.trouble(error)
            refused = Refused("unexpected", reason="unexpected")
        self._task = None
        if self.phase is not Phase.BUSY:
            return
        try:
            if refused is not None:
                raise refused
            self._answer_at(request, place)
        except Elsewhere:
            again = Refused("unavailable", None, (b"retry-after", b"1"))
            self._send(self._server.desk.refuse(again), request)
        except Refused as error:
            self._send(self._server.desk.refuse(error), request, refused=bool(error.reason))
        self._go_on()

    def _go_on(self) -> None:
        while self._behind and self.phase in {Phase.IDLE, Phase.WAIT}:
            if self.phase is Phase.WAIT:
                self.news()
            self._answer(self._behind.popleft())
        if self.phase in {Phase.IDLE, Phase.WAIT, Phase.HEAD} and not self._stuck and self._transport:
            self._transport.resume_reading()

    def _queue(self, request: Request) -> None:
        if self._behind is None:
            self._behind = deque()
        if len(self._behind) >= self._server.limits.pipelined:
            self._refuse(Refused("tries", reason="pipelined"))
        else:
            self._behind.append(request)

    def _send(self, reply: Reply, request: Request, *, refused: bool = False) -> None:
        self._refusals += refused
        last = (
            not request.keep_alive
            or self._ending
            or self._server.closing
            or self._refusals >= self._server.limits.refusals
        )
        body = b"" if request.method == "HEAD" else reply.body
        end = b"connection: close\r\n\r\n" if last else b"connection: keep-alive\r\n\r\n"
        assert self._transport is not None
        self.phase = Phase.IDLE
        self.deadline = self._server.time() + self._server.limits.idle_seconds
        self._transport.write(reply.head + end + body)
        if last:
            self._close()

    def _refuse(self, refused: Refused) -> None:
        """An answer to what is no request; the connection is over."""
        if self.phase is Phase.ENDED or self._transport is None or self._transport.is_closing():
            return
        self._leave_wait()
        reply = self._server.desk.refuse(refused)
        self._transport.write(reply.head + b"connection: close\r\n\r\n" + reply.body)
        self._transport.write_eof()
        self.phase, self.deadline = Phase.ENDED, self._server.time() + _LINGER

    def _close(self) -> None:
        self._leave_wait()
        self.phase = Phase.ENDED
        self.deadline = self._server.time() + self._server.limits.write_seconds
        if self._transport is not None:
            self._transport.close()

    def _leave_wait(self) -> None:
        if self._turn is not None:
            screen = self._turn[0].screen
            self._turn = None
            self._server.waiting.leave(screen.pair, screen.screen_id, self)
