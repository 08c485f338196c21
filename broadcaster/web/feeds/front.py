"""In front of the framework: the feed that every screen polls, and pages of the public, from memory.

It is raw ASGI because a poll through the framework costs five times as much, and ten thousand
screens poll every ten seconds. Whatever it does not know, it passes on: api/screen_own.py gives the same
answers from the database.
"""

import random
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from broadcaster.keys.text import split
from broadcaster.screens.signing import Asked, Nonces, SignatureError, check, fresh, is_signed, parse
from broadcaster.web.copies.desk import Copies
from broadcaster.web.edge.desk import Desk
from broadcaster.web.edge.turn import Caller
from broadcaster.web.feeds import polls
from broadcaster.web.feeds.cache import FeedCache
from broadcaster.web.feeds.hints import Hints
from broadcaster.web.feeds.known_screens import KnownScreen, Pair
from broadcaster.web.feeds.polls import (
    FEED_PATH,
    FLASHING_WAIT,
    FORMS,
    HINTS_PATH,
    ServedCount,
    matches,
    note,
    server_time,
    target_of,
    wait_asked,
)
from broadcaster.web.feeds.served import Form
from broadcaster.web.feeds.waiters import Waiters, until_news

COME_BACK = 5
"""Seconds over which waiting screens come back to a house that restarts."""

_METHODS = {"GET", "HEAD"}
_SUFFIXES = {FEED_PATH + suffix: suffix for suffix in FORMS}


