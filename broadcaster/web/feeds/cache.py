"""The screens' feeds in memory, kept up to date by a thread of its own."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from psycopg_pool import ConnectionPool

from broadcaster.keys import Keys
from broadcaster.screens.book import ScreenBook
from broadcaster.web.directory import Directory
from broadcaster.web.feeds.known_screens import KnownScreen, KnownScreens, Pair
from broadcaster.web.feeds.own import OwnFeeds
from broadcaster.web.feeds.served import JSON, Form, Served, form
from projections.feeds.view import Feed, all_feeds, changed_since
from projections.listen import Listener
from projections.own_thread import OwnThread

log = structlog.get_logger(__name__)

POLL = 1.0
"""Seconds between looks when nothing is heard; so long, too, can a revoked key be served from memory."""
RELOAD = 15.0
"""Seconds between whole reloads: a feed rendered anew under the same `seq` is seen by them only."""


class FeedCache(OwnThread):
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
        super().__init__("feed-cache")
        self._pool, self._sign = pool, sign
        self.screens = KnownScreens(keys, directory, clock)
        self._own = OwnFeeds(book, sign, clock)
        self.heard: Callable[[set[Pair]], None] = lambda _: None
        """Told, in the cache's thread, which feeds have changed."""
        self.generation = 0
        """Goes up after anything that an answer depends on has changed: feeds, screens, keys, overlays."""
        self._feeds: dict[Pair, Served] = {}
        self._seq = 0
        self._reload_at = 0.0
        self._refreshing = threading.Lock()
        self._wake = threading.Event()
        self._listener = Listener(pool, "feeds", lambda _: self._wake.set())

    def feed(self, area: str, profile: str, *, drills: bool = False) -> Served | None:
        """The feed of a pair."""
        return self._feeds.get((area, profile, drills))

    def feed_of(self, screen: KnownScreen) -> Served | None:
        """The feed of a screen."""
        return self.feed_for(screen.screen_id, screen.pair)

    def feed_for(self, screen_id: UUID, pair: Pair) -> Served | None:
        """The feed of its pair, or its own where it is set apart."""
        feed, overlays = self._feeds.get(pair), self._own.overlays
        overlay = overlays.get(screen_id) if overlays else None
        return feed if feed is None or overlay is None else self._own.of(pair, feed, overlay)

    def form_of(self, screen: KnownScreen, suffix: str) -> Form | None:
        """The feed of a screen in one form; None where that is still to be made."""
        feed = self.feed_for(screen.screen_id, screen.pair)
        return feed.forms.get(suffix) if feed else None

    def feeds(self) -> list[Served]:
        """Every feed."""
        return list(self._feeds.values())

    def start(self) -> None:
        """Begins to follow. Once only."""
        self._listener.start()
        super().start()

    def stop(self) -> None:
        """Ends the threads and waits for them; again is harmless."""
        self._stop.set()
        self._wake.set()
        self._listener.stop()
        super().stop()

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
        self.generation += 1
        return {pair}

    def _refresh_screens(self) -> None:
        news = self.screens.refresh()
        if news is not None:
            self.generation += 1
            if news:
                self.heard(news)

    def _refresh_overlays(self) -> None:
        differ = self._own.refresh()
        if differ:
            self.generation += 1
            news = self.screens.pairs_of(differ)
            if news:
                self.heard(news)  # Its neighbours who wait are answered too, with a 304.

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
