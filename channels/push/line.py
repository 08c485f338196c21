"""One HTTP/2 connection on its socket: what is written when, and how long the peer may be silent."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import cast

import structlog
from hpack import HPACKError

from channels.push.exchange import GREETING, Exchange
from channels.push.frames import Http2Error
from channels.push.request import Handback, Request

log = structlog.get_logger(__name__)

PATIENCE = 5.0
"""Seconds of silence, while answers are awaited, until the peer is asked for a sign of life; and again
until it is given up."""
TICK = 0.25


class Line(Exchange, asyncio.Protocol):
    """The client's end of one connection. `freed` is called when it can take requests again."""

    def __init__(
        self, timeout: float, freed: Callable[[], None], handed_back: Handback, first_stream: int = 1
    ) -> None:
        super().__init__(handed_back, first_stream)
        self._timeout, self._freed = timeout, freed
        self._transport: asyncio.Transport | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._heard = self.idle_since = monotonic()
        self._pinged = False
        self.ready = asyncio.get_running_loop().create_future()
        """Done when the peer has said its settings. Its exception, where there is one: OSError."""
        self._gone = asyncio.Event()

    def send(self, request: Request, now: float) -> None:
        """Sends it with the next `flush`. Only where `takes` says so."""
        if not self.busy:
            # A line that was idle has been silent for good reason: the peer owes a word from now on.
            self._heard, self._pinged = now, False
        self.start(request, now + self._timeout)

    def flush(self) -> None:
        """Writes what was started."""
        if self.out and self._transport:
            self._transport.write(b"".join(self.out))
        self.out.clear()

    def close(self) -> None:
        """Hangs up; what has no answer is lost."""
        self.closed = True
        if self._transport:
            self._transport.abort()

    async def hang_up(self) -> None:
        """Closes, and waits until the socket is given back."""
        self.close()
        if self._transport:
            await self._gone.wait()
        if self.ready.done():
            self.ready.exception()

    # --- what the loop tells ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greets the peer."""
        # uvloop's has the methods, not the class.
        self._transport = cast("asyncio.Transport", transport)
        if transport.get_extra_info("ssl_object").selected_alpn_protocol() != "h2":
            self._fail("the peer does not speak HTTP/2")
            return
        self._transport.write(GREETING)
        self._ticker = asyncio.get_running_loop().call_later(TICK, self._tick)

    def data_received(self, data: bytes) -> None:
        """Takes what the peer says."""
        self._heard, self._pinged = monotonic(), False
        try:
            self.feed(data)
        except (Http2Error, HPACKError) as error:
            self._fail(str(error))
            return
        if self.greeted and not self.ready.done():
            self.ready.set_result(None)
        self.flush()
        if not self.busy:
            self.idle_since = self._heard
            if self.draining:
                self.close()
        self._freed()

    def _tick(self) -> None:
        now = monotonic()
        late = self.give_up_late(now)
        if self.busy and now - self._heard > PATIENCE:
            if self._pinged and now - self._heard > 2 * PATIENCE:
                self._fail("no sign of life")
                return
            if not self._pinged:
                self._pinged = True
                self.ping()
        self.flush()
        if late:
            self._freed()
        self._ticker = asyncio.get_running_loop().call_later(TICK, self._tick)

    def _fail(self, why: str) -> None:
        if self.ready.done():
            log.warning("push.line_given_up", reason=why, in_doubt=self.busy)
        else:
            self.ready.set_exception(ConnectionError(why))
        self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """What was sent and has no answer may have been read."""
        self.closed = True
        self._gone.set()
        if self._ticker:
            self._ticker.cancel()
        if not self.ready.done():
            self.ready.set_exception(exc if isinstance(exc, OSError) else ConnectionError("closed"))
        self.lose_all()
        self._freed()
