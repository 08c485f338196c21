"""The bytes of a feed: a function of what it holds, so that equal content has an equal ETag.

Nothing in it changes by itself: no time of rendering, no clock. A screen judges how fresh its feed
is by its last contact.
"""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from pydantic_core import to_json

from projections.feeds.notice import Notice, Withdrawn
from schemas.content import Kind
from schemas.displays import Display, Page, display
from schemas.plain_text import unaccented_text

SCHEMA = "led-feed/1"
PAGE_MS = 4000
POLICY: dict[str, Any] = {
    "poll_s": 10,
    "poll_emergency_s": 3,
    "jitter": 0.2,
    "stale_after_s": 120,
    "fallback": "idle",
}
ROUTINE_OFFLINE_S = 900
"""How long a bulletin stays on a screen that hears nothing; alerts run to their end."""
SHOW_IF_UNTRUSTED_CLOCK = False
"""A screen that knows no time since its start shows nothing: what it kept may be long over."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Item = dict[str, Any]


class Heading(NamedTuple):
    """Which feed it is, and when it last changed: a client refuses a lower (epoch, seq) than its last."""

    epoch: int
    seq: int
    area: str
    profile: str
    drills: bool = False
    """Whether its screens show exercises and tests."""


def render_item(notice: Notice, profile: str, pages: Iterable[Page]) -> Item:
    """One notice for one display. Instants are milliseconds since 1970, a page's `ms` its time on."""
    return {
        "id": str(notice.alert_id),
        "rev": notice.rev,
        "kind": notice.kind,
        "status": notice.status.value,
        "mode": notice.mode,
        "priority": notice.priority,
        "severity": notice.severity,
        "risk_level": notice.risk_level,
        "starts_at": _ms(notice.starts_at),
        "expires_at": _ms(notice.expires_at),
        "offline_max_s": ROUTINE_OFFLINE_S if notice.kind == Kind.BULLETIN.value else None,
        "show_if_untrusted_clock": SHOW_IF_UNTRUSTED_CLOCK,
        "lang": "vi",
        "text": notice.text,
        "text_ascii": unaccented_text(notice.text),
        "pages": [render_page(page, display(profile)) for page in pages],
    }


def render_page(page: Page, shown: Display) -> Item:
    """One page: its lines, and the frame, named by the SHA-256 of its bytes in the display's own form."""
    return {
        "ms": PAGE_MS,
        "lines": page.lines,
        "frame": page.frame.sha256,
        "w": shown.width,
        "h": shown.height,
    }


def render_feed(
    heading: Heading, items: Iterable[Item], cancelled: Iterable[Withdrawn], idle: Item
) -> bytes:
    """The document: what has the screen for itself first, then by priority."""
    return to_json(
        {
            "schema": SCHEMA,
            **heading._asdict(),
            "policy": POLICY,
            "idle": idle,
            "items": sorted(items, key=_place),
            "cancelled": [
                {"id": str(one.alert_id), "rev": one.rev}
                for one in sorted(cancelled, key=lambda one: str(one.alert_id))
            ],
        }
    )


def frame_names(items: Iterable[Item]) -> set[str]:
    """The frames that items are drawn on."""
    return {page["frame"] for item in items for page in item["pages"]}


def etag(body: bytes) -> str:
    """A strong entity tag, quotes included (RFC 9110 §8.8.3)."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _place(item: Item) -> tuple[bool, int, str]:
    return item["mode"] != "preempt", -item["priority"], item["id"]


def _ms(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(milliseconds=1)
