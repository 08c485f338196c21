"""Lists of alerts for other systems: Atom (RFC 4287), RSS 2.0 and JSON Feed 1.1. Pure.

No byte depends on when a feed is asked for, so a digest of the bytes is a strong ETag.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from lxml import etree

from broadcaster.cap.moments import written, written_end
from broadcaster.cap.render import clean
from schemas.areas import Area
from schemas.content import Content

ATOM = "http://www.w3.org/2005/Atom"
CAP_TYPE = "application/cap+xml"
TITLE = "Cảnh báo của thành phố Hà Nội"
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Entry:
    """One alert that holds, or the withdrawal of one that would still hold."""

    alert_id: UUID
    version: int
    withdrawn: bool
    content: Content
    category: str
    """Its name."""
    body: str
    areas: tuple[str, ...]
    """Their names."""
    places: tuple[Area, ...]
    edition: str
    """Of the area register, to which the codes belong."""
    sent: datetime
    """Of this message."""
    expires_at: datetime
    base_url: str

    @property
    def id(self) -> str:
        """Of the message, not of the alert: an update is another one."""
        return uuid5(NAMESPACE_URL, f"{self.alert_id}.{self.version}").urn

    @property
    def page(self) -> str:
        """For people."""
        return f"{self.base_url}/alerts/{self.alert_id}"

    @property
    def cap(self) -> str:
        """For programs: these very bytes for ever."""
        return f"{self.base_url}/v1/alerts/{self.alert_id}.cap?version={self.version}"

    @property
    def title(self) -> str:
        """In Vietnamese."""
        headline = self.content.text("vi").headline
        return self.content.mode.mark("vi") + (f"Hủy: {headline}" if self.withdrawn else headline)


@dataclass(frozen=True)
class Page:
    """A page of a feed, by its own absolute address."""

    url: str
    home: str
    next_url: str | None
    updated: datetime
    """When the set of alerts last changed."""
    entries: Sequence[Entry]


def atom(page: Page) -> bytes:
    """With a link from each entry to its CAP message."""
    unprefixed: Any = {None: ATOM}
    feed = etree.Element(f"{{{ATOM}}}feed", nsmap=unprefixed)
    _add(feed, "id", page.home + "/v1/feeds/cap.atom")
    _add(feed, "title", TITLE)
    _add(feed, "updated", written(page.updated))
    _add(feed, "link", None, rel="self", href=page.url, type="application/atom+xml")
    if page.next_url:
        _add(feed, "link", None, rel="next", href=page.next_url, type="application/atom+xml")
    for entry in page.entries:
        _atom_entry(feed, entry)
    return _bytes(feed)


def _atom_entry(feed: Any, entry: Entry) -> None:
    item = _add(feed, "entry", None)
    _add(item, "id", entry.id)
    _add(item, "title", entry.title)
    _add(item, "updated", written(entry.sent))
    _add(item, "published", written(entry.sent))
    _add(_add(item, "author", None), "name", entry.body)
    _add(item, "summary", entry.content.text("vi").description)
    _add(item, "category", None, term=entry.content.category, label=entry.category)
    _add(item, "link", None, rel="alternate", href=entry.cap, type=CAP_TYPE)
    _add(item, "link", None, rel="related", href=entry.page, type="text/html")


def rss(page: Page) -> bytes:
    """For readers that people use."""
    root = etree.Element("rss", version="2.0")
    channel = etree.SubElement(root, "channel")
    for name, text in (
        ("title", TITLE),
        ("link", page.home + "/"),
        ("description", "Những cảnh báo và bản tin đang có hiệu lực."),
        ("language", "vi"),
        ("lastBuildDate", format_datetime(page.updated)),
    ):
        etree.SubElement(channel, name).text = text
    for entry in page.entries:
        item = etree.SubElement(channel, "item")
        for name, text in (
            ("title", entry.title),
            ("link", entry.page),
            ("description", entry.content.text("vi").description),
            ("category", entry.category),
            ("pubDate", format_datetime(entry.sent)),
        ):
            etree.SubElement(item, name).text = clean(text)
        etree.SubElement(item, "guid", isPermaLink="false").text = entry.id
    return _bytes(root)


def json_feed(page: Page) -> bytes:
    """With what a program wants to sort by under `_alert`."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": TITLE,
        "home_page_url": page.home + "/",
        "feed_url": page.url,
        "language": "vi",
        "items": [_item(entry) for entry in page.entries],
    }
    if page.next_url:
        feed["next_url"] = page.next_url
    return json.dumps(feed, ensure_ascii=False, indent=1).encode() + b"\n"


def _item(entry: Entry) -> dict[str, Any]:
    content, text = entry.content, entry.content.text("vi")
    return {
        "id": entry.id,
        "url": entry.page,
        "title": entry.title,
        "content_text": text.description,
        "date_published": written(entry.sent),
        "authors": [{"name": entry.body}],
        "tags": [entry.category],
        "_alert": {
            "id": str(entry.alert_id),
            "version": entry.version,
            "mode": content.mode.value,
            "kind": content.kind.value,
            "category": content.category,
            "severity": content.severity.value,
            "urgency": content.urgency.value,
            "certainty": content.certainty.value,
            "risk_level": content.risk_level,
            "instruction": text.instruction,
            "areas": [
                {"code": code, "name": name} for code, name in zip(content.areas, entry.areas, strict=True)
            ],
            "expires": written_end(entry.expires_at),
            "cap": entry.cap,
        },
    }


def _add(parent: Any, name: str, text: str | None, **attributes: str) -> Any:
    child = etree.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
    if text is not None:
        child.text = clean(text)
    return child


def _bytes(root: Any) -> bytes:
    etree.indent(root, "  ")
    head = b'<?xml version="1.0" encoding="UTF-8"?>\n'
    return head + etree.tostring(root, encoding="UTF-8", xml_declaration=False) + b"\n"
