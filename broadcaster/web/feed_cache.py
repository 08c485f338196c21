"""The screens' feeds in memory, kept up to date by a thread of its own."""

import hmac
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from psycopg_pool import ConnectionPool

from broadcaster.keys import Keys, verifier
from broadcaster.screens.book import Overlay, ScreenBook
from broadcaster.screens.tailoring import tailored
from broadcaster.web.directory import Directory, PlacedScreen
from broadcaster.web.edge import wire
from projections.feeds.render import etag
from projections.feeds.view import Feed, all_feeds, changed_since
from projections.listen import Listener

log = structlog.get_logger(__name__)

POLL = 1.0
"""Seconds between looks when nothing is heard; so long, too, can a revoked key be served from memory."""
RELOAD = 15.0
"""Seconds between whole reloads: a feed rendered anew under the same `seq` is seen by them only."""

ACCOUNT = "screen:"
JSON = "application/json"

Pair = tuple[str, str, bool]
"""Area, profile, and whether it is for drill screens."""


class KnownScreen(NamedTuple):
    """A screen whose key is alive."""

    screen_id: UUID
    verifier: bytes
    pair: Pair
    succeeds: bool = False
    """Whether the first use of its key ends a former one."""
    sealed: bytes | None = None


@dataclass(frozen=True)
class Form:
    """A feed in one form as it goes out: its tag, its bytes, and the headers of both answers."""

    etag: bytes
    body: bytes
    media_type: bytes
    sign: Callable[[bytes], str]
    unchanged: list[tuple[bytes, bytes]]

    @cached_property
    def whole(self) -> list[tuple[bytes, bytes]]:
        """The headers of a 200. Signed when first sent: most of the cost of taking a feed in."""
        return [
            *self.unchanged,
            (b"content-type", self.media_type),
            (b"content-length", str(len(self.body)).encode()),
            (b"x-feed-signature", self.sign(self.body).encode()),
        ]

    @cached_property
    def head_whole(self) -> bytes:
        """The head of a 200 as bytes, without the empty line that ends it."""
        return wire.head(200, self.whole)

    @cached_property
    def head_unchanged(self) -> bytes:
        """The same of a 304."""
        return wire.head(304, self.unchanged)


@dataclass(frozen=True)
class Served:
    """A feed in the forms that it was asked for so far, by their suffixes; JSON has none."""

    seq: int
    forms: dict[str, Form]

    @property
    def etag(self) -> bytes:
        """Of the JSON."""
        return self.forms[""].etag

    @property
    def body(self) -> bytes:
        """The JSON."""
        return self.forms[""].body


