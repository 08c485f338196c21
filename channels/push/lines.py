"""As many connections as the answers' delay asks for, and the queue of requests before them."""

import asyncio
import ssl
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import structlog

from channels.push.exchange import STREAMS
from channels.push.line import Line
from channels.push.request import Headers, Loss, Order, Request

log = structlog.get_logger(__name__)

IDLE = 60.0
"""A line unused so long is given up: one that died unseen would cost an emergency a whole deadline."""
OPENING = 2
"""Connections that are made at a time."""
HANDBACKS = 3
"""So often a request is tried anew that a peer gave back unread; then it is deferred."""
LEFT_OVER = 16
"""The same where its connection ended first: that says nothing of the request, and a peer that goes
through its connections quickly takes some requests through several."""
FIRST_STREAM = 1
UNWANTED = "UNWANTED"
"""Nobody waits for the request any more; it was not sent."""
PAUSE = 0.5
"""Seconds after a connection could not be made."""


class Lines:
    """Connections to one origin, at most so many.

    The first with room is used, so those beyond what delay and rate call for fall idle and are given
    up: streams in use are the rate times the delay, whatever either is.
    """

    def __init__(self, origin: str, ca_file: Path | None, most: int, timeout: float) -> None:
        parts = urlsplit(origin)
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._context = ssl.create_default_context()
        if ca_file:
            self._context.load_verify_locations(ca_file)
        self._context.set_alpn_protocols(["h2"])
        self._most, self._timeout = most, timeout
        self._lines: list[Line] = []
        self._queue = deque[Request]()
        self._opening = set[asyncio.Task[None]]()
        self._pumping = False
        self._rest_until = 0.0
        self._reaper: asyncio.TimerHandle | None = None

    @property
    def open(self) -> int:
        """Connections now."""
        return len(self._lines)

    @property
    def busy(self) -> bool:
        """Whether anything waits, or waits for its answer."""
        return bool(self._queue) or any(line.busy for line in self._lines)

    def post(self, order: Order, headers: Headers, bodies: Iterable[tuple[int, bytes]]) -> None:
        """Sends each body; `order` hears of each, by its place. Any loss but a refusal is told at once."""
        self._queue.extend(Request(order, place, headers, body) for place, body in bodies)
        self._wake()

    async def close(self) -> None:
        """Hangs up."""
        if self._reaper:
            self._reaper.cancel()
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        for line in self._lines:
            await line.hang_up()

    # --- what waits ----------------------------------------------------------------------------------

    def _wake(self) -> None:
        """Once a turn of the loop, however many answers came in it."""
        if not self._pumping:
            self._pumping = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        self._pumping = False
        self._lines = [line for line in self._lines if not line.closed]
        now = monotonic()
        for line in self._lines:
            if not self._queue:
                break
            self._fill(line, now)
        if self._queue:
            self._open_more(now)

    def _fill(self, line: Line, now: float) -> None:
        queue = self._queue
        while queue and line.takes(len(queue[0].body)):
            request = queue.popleft()
            if request.order.wants(request.place):
                line.send(request, now)
            else:
                request.order.answered(request.place, Loss(UNWANTED, ambiguous=False))
        line.flush()

    def _hand_back(self, requests: list[Request]) -> None:
        """Puts what a peer did not look at before all else; not for ever."""
        for request in reversed(requests):
            if request.refused > HANDBACKS or request.left_over > LEFT_OVER:
                request.order.answered(request.place, Loss("STREAM_REFUSED", ambiguous=False))
            else:
                self._queue.appendleft(request)
        self._wake()

    # --- connections -----------------------------------------------------------------------------------

    def _open_more(self, now: float) -> None:
        """Where all streams are in use: one that is new for each hundred that wait, a few at a time."""
        room = min(
            OPENING - len(self._opening),
            self._most - len(self._opening) - sum(not line.draining for line in self._lines),
            -(-len(self._queue) // STREAMS) - len(self._opening),
        )
        if now < self._rest_until:
            asyncio.get_running_loop().call_later(self._rest_until - now, self._wake)
            return
        for _ in range(room):
            task = asyncio.get_running_loop().create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opened)

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        line = Line(self._timeout, self._wake, self._hand_back, FIRST_STREAM)
        try:
            async with asyncio.timeout(self._timeout / 2):
                await loop.create_connection(lambda: line, self._host, self._port, ssl=self._context)
                await line.ready
        except (OSError, TimeoutError) as error:
            self._no_line(error)
        else:
            self._lines.append(line)
            if self._reaper is None:
                self._reaper = loop.call_later(IDLE / 4, self._reap)
        finally:
            if line not in self._lines:
                await line.hang_up()

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        self._wake()

    def _no_line(self, error: Exception) -> None:
        self._rest_until = monotonic() + PAUSE
        if any(not line.closed for line in self._lines):
            return
        log.warning("push.no_connection", error=type(error).__name__)
        waiting, self._queue = self._queue, deque[Request]()
        for request in waiting:
            request.order.answered(request.place, Loss("CONNECTION_FAILED", ambiguous=False))

    def _reap(self) -> None:
        now = monotonic()
        for line in self._lines:
            if not line.busy and now - line.idle_since > IDLE:
                line.close()
        self._reaper = asyncio.get_running_loop().call_later(IDLE / 4, self._reap)
