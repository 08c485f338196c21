"""What a screen shows now: as we serve it, and as it says itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from broadcaster.screens.hours import Hours
from broadcaster.web.directory import PlacedScreen
from broadcaster.web.services import Services


@dataclass(frozen=True)
class Shot:
    """One page, as the very frame that the screen draws."""

    alert_id: UUID | None
    """None for the idle page."""
    version: int | None
    status: str
    lines: tuple[str, ...]
    frame: str
    width: int
    height: int
    ms: int
    since: datetime | None = None
    """When it began to be told."""

    @property
    def src(self) -> str:
        """The picture's address."""
        return f"/v1/frames/{self.frame}.png"

    @property
    def alt(self) -> str:
        """What is written on it."""
        return " ".join(self.lines)


@dataclass(frozen=True)
class Now:
    """What a screen should show at an instant."""

    shots: tuple[Shot, ...] = ()
    """Every page in its turn; none before its first feed was made."""
    is_idle: bool = True
    is_quiet: bool = False
    """It has something to tell, and waits for the end of quiet hours."""
    excluded: tuple[UUID, ...] = ()
    """What is told there, and it is left out of."""

    @property
    def versions(self) -> set[tuple[UUID, int]]:
        """What is on."""
        return {(one.alert_id, one.version) for one in self.shots if one.alert_id and one.version}


def now_of(services: Services, screen: PlacedScreen) -> Now:
    """What we serve it."""
    served = services.cache.feed_for(screen.id, screen.pair)
    if served is None:
        return Now()
    return read(served.body, services.now())


def read(body: bytes, at: datetime) -> Now:
    """What a feed says is to be shown at an instant; by the rules that controllers have."""
    feed: dict[str, Any] = json.loads(body)
    now = int(at.timestamp() * 1000)
    told = [one for one in feed["items"] if one["starts_at"] <= now < one["expires_at"]]
    heard = [one for one in told if not hushed(feed, one, at)]
    # A rehearsal never hides what is meant.
    meant = [one for one in heard if one.get("status", "actual") == "actual"]
    alone = [one for one in meant or heard if one["mode"] == "preempt"]
    # Of those who have the screen for themselves, the most urgent.
    most = max((one["priority"] for one in alone), default=0)
    turns = [one for one in alone if one["priority"] == most] or heard
    shots = [shot(one, page) for one in turns for page in one["pages"]]
    return Now(
        tuple(shots or [shot({}, feed["idle"])]),
        is_idle=not shots,
        is_quiet=not shots and bool(told),
        excluded=tuple(UUID(one["id"]) for one in feed.get("excluded", ())),
    )


def hushed(feed: Mapping[str, Any], item: Mapping[str, Any], at: datetime) -> bool:
    """Whether quiet hours hold an item back."""
    quiet = feed.get("display", {}).get("quiet")
    if quiet is None or (item["mode"] == "preempt" and not quiet["hides_emergencies"]):
        return False
    start, end = (datetime.strptime(quiet[name], "%H:%M").time() for name in ("from", "until"))  # noqa: DTZ007 (an hour, no instant)
    return Hours(start, end).opened(at) is not None


def shot(item: Mapping[str, Any], page: Mapping[str, Any]) -> Shot:
    """One page of an item; of the idle page where the item is empty."""
    return Shot(
        UUID(item["id"]) if item else None,
        item.get("rev"),
        item.get("status", "actual"),
        tuple(page["lines"]),
        page["frame"],
        page["w"],
        page["h"],
        page["ms"],
        datetime.fromtimestamp(item["starts_at"] / 1000, UTC) if item else None,
    )
