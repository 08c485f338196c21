"""One client's connection: requests in, answers out in their order, within limits."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING

import httptools

from broadcaster.web.edge.answers import Elsewhere, Refused
from broadcaster.web.edge.link import KEPT_OPEN, Link, Phase
from broadcaster.web.edge.reading import Reader
from broadcaster.web.edge.repeat import Repeat
from broadcaster.web.edge.request import Place, Request, TargetError, place_of
from broadcaster.web.edge.turn import Turn

if TYPE_CHECKING:
    from broadcaster.web.edge.server import EdgeServer

_METHODS = {"GET", "HEAD"}
_NO_HINTS = "Hints are not streamed here: poll the feed with `Prefer: wait=`, which answers as soon."


class Connection(Link):
    """Reads, asks the desk, answers. Everything happens in the server's loop."""

    __slots__ = ("_behind", "_polled", "_reader", "_repeat", "_task", "_turn")

    def __init__(self, server: "EdgeServer") -> None:
        super().__init__(server)
        self._reader = Reader(self, server.limits)
        self._behind: deque[Request] | None = None
        self._repeat: Repeat | None = None
        self._polled: tuple[Request, Turn] | None = None
        """The poll that was answered last, from memory and at once."""
        self._turn: tuple[Turn, Request] | None = None
        """The poll that waits."""
        self._task: asyncio.Task[None] | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, or we have closed."""
        self._leave_wait()
        self._behind = self._repeat = None
        if self._task is not None:
            self._task.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request, or of several."""
        server = self.server
        if self._repeat is not None and self.phase is Phase.IDLE and not server.closing:
            answer = server.desk.again(self._repeat, data)
            if answer is not None:
                self.deadline = server.time() + server.limits.idle_seconds
                self.write(answer)
                return
        if not self.is_over:  # What comes after a refusal is not read.
            self._read(data)

    def _read(self, data: bytes) -> None:
        is_between = self._is_idle() or not self._reader.raw
        self._repeat = self._polled = None
        self._reader.whole = 0
        self._parse(data)
        if self.phase is Phase.HEAD:
            self.server.deadlines.watch(self)
        polled = self._lone_poll() if is_between else None
        if polled is not None:
            self._repeat = self.server.desk.kept(data, *polled, KEPT_OPEN)
        self._polled = None

    def _is_idle(self) -> bool:
        return self.phase is Phase.IDLE

    def _lone_poll(self) -> tuple[Request, Turn] | None:
        """The poll that was answered, where it was one request, no more and no less."""
        return self._polled if self._is_idle() and self._reader.whole == 1 else None

    def _parse(self, data: bytes) -> None:
        try:
            self._reader.feed(data, within=self.phase is Phase.HEAD)
        except httptools.HttpParserUpgrade:
            self.ending = True  # Nothing is spoken here but HTTP/1.1.
            if self.phase is Phase.IDLE:
                self.close()
        except httptools.HttpParserCallbackError as error:
            self.server.trouble(error)
            self.refuse(Refused("unexpected", reason="unexpected"))
        except httptools.HttpParserError:
            self.refuse(Refused("request.malformed", reason="malformed"))

    # --- the reader -------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """Whether nothing that comes matters any more."""
        return self.phase is Phase.ENDED

    def begins(self) -> None:
        """The first byte of a request is there."""
        if self.phase is Phase.IDLE:
            self.phase, self._reader.raw = Phase.HEAD, 1
            self.deadline = self.server.time() + self.server.limits.head_seconds

    def asked(self, request: Request) -> None:
        """A request is whole."""
        if self.phase is Phase.WAIT:
            self.news()  # Who asks again has waited long enough.
        if self.phase is Phase.BUSY:
            self._queue(request)
        else:
            self._answer(request)

    # --- ends -------------------------------------------------------------------------------------

    def news(self) -> None:
        """Answers the poll that waits."""
        if self._turn is None:
            return
        turn, request = self._turn
        self._leave_wait()
        self.send(self.server.desk.reply(turn, head=request.method == "HEAD"), request)

    def expired(self) -> None:
        """The deadline has passed."""
        if self.phase is Phase.WAIT and not self.stuck:
            self.news()
        elif self.phase is Phase.HEAD and self._reader.raw and not self.stuck:
            self.refuse(Refused("request.slow", reason="slow_head"))
        else:
            super().expired()

    def shut(self) -> None:
        """The server ends: who waits is answered, who asks nothing is closed."""
        if self.phase is Phase.WAIT:
            self.news()
        elif self.phase is Phase.IDLE or (self.phase is Phase.HEAD and not self._reader.raw):
            self.close()

    def refuse(self, refused: Refused) -> None:
        """An answer to what is no request; the connection is over."""
        self._leave_wait()
        super().refuse(refused)

    def close(self) -> None:
        """Ends it once what was written is out."""
        self._leave_wait()
        super().close()

    def _leave_wait(self) -> None:
        if self._turn is not None:
            screen = self._turn[0].screen
            self._turn = None
            self.server.waiting.leave(screen.pair, screen.screen_id, self)

    # --- answers ----------------------------------------------------------------------------------

    def _answer(self, request: Request) -> None:
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
                self.due_in(self.server.limits.busy_seconds)
                self._task = self.server.loop.create_task(self._fetch(request, place))
                self.read_on(False)
        except TargetError:
            self.refuse(Refused("request.malformed", reason="malformed"))
        except Refused as refused:
            self.send(self.server.desk.refuse(refused), request, refused=bool(refused.reason))

    def _answer_at(self, request: Request, place: Place) -> None:
        if place.kind == "feed":
            self._answer_poll(request, place)
        elif place.kind == "frame":
            self.send(self.server.desk.frame(request, place), request)
        elif place.kind == "hints":
            raise Refused("not-found", _NO_HINTS)
        else:
            self.send(self.server.report(place.kind, request.method), request)

    def _answer_poll(self, request: Request, place: Place) -> None:
        turn = self.server.desk.turn(request, place)
        if turn.wait and not self.server.closing:
            turn.waited = True
            if self.server.waiting.join(turn.screen.pair, turn.screen.screen_id, self):
                self._turn, self.phase = (turn, request), Phase.WAIT
                self.due_in(turn.wait)
                return
        self._polled = (request, turn)
        self.send(self.server.desk.reply(turn, head=request.method == "HEAD"), request)

    # --- what memory lacks ------------------------------------------------------------------------

    async def _fetch(self, request: Request, place: Place) -> None:
        """Answers what memory lacked, then what came behind it."""
        refused: Refused | None = None
        try:
            await self.server.desk.fetch(request, place)
        except Refused as error:
            refused = error
        except Exception as error:  # noqa: BLE001 (the last one to see it)
            self.server.trouble(error)
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
            self.send(self.server.desk.refuse(again), request)
        except Refused as error:
            self.send(self.server.desk.refuse(error), request, refused=bool(error.reason))
        self._go_on()

    def _go_on(self) -> None:
        while self._behind and self.phase in {Phase.IDLE, Phase.WAIT}:
            if self.phase is Phase.WAIT:
                self.news()
            self._answer(self._behind.popleft())
        if self.phase in {Phase.IDLE, Phase.WAIT, Phase.HEAD} and not self.stuck:
            self.read_on(True)

    def _queue(self, request: Request) -> None:
        if self._behind is None:
            self._behind = deque()
        if len(self._behind) >= self.server.limits.pipelined:
            self.refuse(Refused("tries", reason="pipelined"))
        else:
            self._behind.append(request)
