"""What the edge answers: the contract of the feed, from memory, and from the database where it must."""

import asyncio
import hmac
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from broadcaster.keys.text import digest, split
from broadcaster.screens.signing import Nonces, SignatureError, fresh
from broadcaster.web.edge.answers import Elsewhere, Refused, Reply
from broadcaster.web.edge.callers import Callers
from broadcaster.web.edge.frames import Frames
from broadcaster.web.edge.looks import Looks
from broadcaster.web.edge.repeat import Repeat, is_kept
from broadcaster.web.edge.request import Place, Request
from broadcaster.web.edge.stamp import Stamp
from broadcaster.web.edge.turn import Caller, Turn
from broadcaster.web.edge.wire import refusal
from broadcaster.web.feeds.cache import FeedCache
from broadcaster.web.feeds.forms import FeedForms, NotOneBitError
from broadcaster.web.feeds.known_screens import KnownScreen
from broadcaster.web.feeds.polls import (
    FLASHING_WAIT,
    ServedCount,
    count_of,
    matches,
    note,
    server_time,
    wait_asked,
)
from broadcaster.web.feeds.served import Form

_SOON = (b"retry-after", b"1")


class Desk:
    """Belongs to the event loop; what it holds is kept up to date by the cache's thread."""

    def __init__(
        self,
        cache: FeedCache,
        forms: FeedForms,
        clock: Callable[[], datetime],
        served: dict[UUID, ServedCount],
        slow_jobs: int = 64,
    ) -> None:
        self.cache, self._forms, self._clock, self.served = cache, forms, clock, served
        self.frames = Frames(cache, forms.frame)
        self.nonces = Nonces()
        self.refused: Counter[str] = Counter()
        """What was refused, by reason."""
        self._callers, self._looks, self._stamp = Callers(cache, clock), Looks(cache), Stamp(clock)
        self._slow_jobs, self._fetching = slow_jobs, 0

    # --- polls ------------------------------------------------------------------------------------

    def turn(self, request: Request, place: Place) -> Turn:
        """Admits a poll. Raises Refused, and Elsewhere."""
        caller = self._callers.find(request, place)
        form = self._form(caller.screen, place.name)
        if caller.nonce:
            self._take_nonce(caller)  # Once: not by a poll that has to come again.
        wait = wait_asked(request.prefer) if request.prefer and matches(request.tags, form.etag) else 0
        if wait and self.cache.screens.flash(caller.screen.screen_id, self._clock()):
            wait = min(wait, FLASHING_WAIT)
        return Turn(
            caller.screen,
            caller.key_id,
            place.name,
            form,
            request.tags,
            request.state,
            wait,
            nonce=caller.nonce,
            signing_key=caller.signing_key,
        )

    def reply(self, turn: Turn, *, head: bool) -> Reply:
        """The answer to a poll, as things stand now."""
        # Where it has changed while it waited, the next poll has the new form made.
        form = self.cache.form_of(turn.screen, turn.suffix) or turn.form
        unchanged = matches(turn.tags, form.etag)
        if turn.screen.succeeds:
            self.cache.screens.used.add(turn.key_id)
        now, lines = self._stamp.told()
        note(self.served, turn.screen.screen_id, now, unchanged=unchanged, state=turn.state)
        line = (form.head_unchanged if unchanged else form.head_whole) + lines
        if until := self.cache.screens.flash(turn.screen.screen_id, now):
            line += b"x-screen-identify: %s\r\n" % server_time(until).encode()
        if turn.waited:
            line += b"preference-applied: wait=%d\r\n" % turn.wait
        if turn.signing_key:
            status, tag = 304 if unchanged else 200, form.etag.decode()
            told = fresh(turn.signing_key, turn.nonce, status, tag, server_time(now))
            line += b"x-feed-fresh: %s\r\n" % told.encode()
        return Reply(line, b"" if unchanged or head else form.body)

    def kept(self, data: bytes, request: Request, turn: Turn, end: bytes) -> Repeat | None:
        """What to remember of a poll that was just answered; `end` ends the heads of its answers."""
        is_plain = request.method == "GET" and not request.prefer
        if not is_plain or turn.nonce or turn.screen.succeeds or not is_kept(data, turn):
            return None
        return Repeat(data, turn, count_of(self.served, turn.screen.screen_id), end)

    def again(self, kept: Repeat, data: bytes) -> bytes | None:
        """The whole answer to a poll that comes once more; None where it has to be read."""
        if not kept.takes(data):
            return None
        if kept.generation != self.cache.generation and not self._judged(kept):
            return None
        now, lines = self._stamp.told()
        turn, count, screens = kept.turn, kept.count, self.cache.screens
        if screens.flashing and screens.flash(turn.screen.screen_id, now):
            return None
        count.last_seen = now
        if turn.state:
            count.state = turn.state
        if kept.unchanged:
            count.unchanged += 1
            return kept.start + lines + kept.end
        count.whole += 1
        return kept.start + lines + kept.end + turn.form.body

    def _judged(self, kept: Repeat) -> bool:
        """Judges a repeated poll by what is in memory now: the key lives, and the feed has that form.

        A feed that has changed has none but JSON until another is asked for: who were given the former
        one instead, in polls that are always the same bytes, would never hear of the change.
        """
        generation, turn = self.cache.generation, kept.turn  # Read before what it counts changes of.
        form = self.cache.form_of(turn.screen, turn.suffix)
        if form is None or self.cache.screens.screen_by(turn.key_id) != turn.screen:
            return False
        turn.form, kept.unchanged = form, matches(turn.tags, form.etag)
        kept.start = form.head_unchanged if kept.unchanged else form.head_whole
        kept.generation = generation
        return True

    def _take_nonce(self, caller: Caller) -> None:
        try:
            self.nonces.take(caller.key_id, caller.nonce, self._clock().timestamp())
        except SignatureError as error:
            raise self._callers.unsigned(error) from None

    def _form(self, screen: KnownScreen, suffix: str) -> Form:
        form = self.cache.form_of(screen, suffix)
        if form is None:
            raise Elsewhere
        return form

    # --- everything else --------------------------------------------------------------------------

    def frame(self, request: Request, place: Place) -> Reply:
        """The answer to who asks for a frame. Raises Refused, and Elsewhere."""
        found = self.frames.held(place.name)
        if found is None:
            if self.frames.is_named(place.name):
                raise Elsewhere
            raise Refused("not-found", "No feed names such a frame, or it has no such form.")
        start = found.unchanged if matches(request.tags, found.etag) else found.whole
        body = b"" if start is found.unchanged or request.method == "HEAD" else found.body
        return Reply(start + self._stamp.date, body)

    def refuse(self, refused: Refused) -> Reply:
        """The answer to what is refused, which is counted."""
        if refused.reason:
            self.refused[refused.reason] += 1
        start, body = refusal(refused.kind, refused.detail, *refused.headers)
        return Reply(start + self._stamp.date, body)

    async def fetch(self, request: Request, place: Place) -> None:
        """Lets memory have what it lacked, as far as that exists. Raises Refused."""
        try:
            if place.kind == "frame":
                await self._fetch_frame(place.name)
                return
            try:
                screen = self._callers.find(request, place).screen
            except Elsewhere:
                screen = await self._looked_for(request, place)
            await self._make(screen, place.name)
        except (psycopg.OperationalError, PoolTimeout):
            raise Refused("unavailable", None, _SOON, reason="database") from None

    async def _looked_for(self, request: Request, place: Place) -> KnownScreen:
        sent = split(request.authorization[7:].strip())
        if sent:
            self._looks.ask_for(sent[0])
        others = await self._looks.refreshed()
        if sent and hmac.compare_digest(others.get(sent[0], b""), digest(sent[1])):
            text = "This is a key of staff; screens have keys of their own."
            raise Refused("key.kind", text, reason="key_kind")
        return self._callers.found_now(request, place).screen

    async def _fetch_frame(self, file: str) -> None:
        if self._fetching >= self._slow_jobs:
            raise Refused("unavailable", None, _SOON, reason="busy")
        self._fetching += 1
        try:
            await asyncio.to_thread(self.frames.fetch, file)
        finally:
            self._fetching -= 1

    async def _make(self, screen: KnownScreen, suffix: str) -> None:
        feed = self.cache.feed_of(screen)
        if feed is None:
            await self._looks.refreshed()
            feed = self.cache.feed_of(screen)
        if feed is None:
            raise Refused("unavailable", "The feed is being made.", _SOON)
        if suffix in feed.forms:
            return
        try:
            made = await asyncio.to_thread(self._forms.form, feed, suffix.removeprefix("."))
        except NotOneBitError as error:
            raise Refused("not-found", str(error)) from None
        if made is None:
            raise Refused("unavailable", "The feed is being made.", _SOON)