class Front:
    """The ASGI application: the feed, then everything else."""

    def __init__(  # noqa: PLR0917 (each of another type; the composition root alone calls it)
        self,
        app: ASGIApp,
        cache: FeedCache,
        clock: Callable[[], datetime],
        served: dict[UUID, ServedCount],
        nonces: Nonces,
        desk: Desk,
        copies: Copies,
    ) -> None:
        self.app, self.cache, self._clock, self.served = app, cache, clock, served
        self._nonces = nonces
        self.desk = desk
        """What answers polls before they are ASGI's (protocol.py)."""
        self.copies = copies
        """What passers-by are answered from."""
        self.waiters = Waiters()
        self.hints = Hints(cache, clock, served)
        self.closing: Callable[[], None] = lambda: None
        """Ends what the framework keeps open."""
        cache.heard = self._news_of

    def _news_of(self, pairs: set[Pair]) -> None:
        self.waiters.news(pairs)
        self.hints.waiters.news(pairs)

    def release(self) -> None:
        """Ends what is kept open, since the server stops; to be called in its loop."""
        self.waiters.close()
        self.hints.waiters.close()
        self.closing()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection or the lifespan."""
        if scope["type"] == "http" and scope["method"] in _METHODS:
            suffix = _SUFFIXES.get(scope["path"])
            if suffix is not None:
                said = polls.asked(scope["headers"])
                if await self._answer(scope, suffix, said, receive, send):
                    return
                if is_signed(said.authorization):
                    send = self._vouching(said.authorization, send)
            if scope["path"] == HINTS_PATH and await self._hint(scope, receive, send):
                return
            if suffix is None and await self.copies.answer(self.app, scope, receive, send):
                return
        await self.app(scope, receive, send)

    def _vouching(self, authorization: str, send: Send) -> Send:
        """Sends the framework's answer to a signed poll with what says that it is ours."""

        async def vouch(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in {200, 304}:
                given = {name.lower(): value.decode("latin-1") for name, value in message["headers"]}
                said = parse(authorization)
                screen = self.cache.screens.screen_by(said.key_id)
                key = self.cache.screens.signing_key(screen, said.key_id) if screen else None
                if key is not None:
                    tag, now = given.get(b"etag", ""), given.get(b"x-server-time", "")
                    told = fresh(key, said.nonce, message["status"], tag, now).encode()
                    message = {**message, "headers": [*message["headers"], (b"x-feed-fresh", told)]}
            await send(message)

        return vouch

    async def _answer(
        self, scope: Scope, suffix: str, said: polls.Asked, receive: Receive, send: Send
    ) -> bool:
        authorization, tags, prefer, state = said
        caller = self._caller(scope, suffix, authorization)
        form = self.cache.form_of(caller.screen, suffix) if caller else None
        if caller is None or form is None:
            return False
        screen, waited = caller.screen, 0
        unchanged = matches(tags, form.etag)
        if unchanged and prefer:
            waited = wait_asked(prefer)
            if waited:
                if self.cache.screens.flash(screen.screen_id, self._clock()):
                    waited = min(waited, FLASHING_WAIT)
                form = await self._news(screen, suffix, form, receive, waited)
                unchanged = matches(tags, form.etag)
        if screen.succeeds:
            self.cache.screens.used.add(caller.key_id)
        now = self._clock()
        note(self.served, screen.screen_id, now, unchanged=unchanged, state=state)
        more = [(b"x-server-time", server_time(now).encode())]
        if until := self.cache.screens.flash(screen.screen_id, now):
            more.append((b"x-screen-identify", server_time(until).encode()))
        if waited:
            more.append((b"preference-applied", b"wait=%d" % waited))
            if self.waiters.closed:
                # Ten thousand who come back at once would be the first thing the next process meets.
                more.append((b"retry-after", b"%d" % random.randint(1, COME_BACK)))  # noqa: S311 (spread)
        if caller.signing_key:
            status, tag = 304 if unchanged else 200, form.etag.decode()
            told = fresh(caller.signing_key, caller.nonce, status, tag, server_time(now))
            more.append((b"x-feed-fresh", told.encode()))
        await _send(send, form, more, unchanged=unchanged, head=scope["method"] == "HEAD")
        return True

    async def _hint(self, scope: Scope, receive: Receive, send: Send) -> bool:
        caller = self._caller(scope, "", polls.asked(scope["headers"]).authorization)
        if caller is None or scope["method"] != "GET":
            return False
        return await self.hints.stream(caller.screen, caller.key_id, receive, send)

    def _caller(self, scope: Scope, suffix: str, authorization: str) -> Caller | None:
        parts = split(authorization[7:].strip()) if authorization[:7].lower() == "bearer " else None
        if parts is None:
            return self._signer(scope, suffix, authorization)
        screen = self.cache.screens.screen(*parts)
        return Caller(screen, parts[0]) if screen else None

    def _signer(self, scope: Scope, suffix: str, authorization: str) -> Caller | None:
        """Who signed the poll; nobody where the framework's route must say what is wrong with it."""
        if not is_signed(authorization):
            return None
        try:
            said = parse(authorization)
            screen = self.cache.screens.screen_by(said.key_id)
            # A nonce is taken once: not by a poll that is then passed on.
            if screen is None or self.cache.form_of(screen, suffix) is None:
                return None
            now = self._clock()
            key = self.cache.screens.signing_key(screen, said.key_id)
            check(said, key, Asked(scope["method"], target_of(scope)), now)
            self._nonces.take(said.key_id, said.nonce, now.timestamp())
        except SignatureError:
            return None
        return Caller(screen, said.key_id, said.nonce, key or b"")

    async def _news(
        self, screen: KnownScreen, suffix: str, form: Form, receive: Receive, seconds: float
    ) -> Form:
        """The form once it has changed, or as it is when the time is up."""
        news = self.waiters.join(screen.pair, screen.screen_id)
        if news is None:
            return form
        try:
            # It may have changed between the look and the joining.
            if self.cache.form_of(screen, suffix) is form:
                await until_news(news, receive, seconds)
        finally:
            self.waiters.leave(screen.pair, screen.screen_id, news)
        return self.cache.form_of(screen, suffix) or form


async def _send(
    send: Send, form: Form, more: list[tuple[bytes, bytes]], *, unchanged: bool, head: bool
) -> None:
    headers = form.unchanged if unchanged else form.whole
    status = 304 if unchanged else 200
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *more]})
    await send({"type": "http.response.body", "body": b"" if unchanged or head else form.body})
