"""What the edge answers: the contract of the feed, from memory, and from the database where it must.

A refusal never asks the database by itself: ten thousand unknown keys cost four looks a second in all.
"""

import asyncio
import hmac
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from broadcaster.keys import digest, split
from broadcaster.screens.signing import Asked, Nonces, SignatureError, check, fresh, is_signed, parse
from broadcaster.web.edge.frames import Frames
from broadcaster.web.edge.request import Place, Request
from broadcaster.web.edge.wire import DateLine, Header, refusal
from broadcaster.web.feed_cache import FeedCache, Form, KnownScreen
from broadcaster.web.feed_forms import FeedForms, NotOneBitError
from broadcaster.web.polls import FLASHING_WAIT, ServedCount, matches, note, server_time, wait_asked

log = structlog.get_logger(__name__)

_ASKED_AT_ONCE, _LONGEST_ID = 1_000, 32
BETWEEN_LOOKS = 0.25
"""Seconds between looks for keys that memory does not know."""
_CHALLENGE = (b"www-authenticate", b'Bearer realm="broadcaster"')
_SOON = (b"retry-after", b"1")


class Refused(Exception):  # noqa: N818 (it is an answer)
    """The answer is a problem; `reason` is a word to count by, where it counts."""

    def __init__(self, kind: str, detail: str | None = None, *headers: Header, reason: str = "") -> None:
        super().__init__(kind)
        self.kind, self.detail, self.headers, self.reason = kind, detail, headers, reason


class Elsewhere(Exception):  # noqa: N818 (it is a fork in the road)
    """Memory does not have it: the key, the form or the frame."""


class Reply(NamedTuple):
    """Head without the empty line, and body."""

    head: bytes
    body: bytes = b""


