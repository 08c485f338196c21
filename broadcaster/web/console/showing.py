"""What a screen shows now, as the feed that it polls has it, and when it was last heard of."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from broadcaster.web.directory import PlacedScreen
from broadcaster.web.polls import ServedCount
from broadcaster.web.services import Services
from projections.feeds.render import POLICY

STATES = ("seen", "silent", "never")
SILENT = timedelta(seconds=POLICY["stale_after_s"])
"""Unheard of for so long, a screen shows its idle page."""


@dataclass(frozen=True)
class Picture:
    """One page, as the very frame that the screen draws."""

    src: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True)
class Sight:
    """One screen on a page."""

    screen: PlacedScreen
    place: str
    state: str
    last_seen: datetime | None
    pictures: tuple[Picture, ...]
    is_idle: bool
    """Nothing is told there now; the picture is that of a quiet screen."""


def state(services: Services, screen: PlacedScreen) -> str:
    """`seen` of late, `silent` for a while, or `never` since this process began."""
    last = services.served.get(screen.id, ServedCount()).last_seen
    if last is None:
        return "never"
    return "seen" if services.now() - last <= SILENT else "silent"


def place(services: Services, screen: PlacedScreen) -> str:
    """The name of its area."""
    tree = services.tree(screen.edition)
    return tree[screen.area].name if screen.area in tree else screen.area


def of(services: Services, screen: PlacedScreen) -> Sight:
    """The screen as it is now."""
    served = services.cache.feed(screen.area, screen.profile, drills=screen.drills)
    feed: dict[str, Any] = json.loads(served.forms[""].body) if served else {}
    now = int(services.now().timestamp() * 1000)
    told = [item for item in feed.get("items", ()) if item["starts_at"] <= now < item["expires_at"]]
    # What has the screen for itself leaves no room for the rest.
    alone = [item for item in told if item["mode"] == "preempt"]
    pages = [page for item in alone or told for page in item["pages"]]
    idle = not pages
    if idle and feed:
        pages = [feed["idle"]]
    return Sight(
        screen,
        place(services, screen),
        state(services, screen),
        services.served.get(screen.id, ServedCount()).last_seen,
        tuple(_picture(page) for page in pages),
        idle,
    )


def _picture(page: dict[str, Any]) -> Picture:
    return Picture(f"/v1/frames/{page['frame']}.png", page["w"], page["h"], " ".join(page["lines"]))
