"""What a page of the log has drawn: each notice once for a profile, and the frames to be kept."""

from typing import Protocol
from uuid import UUID

from projections.feeds.notice import Notice
from projections.feeds.render import Item, render_item, render_page
from schemas.content import Mode, Severity
from schemas.displays import Frame, Page, display


class Artist(Protocol):
    """Who draws; the composition root passes one in, for projections know no channel."""

    def pages(self, text: str, profile: str, severity: Severity, mode: Mode) -> tuple[Page, ...]:
        """The pages of an alert."""
        ...

    def idle(self, profile: str) -> Page:
        """What a screen shows while it has nothing to tell."""
        ...


class Drawn:
    """The items of one page of the log, and their frames."""

    def __init__(self, artist: Artist) -> None:
        self._artist = artist
        self._items: dict[tuple[UUID, str], Item] = {}
        self._idle: dict[str, Item] = {}
        self.frames: dict[str, Frame] = {}

    def item(self, notice: Notice, profile: str) -> Item:
        """The notice as the feed of a profile has it."""
        key = (notice.alert_id, profile)
        if key not in self._items:
            pages = self._artist.pages(notice.text, profile, Severity(notice.severity), notice.status)
            self.frames |= {page.frame.sha256: page.frame for page in pages}
            self._items[key] = render_item(notice, profile, pages)
        return self._items[key]

    def idle(self, profile: str) -> Item:
        """The idle page as the feed of a profile has it."""
        if profile not in self._idle:
            page = self._artist.idle(profile)
            self.frames[page.frame.sha256] = page.frame
            self._idle[profile] = render_page(page, display(profile))
        return self._idle[profile]