@dataclass(slots=True)
class Turn:
    """A poll that was admitted."""

    screen: KnownScreen
    key_id: str
    suffix: str
    form: Form
    tags: bytes
    state: bytes
    wait: int
    """Seconds that it may wait for news; 0 where there is news, or it did not ask to."""
    waited: bool = False
    nonce: str = ""
    """Of a signed poll."""


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
        self._date = DateLine()
        self._slow_jobs, self._fetching = slow_jobs, 0
        self._look: asyncio.Future[Mapping[str, bytes]] | None = None
        self._asked: set[str] = set()
        """Ids of keys that the next look asks for, since no screen that is known has them."""
        self._looked = -BETWEEN_LOOKS

    def turn(self, request: Request, place: Place) -> Turn:
        """Admits a poll. Raises Refused, and Elsewhere."""
        screen, key_id = self._caller(request, place)
        form, nonce = self._form(screen, place.name), ""
        if is_signed(request.authorization):
            # A nonce is taken once: not by a poll that has to come again.
            said = parse(request.authorization)
            nonce = said.nonce
            try:
                self.nonces.take(said.key_id, said.nonce, self._clock().timestamp())
            except SignatureError as error:
                raise self._unsigned(error) from None
        wait = wait_asked(request.prefer) if request.prefer and matches(request.tags, form.etag) else 0
        if wait and self.cache.flash(screen.screen_id, self._clock()):
            wait = min(wait, FLASHING_WAIT)
        return Turn(screen, key_id, place.name, form, request.tags, request.state, wait, nonce=nonce)

    def stands(self, turn: Turn) -> bool:
        """Whether the same poll again is answered from memory: its key lives, and its feed has that form.

        A feed that has changed has none but JSON until one is asked for: who was given the former one
        instead, in polls that are always the same bytes, would never hear of the change.
        """
        feed = self.cache.feed_of(turn.screen)
        known = self.cache.screen_by(turn.key_id) is turn.screen
        return known and feed is not None and turn.suffix in feed.forms

    def reply(self, turn: Turn, *, head: bool) -> Reply:
        """The answer to a poll, as things stand now."""
        feed = self.cache.feed_of(turn.screen)
        form = feed.forms.get(turn.suffix) if feed else None
        if form is None:
            form = turn.form  # It has changed while it waited; the next poll has the new form made.
        unchanged = matches(turn.tags, form.etag)
        if turn.screen.succeeds:
            self.cache.used.add(turn.key_id)
        now = self._clock()
        note(self.served, turn.screen.screen_id, now, unchanged=unchanged, state=turn.state)
        timestamp = now.timestamp()
        start = form.head_unchanged if unchanged else form.head_whole
        line = b"%s%sx-server-time: %d\r\n" % (start, self._date.at(timestamp), int(timestamp * 1000))
        if until := self.cache.flash(turn.screen.screen_id, now):
            line += b"x-screen-identify: %s\r\n" % server_time(until).encode()
        if turn.waited:
            line += b"preference-applied: wait=%d\r\n" % turn.wait
        if turn.nonce and (key := self.cache.signing_key(turn.screen, turn.key_id)):
            status, tag = 304 if unchanged else 200, form.etag.decode()
            line += b"x-feed-fresh: %s\r\n" % fresh(key, turn.nonce, status, tag, server_time(now)).encode()
        return Reply(line, b"" if unchanged or head else form.body)

    def frame(self, request: Request, place: Place) -> Reply:
        """The answer to who asks for a frame. Raises Refused, and Elsewhere."""
        found = self.frames.held(place.name)
        if found is None:
            if self.frames.is_named(place.name):
                raise Elsewhere
            raise Refused("not-found", "No feed names such a frame, or it has no such form.")
        start = found.unchanged if matches(request.tags, found.etag) else found.whole
        body = b"" if start is found.unchanged or request.method == "HEAD" else found.body
        return Reply(start + self._date.at(self._clock().timestamp()), body)

    def refuse(self, refused: Refused) -> Reply:
        """The answer to what is refused, which is counted."""
        if refused.reason:
            self.refused[refused.reason] += 1
        start, body = refusal(refused.kind, refused.detail, *refused.headers)
        return Reply(start + self._date.at(self._clock().timestamp()), body)

    async def fetch(self, request: Request, place: Place) -> None:
        """Lets memory have what it lacked, as far as that exists. Raises Refused."""
        try:
            if place.kind == "frame":
                await self._fetch_frame(place.name)
                return
            try:
                screen, _ = self._caller(request, place)
            except Elsewhere:
                sent = split(request.authorization[7:].strip())
                if sent and len(sent[0]) <= _LONGEST_ID and len(self._asked) < _ASKED_AT_ONCE:
                    self._asked.add(sent[0])
                others = await self._refreshed()
                if sent and hmac.compare_digest(others.get(sent[0], b""), digest(sent[1])):
                    text = "This is a key of staff; screens have keys of their own."
                    raise Refused("key.kind", text, reason="key_kind") from None
                screen = self._again(request, place)
            await self._make(screen, place.name)
        except (psycopg.OperationalError, PoolTimeout):
            raise Refused("unavailable", None, _SOON, reason="database") from None

    async def _fetch_frame(self, file: str) -> None:
        if self._fetching >= self._slow_jobs:
            raise Refused("unavailable", None, _SOON, reason="busy")
        self._fetching += 1
        try:
            await asyncio.to_thread(self.frames.fetch, file)
        finally:
            self._fetching -= 1

    def _again(self, request: Request, place: Place) -> KnownScreen:
        try:
            return self._caller(request, place)[0]
        except Elsewhere:
            if is_signed(request.authorization):
                unknown = SignatureError("wrong_key", "The key is unknown or revoked, or not its own.")
                raise self._unsigned(unknown) from None
            raise self._unknown() from None

    async def _make(self, screen: KnownScreen, suffix: str) -> None:
        feed = self.cache.feed_of(screen)
        if feed is None:
            await self._refreshed()
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

    async def _refreshed(self) -> Mapping[str, bytes]:
        """Memory as it is after now, and the keys asked for that are not of screens, by what verifies them.

        Who comes while a look is about to begin shares it.
        """
        if self._look is None:
            self._look = asyncio.ensure_future(self._look_soon())
        return await asyncio.shield(self._look)

    async def _look_soon(self) -> Mapping[str, bytes]:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._looked + BETWEEN_LOOKS - loop.time()))
        self._look = None  # Who comes from now on might be too late for this one.
        self._looked = loop.time()
        asked, self._asked = self._asked, set()
        await asyncio.to_thread(self.cache.refresh)
        return await asyncio.to_thread(self.cache.keys_of_others, asked) if asked else {}

    def _caller(self, request: Request, place: Place) -> tuple[KnownScreen, str]:
        """Whose poll it is. Raises Refused, and Elsewhere where its key is not known."""
        authorization = request.authorization
        if is_signed(authorization):
            return self._signer(request, place)
        if authorization[:7].lower() != "bearer ":
            raise Refused("key.missing", "Send `Authorization: Bearer hn_...`.", _CHALLENGE)
        parts = split(authorization[7:].strip())
        if parts is None:
            raise self._unknown()
        screen = self.cache.screen(*parts)
        if screen is None:
            if self.cache.screen_by(parts[0]) is None:
                raise Elsewhere
            raise self._unknown()
        return screen, parts[0]

    def _signer(self, request: Request, place: Place) -> tuple[KnownScreen, str]:
        try:
            said = parse(request.authorization)
            screen = self.cache.screen_by(said.key_id)
            if screen is None:
                raise Elsewhere
            key = self.cache.signing_key(screen, said.key_id)
            check(said, key, Asked(request.method, place.target), self._clock())
        except SignatureError as error:
            raise self._unsigned(error) from None
        return screen, said.key_id

    def _form(self, screen: KnownScreen, suffix: str) -> Form:
        feed = self.cache.feed_of(screen)
        form = feed.forms.get(suffix) if feed else None
        if form is None:
            raise Elsewhere
        return form

    def _unknown(self) -> Refused:
        text = "The key is unknown or was revoked."
        return Refused("key.missing", text, _CHALLENGE, reason="key_unknown")

    def _unsigned(self, error: SignatureError) -> Refused:
        time = (b"x-server-time", server_time(self._clock()).encode())
        reason = f"signature_{error.reason}"
        return Refused("key.missing", str(error), _CHALLENGE, time, reason=reason)
