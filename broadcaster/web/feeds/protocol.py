"""Polls of feeds, and pages of which there is a copy, answered where their last byte is parsed.

All else goes the usual way. A poll through ASGI costs a scope, a task and two messages: half of its CPU.
"""

import asyncio
import random
from typing import Any

from broadcaster.web.bounded import BoundedProtocol
from broadcaster.web.edge.answers import Elsewhere, Refused
from broadcaster.web.edge.repeat import Repeat
from broadcaster.web.edge.request import Request, place_of
from broadcaster.web.edge.turn import Turn
from broadcaster.web.feeds.front import COME_BACK
from broadcaster.web.feeds.polls import FEED_PATH, FORMS, asked

NEWCOMER = 0.5
"""Seconds that a connection which has asked for nothing yet outlives the server's end."""

_FEEDS = {(FEED_PATH + suffix).encode() for suffix in FORMS}
_BODIED = {b"content-length", b"transfer-encoding", b"expect"}


class FeedProtocol(BoundedProtocol):
    """One client's connection to a Front."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._whole = 0
        """Requests that became whole in the bytes that are read."""
        self._request: Request | None = None
        """The poll whose last byte is still to come."""
        self._page: bytes | None = None
        """The whole answer to what is asked, once its last byte has come."""
        self._polled: tuple[Request, Turn] | None = None
        """The poll that was answered last, in the bytes that are read."""
        self._repeat: Repeat | None = None
        self._last = 0.0
        """When it was answered from that."""
        self._turn: Turn | None = None
        """The poll that waits for news."""
        self._news: asyncio.Future[None] | None = None
        self._patience: asyncio.TimerHandle | None = None

    # --- the transport ----------------------------------------------------------------------------

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, or we have closed."""
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request, or of several."""
        if self._repeat is not None and not self._over and not self.flow.write_paused:
            answer = self.front.desk.again(self._repeat, data)
            if answer is not None:
                self._last = self.loop.time()
                self.transport.write(answer)
                return
        began_within, self._whole = self._in_head, 0
        self._repeat = self._polled = None
        super().data_received(data)
        polled = None if began_within else self._lone_poll()
        if polled is not None:
            self._repeat = self.front.desk.kept(data, *polled, b"\r\n")

    def _lone_poll(self) -> tuple[Request, Turn] | None:
        """The poll that was answered, where it was one request, no more and no less."""
        return self._polled if self._whole == 1 and not self._in_head and not self._over else None

    def shutdown(self) -> None:
        """The server ends: who waits is answered, and told to come back a little later."""
        if self._turn is not None:
            self._told(last=True)
        elif not self._asked:
            # It has only just come, from those who waited to be taken in: its request is on the way.
            self.loop.call_later(NEWCOMER, self._shut)
        else:
            super().shutdown()

    def _shut(self) -> None:
        if not self.transport.is_closing():
            super().shutdown()

    def timeout_keep_alive_handler(self) -> None:
        """The time between requests is up, if none came that was answered from the kept one."""
        left = self._last + self.timeout_keep_alive - self.loop.time()
        if left > 0 and not self._over:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    # --- the parser -------------------------------------------------------------------------------

    def head_whole(self) -> None:
        """The head is whole, and within its bounds."""
        if self._turn is not None:
            self._told()  # Who asks again has waited long enough.
        self._page = None
        self._request = self._poll()
        if self._request is None:
            self._page = self._copy()
            if self._page is None:
                self.to_asgi()

    def on_message_complete(self) -> None:
        """A request is whole."""
        if self._over:
            return
        self._whole += 1
        request, self._request = self._request, None
        if request is None:
            self._not_polled()
            return
        place = place_of(request.target)
        assert place is not None
        try:
            turn = self.front.desk.turn(request, place)
        except Elsewhere:
            self.to_asgi()
            super().on_message_complete()
            return
        except Refused as refused:
            reply = self.front.desk.refuse(refused)
            self.transport.write(reply.head + b"\r\n" + reply.body)
            self._idle()
            return
        self.server_state.total_requests += 1
        if turn.wait and self._waits(turn):
            return
        self._polled = (request, turn)
        self._send(turn)
        self._idle()

    def _not_polled(self) -> None:
        page, self._page = self._page, None
        if page is None:
            super().on_message_complete()
            return
        self.server_state.total_requests += 1
        parser: Any = self.parser
        self.transport.write(page)
        if parser.should_keep_alive():
            self._idle()
        else:
            self._over = True
            self._unset_keepalive_if_required()
            self.transport.close()

    def _copy(self) -> bytes | None:
        """The answer, where there is a copy of it and it may be given here."""
        if not self._is_quick():
            return None
        parser: Any = self.parser
        return self.front.copies.ready(self.url, self.headers, last=not parser.should_keep_alive())

    def _is_quick(self) -> bool:
        """Whether it is a question without a body, and nothing stands before its answer."""
        parser: Any = self.parser
        if (
            parser.get_method() != b"GET"
            or parser.get_http_version() != "1.1"
            or parser.should_upgrade()
            or self.flow.write_paused
            or self.is_answering()
        ):
            return False
        return not any(name in _BODIED for name, _ in self.headers)

    def _poll(self) -> Request | None:
        """The request, where it is a poll that may be answered here; the desk says whether it can."""
        parser: Any = self.parser
        if self.url not in _FEEDS or not parser.should_keep_alive() or not self._is_quick():
            return None
        authorization, tags, prefer, state = asked(self.headers)
        if authorization[:7].lower() != "bearer ":
            return None
        return Request("GET", self.url, authorization, tags, prefer, state, keep_alive=True)

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

    def _refuse(self, kind: str, reason: str) -> None:
        """An answer to what is no request; the connection is over."""
        self._leave()
        super()._refuse(kind, reason)