class FeedCache:
    """Feeds by pair, and screens by key id. Reading takes no lock: dicts are swapped or set."""

    def __init__(  # noqa: PLR0917 (each of another type; the composition root alone calls it)
        self,
        pool: ConnectionPool[Any],
        keys: Keys,
        directory: Directory,
        sign: Callable[[bytes], str],
        clock: Callable[[], datetime],
        book: ScreenBook,
    ) -> None:
        self._pool, self._keys, self._directory, self._sign = pool, keys, directory, sign
        self._clock, self._book = clock, book
        self._overlays: dict[UUID, Overlay] = {}
        self._tailored: dict[tuple[Pair, Overlay], tuple[Served, Served]] = {}
        """With the feed each was made of: when that changes it is made anew."""
        self.used: set[str] = set()
        """Ids of keys that were used and end a former one; the front adds, the next look takes."""
        self.flashing: dict[UUID, datetime] = {}
        """The screens that were asked to make themselves known, and until when."""
        self.heard: Callable[[set[Pair]], None] = lambda _: None
        """Told, in the cache's thread, which feeds have changed."""
        self._feeds: dict[Pair, Served] = {}
        self._screens: dict[str, KnownScreen] = {}
        self._seq = 0
        self._mark: object = None
        self._reload_at = 0.0
        self._refreshing = threading.Lock()
        self._wake, self._stop = threading.Event(), threading.Event()
        self._listener = Listener(pool, "feeds", self._wake.set)
        self._thread = threading.Thread(target=self._run, name="feed-cache", daemon=True)

    def feed(self, area: str, profile: str, *, drills: bool = False) -> Served | None:
        """The feed of a pair."""
        return self._feeds.get((area, profile, drills))

    def feed_of(self, screen: KnownScreen) -> Served | None:
        """The feed of a screen."""
        return self.feed_for(screen.screen_id, screen.pair)

    def feed_for(self, screen_id: UUID, pair: Pair) -> Served | None:
        """The feed of its pair, or its own where it is set apart."""
        feed = self._feeds.get(pair)
        overlay = self._overlays.get(screen_id) if self._overlays else None
        return feed if feed is None or overlay is None else self._own(pair, feed, overlay)

    def _own(self, pair: Pair, feed: Served, overlay: Overlay) -> Served:
        known = self._tailored.get((pair, overlay))
        if known is not None and known[0] is feed:
            return known[1]
        before = feed.forms[""].body
        body = tailored(before, overlay)
        made = feed
        if body is not before:
            seq = max(feed.seq, overlay.seq)
            made = Served(seq, {"": form(etag(body), body, JSON, self._sign)})
        self._tailored[pair, overlay] = (feed, made)
        return made

    def feeds(self) -> list[Served]:
        """Every feed."""
        return list(self._feeds.values())

    def flash(self, screen_id: UUID, now: datetime) -> datetime | None:
        """Until when a screen is asked to make itself known; None where it is not."""
        until = self.flashing.get(screen_id) if self.flashing else None
        return until if until is not None and now < until else None

    def screen(self, key_id: str, secret: str) -> KnownScreen | None:
        """The screen that this key is of; None where memory does not know it (yet, or any more)."""
        known = self._screens.get(key_id)
        if known is None:
            return None
        return known if hmac.compare_digest(known.verifier, verifier(secret)) else None

    def screen_by(self, key_id: str) -> KnownScreen | None:
        """The screen of a key id; that the caller has the key is not said here."""
        return self._screens.get(key_id)

    def keys_of_others(self, key_ids: Iterable[str]) -> Mapping[str, bytes]:
        """Of these, the live keys that are of no screen, by what verifies them. Raises psycopg's errors."""
        return self._keys.of_others(key_ids)

    def signing_key(self, screen: KnownScreen, key_id: str) -> bytes | None:
        """What the screen signs with, opened for this once."""
        return self._keys.opened(screen.sealed, f"{ACCOUNT}{screen.screen_id}", key_id)

    def start(self) -> None:
        """Begins to follow. Once only."""
        self._listener.start()
        self._thread.start()

    def stop(self) -> None:
        """Ends the threads and waits for them; again is harmless."""
        self._stop.set()
        self._wake.set()
        self._listener.stop()
        if self._thread.is_alive():
            self._thread.join()

    def refresh(self) -> None:
        """Takes in what has changed. Raises psycopg's errors."""
        with self._refreshing:
            self._refresh_feeds()
            self._refresh_screens()
            self._refresh_overlays()

    def reload(self) -> None:
        """The same, and reads every feed again."""
        self._reload_at = 0.0
        self.refresh()

    def _refresh_feeds(self) -> None:
        whole = time.monotonic() >= self._reload_at
        with self._pool.connection() as conn:
            feeds = all_feeds(conn) if whole else changed_since(conn, self._seq)
        changed: set[Pair] = set()
        for feed in feeds:
            pair = (feed.area, feed.profile, feed.drills)
            before = self._feeds.get(pair)
            # While the view is being rebuilt its feeds are of the past; a screen never sees those.
            if before is None or feed.seq >= before.seq:
                changed |= self._take(pair, feed, before)
            self._seq = max(self._seq, feed.seq)
        if changed:
            self.heard(changed)
        if whole:
            self._reload_at = time.monotonic() + RELOAD

    def _take(self, pair: Pair, feed: Feed, before: Served | None) -> set[Pair]:
        if before is not None and before.etag == feed.etag.encode():
            return set()  # A reload finds most as they were; their signatures and other forms stay.
        made = form(feed.etag, feed.body, JSON, self._sign)
        self._feeds[pair] = Served(feed.seq, {"": made})
        return {pair}

    def _refresh_screens(self) -> None:
        self._end_former()
        self._directory.refresh()
        mark = (self._keys.screen_mark(), self._directory.revision)
        if mark == self._mark:
            return
        placed = self._directory.screens()
        known: dict[str, KnownScreen] = {}
        for key in self._keys.screen_keys():
            screen_id = screen_of(key.account)
            place = placed.get(screen_id) if screen_id else None
            if place is not None:
                known[key.key_id] = KnownScreen(
                    place.id, key.verifier, place.pair, key.succeeds, key.sealed
                )
        self._screens, self._mark = known, mark
        self._flash(placed)

    def _refresh_overlays(self) -> None:
        self._book.refresh()
        before, after = self._overlays, self._book.overlays(self._clock())
        if after == before:
            return
        self._overlays = after
        kept = set(after.values())
        self._tailored = {key: made for key, made in self._tailored.items() if key[1] in kept}
        placed = self._directory.screens()
        differ = {one for one in (before | after) if before.get(one) != after.get(one)}
        news = {placed[one].pair for one in differ if one in placed}
        if news:
            self.heard(news)  # Its neighbours who wait are answered too, with a 304.

    def _end_former(self) -> None:
        used, self.used = self.used, set()
        if used:
            self._keys.supersede(used, self._clock())

    def _flash(self, placed: Mapping[UUID, PlacedScreen]) -> None:
        now, before = self._clock(), self.flashing
        self.flashing = {
            screen.id: screen.identify_until
            for screen in placed.values()
            if screen.identify_until is not None and screen.identify_until > now
        }
        news = {placed[one].pair for one, until in self.flashing.items() if before.get(one) != until}
        if news:
            self.heard(news)  # Who waits there is answered at once, with a 304 for most.

    def _run(self) -> None:
        trouble = False
        while not self._stop.is_set():
            self._wake.clear()
            try:
                self.refresh()
            except Exception as error:
                # Of the database, or a bug of ours. What is in memory is served on: a screen with an old
                # feed is better than one without, and a thread that died unseen would be the worst.
                if not trouble:
                    log.exception("feeds_stale", error=type(error).__name__)
                trouble = True
            else:
                if trouble:
                    log.info("feeds_fresh")
                trouble = False
            self._wake.wait(POLL)


def screen_of(account: str) -> UUID | None:
    """The screen that an account is of; None for an account of anything else."""
    try:
        return UUID(account.removeprefix(ACCOUNT)) if account.startswith(ACCOUNT) else None
    except ValueError:
        return None


def form(etag: str, body: bytes, media_type: str, sign: Callable[[bytes], str]) -> Form:
    """A feed made ready to go out; `sign` is asked for the signature over these bytes."""
    tag = etag.encode()
    always = [
        (b"etag", tag),
        (b"cache-control", b"private, no-cache"),
        (b"vary", b"authorization, prefer"),
        (b"x-content-type-options", b"nosniff"),
    ]
    return Form(tag, body, media_type.encode(), sign, always)
