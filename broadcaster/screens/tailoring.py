"""A screen's own feed: that of its area and display, less what it is left out of, with its settings.

Pure and without a clock, like the feed it is made of: equal feed and overlay, equal bytes.
"""

import json
from datetime import UTC, datetime, time, timedelta
from typing import Any

from pydantic_core import to_json

from broadcaster.screens.book import Overlay, Pattern
from channels.led.pattern import pattern
from projections.feeds.render import Item, render_page
from schemas.displays import display
from schemas.events import DisplaySetting
from schemas.ids import stream_id
from schemas.local_time import HANOI

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEST_PRIORITY = 1
"""Below every alert."""


def tailored(body: bytes, overlay: Overlay) -> bytes:
    """The screen's own bytes; `body` itself where nothing in it would differ.

    What it is left out of is named in `excluded`, not in `cancelled`: a box remembers for good what was
    cancelled, and a screen that was left out by mistake must show the same version again.
    """
    feed: dict[str, Any] = json.loads(body)
    left_out = {str(alert_id) for alert_id in overlay.excluded}
    excluded = [{"id": one["id"], "rev": one["rev"]} for one in feed["items"] if one["id"] in left_out]
    more: dict[str, Any] = {}
    if excluded:
        more["excluded"] = excluded
    if overlay.setting != DisplaySetting():
        more["display"] = display_of(overlay.setting)
    if not more and overlay.pattern is None and overlay.seq <= feed["seq"]:
        return body
    items = [one for one in feed["items"] if one["id"] not in left_out]
    if overlay.pattern is not None:
        items.append(pattern_item(overlay.pattern, feed["profile"], beside=items))
    return to_json(feed | more | {"seq": max(feed["seq"], overlay.seq), "items": items})


def display_of(setting: DisplaySetting) -> dict[str, Any]:
    """A setting as a feed has it: hours are local, and how far local time is from UTC is said."""
    told: dict[str, Any] = {}
    if setting.brightness is not None:
        told["brightness"] = setting.brightness
    if setting.quiet_from is not None and setting.quiet_until is not None:
        told["quiet"] = {
            "from": _hour(setting.quiet_from),
            "until": _hour(setting.quiet_until),
            "utc_offset_min": _offset_min(),
            "hides_emergencies": setting.hides_emergencies,
        }
    return told


def pattern_item(asked: Pattern, profile: str, *, beside: list[Item]) -> Item:
    """The test pattern as an item. While anything meant is in the feed it only takes its turn."""
    page = pattern(profile)
    meant = any(one.get("status", "actual") == "actual" for one in beside)
    text = " ".join(page.lines)
    return {
        "id": str(stream_id("screen-pattern", asked.seq)),
        "rev": 1,
        "kind": "alert",
        "status": "test",
        "mode": "rotate" if meant else "preempt",
        "priority": TEST_PRIORITY,
        "severity": "Unknown",
        "risk_level": None,
        "starts_at": _ms(asked.since),
        "expires_at": _ms(asked.until),
        "lang": "vi",
        "text": text,
        "text_ascii": text,
        "pages": [render_page(page, display(profile))],
    }


def _hour(at: time) -> str:
    return f"{at:%H:%M}"


def _offset_min() -> int:
    offset = _EPOCH.replace(year=2000).astimezone(HANOI).utcoffset()
    assert offset is not None
    return offset // timedelta(minutes=1)


def _ms(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(milliseconds=1)
