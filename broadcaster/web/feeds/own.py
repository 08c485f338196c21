"""Feeds of screens that are set apart: their area's feed and an overlay, one for all with the same."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from broadcaster.screens.book import Overlay, ScreenBook
from broadcaster.screens.tailoring import tailored
from broadcaster.web.feeds.known_screens import Pair
from broadcaster.web.feeds.served import JSON, Served, form
from projections.feeds.render import etag


class OwnFeeds:
    """Made when first asked for. One thread refreshes; reading takes no lock."""

    def __init__(
        self, book: ScreenBook, sign: Callable[[bytes], str], clock: Callable[[], datetime]
    ) -> None:
        self._book, self._sign, self._clock = book, sign, clock
        self.overlays: dict[UUID, Overlay] = {}
        """Of the screens that are set apart."""
        self._made: dict[tuple[Pair, Overlay], tuple[Served, Served]] = {}
        """With the feed each was made of: when that changes it is made anew."""

    def of(self, pair: Pair, feed: Served, overlay: Overlay) -> Served:
        """That feed with the overlay."""
        known = self._made.get((pair, overlay))
        if known is not None and known[0] is feed:
            return known[1]
        before = feed.forms[""].body
        body = tailored(before, overlay)
        made = feed
        if body is not before:
            seq = max(feed.seq, overlay.seq)
            made = Served(seq, {"": form(etag(body), body, JSON, self._sign)})
        self._made[pair, overlay] = (feed, made)
        return made

    def refresh(self) -> set[UUID]:
        """Takes in what has changed; answers the screens whose overlay did. Raises psycopg's errors."""
        self._book.refresh()
        before, after = self.overlays, self._book.overlays(self._clock())
        if after == before:
            return set()
        self.overlays = after
        kept = set(after.values())
        self._made = {key: made for key, made in self._made.items() if key[1] in kept}
        return {one for one in (before | after) if before.get(one) != after.get(one)}
