"""What an approver should know before a version goes out: whom it reaches, what it takes, what is alike.

An approval in an emergency waits for no census of the city: a large audience is counted when someone
asks, a small one at once. A count is kept for a minute.
"""

import math
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from broadcaster.alert import Alert
from broadcaster.drafting.duplicates import Live, NearDuplicate, near_duplicates
from broadcaster.reckoning.census import CensusTaker
from broadcaster.reckoning.preflight import ChannelPreflight, Preflight, Preflights
from broadcaster.rules import RefusedError
from broadcaster.web.services import Services
from projections.board import view as board
from schemas.areas import AreaTree
from schemas.content import Channel, Content

_FRESH = timedelta(minutes=1)
_MOST = 100
"""Versions whose count is kept."""
SMALL = 20_000
"""Recipients, roughly, that are counted without being asked to."""


@dataclass(frozen=True)
class Place:
    """Recipients whose home is there."""

    name: str
    counts: dict[Channel, int]

    @property
    def total(self) -> int:
        """On every channel."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Line:
    """One channel."""

    told: ChannelPreflight
    spared: int
    """Who has a graver alert of the incident, and is not sent this one."""
    drain: timedelta
    """To send it to all, at the quotas; whole seconds, rounded up."""


@dataclass(frozen=True)
class Foretold:
    """The count of the version in work, ready to be shown."""

    at: datetime
    channels: tuple[Line, ...]
    places: tuple[Place, ...]
    """The most recipients first."""


class Counts:
    """Pre-flights, each counted at most once a minute. May be shared by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[UUID, int], Preflight] = {}

    def of(self, services: Services, alert: Alert, *, wait: bool) -> Foretold | None:
        """Of the version in work; without `wait` only what was counted already. Else None."""
        now = services.now()
        # The log's version of the alert, for a draft is rewritten under the same number.
        key = (alert.id, alert.version)
        with self._lock:
            found = self._kept.get(key)
        if found is None or not timedelta() <= now - found.at < _FRESH:
            if not wait or alert.work is None:
                return None
            with services.reading() as conn:
                found = _preflights(services).of(conn, alert, now)
            self._keep(key, found)
        lines = (
            Line(
                one,
                sum(each.count for each in one.spared),
                timedelta(seconds=math.ceil(one.effort.seconds)),
            )
            for one in found.channels
        )
        return Foretold(found.at, tuple(lines), _places(found, services.tree(found.edition)))

    def _keep(self, key: tuple[UUID, int], found: Preflight) -> None:
        with self._lock:
            self._kept.pop(key, None)
            while len(self._kept) >= _MOST:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = found


def alike(services: Services, alert: Alert, content: Content) -> tuple[NearDuplicate, ...]:
    """Live alerts that say much the same, the likest first."""
    with services.reading() as conn:
        rows = board.live_of(conn, content.category, content.mode)
    live = [Live(row.alert_id, row.issuer_id, row.content, row.edition) for row in rows]
    return near_duplicates(content, alert.issuer_id, alert.id, live, services.tree())


def held_until(services: Services, alert: Alert, content: Content, at: datetime) -> datetime | None:
    """The end of the quiet hours, where a bulletin issued at `at` would wait for it."""
    office = services.ports.office
    try:
        speaker = office.speaker(alert.issuer_id, at)
    except RefusedError:
        return None  # A closed body says nothing at all; the command itself will say so.
    return office.body(speaker, at).policy.held_until(content, at)


def _preflights(services: Services) -> Preflights:
    ports = services.ports
    taker = CensusTaker(ports.pool, ports.office, ports.registry)
    return Preflights(ports.office, ports.registry, taker, ports.quotas)


def _places(found: Preflight, tree: AreaTree) -> tuple[Place, ...]:
    counts: dict[str, dict[Channel, int]] = {}
    for one in found.channels:
        for code, count in one.by_area.items():
            counts.setdefault(code, {})[one.channel] = count
    places = (Place(tree[code].name if code in tree else code, each) for code, each in counts.items())
    return tuple(sorted(places, key=lambda place: (-place.total, place.name)))
