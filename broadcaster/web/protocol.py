"""The web role's connections: uvicorn's, with bounds of heads, and polls of feeds answered at once.

A poll through ASGI costs a scope, a task and two messages: half of its CPU. Here a poll by a key that
memory knows is answered where its last byte is parsed; all else goes the usual way.
"""

import asyncio
import random
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from broadcaster.web.edge.desk import Elsewhere, Refused, Turn
from broadcaster.web.edge.request import Request, place_of
from broadcaster.web.front import COME_BACK, Front
from broadcaster.web.polls import FEED_PATH, FORMS, asked

HEAD_BYTES = 16_384
"""Request line and headers together; cookies and a sign-in by the city's provider need some 4 kB."""
HEADERS = 100
HEAD_SECONDS = 10.0
"""From the first byte of a request to the end of its head, and from connecting to the first byte."""
LINGER = 2.0
"""Seconds that are still read after a refusal: to close at once would reset it before it is read."""

_FEEDS = {(FEED_PATH + suffix).encode() for suffix in FORMS}
_BODIED = {b"content-length", b"transfer-encoding", b"expect"}


class FeedProtocol(HttpToolsProtocol):
    """One client's connection to a Front."""

    head_bytes, headers_most, head_seconds = HEAD_BYTES, HEADERS, HEAD_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.front = cast("Front", self.config.app)
        self._in_head, self._over, self._asked = False, False, False
        self._raw = self._size = self._whole = 0
        self._slow_timer: asyncio.TimerHandle | None = None
        self._request: Request | None = None
        """The poll whose last byte is still to come."""
        self._kept: Turn | None = None
        """The last poll, and its bytes: the same ones mean the same again."""
        self._same, self._last = b"", 0.0
        self._turn: Turn | None = None
        """The poll that waits for news."""
        self._news: asyncio.Future[None] | None = None
        self._patience: asyncio.TimerHandle | None = None

    # --- the transport ----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        super().connection_made(transport)
        self._slow_timer = self.loop.call_later(self.head_seconds, self._slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, or we have closed."""
        self._over = True
        self._hurried()
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request, or of several."""
        if self._over:
            return
        kept = self._kept
        if kept is not None:
            # The same bytes at the same place mean the same, while the key lives and is that screen's.
            if data == self._same and self.front.desk.stands(kept) and not self.flow.write_paused:
                self._last = self.loop.time()
                self._send(kept)
                return
            self._kept, self._same = None, b""
        began_within, self._whole = self._in_head, 0
        super().data_received(data)
        if self._in_head and not self._over:
            self._raw += len(data)
            if self._raw > 4 * self.head_bytes:
                self._refuse(
                    "request.head", "head_too_large"
                )  # The parser keeps a header that does not end.
            elif self._slow_timer is None:
                self._slow_timer = self.loop.call_later(self.head_seconds, self._slow)
        if self._kept is not None:
            self._keep(data, alone=not began_within)

    def _keep(self, data: bytes, *, alone: bool) -> None:
        """Remembers the bytes of the poll that was answered, if they were that one request and no more."""
        if alone and not self._in_head and self._whole == 1:
            self._same = data
        else:
            self._kept = None

    def shutdown(self) -> None:
        """The server ends: who waits is answered, and told to come back a little later."""
        if self._turn is not None:
            self._told(last=True)
        else:
            super().shutdown()

    def timeout_keep_alive_handler(self) -> None:
        """The time between requests is up, if none came that was answered from the kept one."""
        left = self._last + self.timeout_keep_alive - self.loop.time()
        if left > 0 and not self._over:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP."""
        if not self._over:
            self.front.desk.refused["malformed"] += 1
            self._over = True
            super().send_400_response(msg)

    # --- the parser -------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A request begins; its scope is made when its head is whole, if it needs one."""
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._in_head, self._asked, self._raw, self._size = True, True, 0, 0

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        self.url += url
        self._grow(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, whole."""
        super().on_header(name, value)
        self._grow(len(name) + len(value) + 4)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._hurried()
        if self._over:
            return
        if self._turn is not None:
            self._told()  # Who asks again has waited long enough.
        self._request = self._poll()
        if self._request is not None:
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        if not self._over:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        if self._over:
            return
        self._whole += 1
        request, self._request = self._request, None
        if request is None:
            super().on_message_complete()
            return
        place = place_of(request.target)
        assert place is not None
        try:
            turn = self.front.desk.turn(request, place)
        except Elsewhere:
            self._the_usual_way()
            return
        except Refused as refused:
            reply = self.front.desk.refuse(refused)
            self.transport.write(reply.head + b"\r\n" + reply.body)
            self._idle()
            return
        self.server_state.total_requests += 1
        if turn.wait and self._waits(turn):
            return
        if not request.prefer:
            self._kept = turn
        self._send(turn)
        self._idle()

    def _the_usual_way(self) -> None:
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        self.headers.extend(headers)
        super().on_headers_complete()
        super().on_message_complete()

    def _poll(self) -> Request | None:
        """The request, where it is a poll that may be answered here; the desk says whether it can."""
        parser: Any = self.parser
        if (
            self.url not in _FEEDS
            or parser.get_method() != b"GET"
            or parser.get_http_version() != "1.1"
            or not parser.should_keep_alive()
            or parser.should_upgrade()
            or self.flow.write_paused
            or self._is_answering()
        ):
            return None
        if any(name in _BODIED for name, _ in self.headers):
            return None
        authorization, tags, prefer, state = asked(self.headers)
        if authorization[:7].lower() != "bearer ":
            return None
        return Request("GET", self.url, authorization, tags, prefer, state, keep_alive=True)

    def _is_answering(self) -> bool:
        cycle: Any = self.cycle  # None before the first request, whatever its type says.
        return bool(self.pipeline) or not (cycle is None or cycle.response_complete)

    # --- answers ----------------------------------------------------------------------------------

    def _send(self, turn: Turn, *, last: bool = False) -> None:
        reply = self.front.desk.reply(turn, head=False)
        end = b"connection: close\r\n\r\n" if last else b"\r\n"
        if turn.waited and self.front.waiters.closed:
            # Ten thousand who come back at once would be the first thing the next process meets.
            end = b"retry-after: %d\r\n%s" % (random.randint(1, COME_BACK), end)  # noqa: S311 (spread)
        self.transport.write(reply.head + end + reply.body)

    def _idle(self) -> None:
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _waits(self, turn: Turn) -> bool:
        turn.waited = True
        news = self.front.waiters.join(turn.screen.pair, turn.screen.screen_id)
        if news is None:
            return False
        self._turn, self._news = turn, news
        news.add_done_callback(self._heard)
        self._patience = self.loop.call_later(turn.wait, self._told)
        return True

    def _heard(self, news: asyncio.Future[None]) -> None:
        if news is self._news:
            self._told()

    def _told(self, *, last: bool = False) -> None:
        """Answers the poll that waits."""
        turn = self._turn
        self._leave()
        if turn is None or self.transport.is_closing():
            return
        self._send(turn, last=last)
        if last:
            self.transport.close()
        else:
            self._idle()

    def _leave(self) -> None:
        turn, news, patience = self._turn, self._news, self._patience
        self._turn = self._news = self._patience = None
        if patience is not None:
            patience.cancel()
        if turn is not None and news is not None:
            self.front.waiters.leave(turn.screen.pair, turn.screen.screen_id, news)

    # --- refusals ---------------------------------------------------------------------------------

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self.head_bytes or len(self.headers) > self.headers_most:
            self._refuse("request.head", "head_too_large")

    def _hurried(self) -> None:
        if self._slow_timer is not None:
            self._slow_timer.cancel()
            self._slow_timer = None

    def _slow(self) -> None:
        self._slow_timer = None
        if self._over or self.transport.is_closing():
            return
        if self._asked:
            self._refuse("request.slow", "slow_head")
        else:
            self.transport.close()  # It never asked for anything.

    def _refuse(self, kind: str, reason: str) -> None:
        """An answer to what is no request; the connection is over."""
        if self._over:
            return
        self._over = True
        self._leave()
        self._hurried()
        self._unset_keepalive_if_required()
        reply = self.front.desk.refuse(Refused(kind, reason=reason))
        if self._is_answering():
            self.transport.close()  # Another answer is on its way: this one cannot overtake it.
            return
        self.transport.write(reply.head + b"connection: close\r\n\r\n" + reply.body)
        self.transport.write_eof()
        self.loop.call_later(LINGER, self.transport.close)
