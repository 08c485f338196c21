"""Everyone who listens, and the one look at the views that serves them all.

It belongs to the event loop. While nobody listens it does nothing; while anyone does, one small
question every half second asks whether the views, or what is shown beside them, have moved, and only
then is a snapshot made.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import structlog
from psycopg_pool import ConnectionPool
from starlette.concurrency import run_in_threadpool

from broadcaster.accounts.sessions import Sessions
from broadcaster.web.live.beside import Requested, drafts_moved, marks
from broadcaster.web.live.sight import Scope, Sight, frame, see

log = structlog.get_logger(__name__)

PACE = 0.5
"""Seconds between looks; no browser is told more often."""
CHECK = 5.0
"""Seconds between looks at the sessions: so long at most does a stream outlive its session."""
BEAT = 15.0
"""Seconds of silence after which a comment is sent, so that a dead connection is noticed."""
MOST_OF_SESSION = 4
MOST = 2000

End = Literal["session", "newer", "closing"]
"""Why a stream ends: nobody is signed in; the session has newer ones; the server goes down."""

# A second question would be another moment; what is read after these is never older than them.
_PLACES = "SELECT name, position FROM projection_positions WHERE name IN ('board', 'reach') ORDER BY name"


@dataclass(eq=False)
class Listener:
    """One stream. It is told that there is news, and takes what is the newest then."""

    session: UUID
    account: str
    scope: Scope
    news: asyncio.Event = field(default_factory=asyncio.Event)
    ended: End | None = None

    def end(self, why: End) -> None:
        """Ends the stream, once it has been told why."""
        self.ended = self.ended or why
        self.news.set()


class Hub:
    """The listeners of one web process. `scope_of` answers the bodies of an account."""

    def __init__(
        self,
        pool: ConnectionPool[Any],
        sessions: Sessions,
        scope_of: Callable[[str], Scope],
        clock: Callable[[], datetime],
        requested: Requested,
        *,
        most: int = MOST,
    ) -> None:
        self.requested = requested
        self._pool, self._sessions, self._scope_of, self._clock = pool, sessions, scope_of, clock
        self.most = most
        self._listeners: list[Listener] = []
        self._task: asyncio.Task[None] | None = None
        self._places: object = None
        self._check_at = 0.0
        self._trouble = self._closing = False
        self.sight: Sight | None = None
        self.looks = 0
        """Snapshots made so far."""

    def __len__(self) -> int:
        return len(self._listeners)

    @property
    def is_full(self) -> bool:
        """Whether so many listen that one more must be refused."""
        return len(self._listeners) >= self.most

    def join(self, session: UUID, account: str, scope: Scope) -> Listener:
        """One more listener; of a session that has too many the oldest is ended."""
        mine = Listener(session, account, scope)
        of_session = [each for each in self._listeners if each.session == session and not each.ended]
        for each in of_session[: max(0, len(of_session) + 1 - MOST_OF_SESSION)]:
            each.end("newer")
        self._listeners.append(mine)
        if self._closing:
            mine.end("closing")
        elif self._task is None or self._task.done():
            self._task = asyncio.create_task(self._follow())
        return mine

    def leave(self, listener: Listener) -> None:
        """One less; again is harmless."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def recheck(self) -> None:
        """Has the next look ask for the sessions too, however lately it did."""
        self._check_at = 0.0

    def close(self) -> None:
        """Ends every stream, and every one to come."""
        self._closing = True
        for each in self._listeners:
            each.end("closing")

    async def frames(self, session: UUID, account: str, scope: Scope) -> AsyncGenerator[bytes]:
        """What goes out to one listener, until it ends or its client leaves."""
        # It joins here, not before: a client that is gone already never begins to read, and would stay.
        listener = self.join(session, account, scope)
        alerts = mine = b""
        try:
            while listener.ended is None:
                listener.news.clear()
                if (sight := self.sight) is not None:
                    # Between two looks at a slow client only the newest is left: each is a whole.
                    if sight.alerts != alerts:
                        alerts = sight.alerts
                        yield alerts
                    if (now := sight.mine(listener.scope)) != mine:
                        mine = now
                        yield mine
                try:
                    async with asyncio.timeout(BEAT):
                        await listener.news.wait()
                except TimeoutError:
                    yield b": \n\n"
            yield frame("end", {"why": listener.ended})
        finally:
            self.leave(listener)

    async def _follow(self) -> None:
        while self._listeners and not self._closing:
            before = self.sight
            asked = {each.session: each.account for each in self._listeners}
            try:
                holding = await run_in_threadpool(self._look, asked)
            except Exception as error:
                # Of the database, or a bug of ours. Who listens keeps what was told last, and is told more
                # when it is over; a task that died unseen would leave them with numbers that look alive.
                if not self._trouble:
                    log.exception("live_stale", error=type(error).__name__)
                self._trouble = True
            else:
                self._trouble = False
                if holding is not None:
                    self._sift(asked, holding)
                if self.sight is not before or holding is not None:
                    for each in self._listeners:
                        each.news.set()
            await asyncio.sleep(PACE)
        # Who comes next is not told what was true when the last one left.
        self.sight = self._places = None

    def _sift(self, asked: dict[UUID, str], holding: dict[UUID, Scope]) -> None:
        for each in self._listeners:
            if each.session in holding:
                each.scope = holding[each.session]
            elif each.session in asked:  # else it came while the question was out
                each.end("session")

    def _look(self, asked: dict[UUID, str]) -> dict[UUID, Scope] | None:
        """In a thread: a new sight if the views have moved; at times, the sessions that still hold."""
        at = self._clock()
        requests = self.requested.get(at)
        with self._pool.connection() as conn:
            places = (conn.execute(_PLACES).fetchall(), drafts_moved(conn), requests)
            if places != self._places or self.sight is None:
                self.sight, self._places = see(conn, at, marks(conn, requests)), places
                self.looks += 1
            if time.monotonic() < self._check_at:
                return None
            self._check_at = time.monotonic() + CHECK
            holding = self._sessions.still(conn, asked, self._clock())
        scopes = {account: self._scope_of(account) for account in {asked[session] for session in holding}}
        return {session: scopes[asked[session]] for session in holding}
