"""What is on every screen: folded from events, in memory, for one page of the log.

A feed belongs to a pair, an area and a display profile, not to a screen. The board notes which
pairs each event touches; only those are rendered, once, when the page ends. An event touches a pair
if and only if it changes what the pair's feed holds, or brings it a screen that had another feed, so
the last position that touched it is a sequence number that rises with the content, whatever the size
of the pages, and never falls for any screen: a screen refuses a lower one than its last.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from projections.feeds.notice import Notice, Withdrawn, notice, withdrawn
from projections.feeds.places import Places
from projections.rows import storable
from schemas.content import Channel, Mode
from schemas.events import AlertCancelled, AlertExpired, AlertIssued, ScreenMoved, ScreenRegistered

NAME = 120
"""Most characters of a screen's name or profile."""


class Pair(NamedTuple):
    """What a feed is for: an area and a display, and whether its screens take part in drills."""

    area: str
    profile: str
    drills: bool = False
    """Whether exercises and tests are in it."""

    def takes(self, told: Notice | Withdrawn) -> bool:
        """Whether that may be in it: what is not meant reaches drill screens only."""
        return self.drills or told.status is Mode.ACTUAL


class Touch(NamedTuple):
    """The last event that changed a feed: its position, and when the log recorded it."""

    position: int
    at: datetime


class Screen(NamedTuple):
    """Where a screen is, and the edition that names its area."""

    name: str
    pair: Pair
    edition: str


@dataclass
class Screens:
    """How many screens each pair has by the edition that names their area, and the page's own screens.

    Where screens of one pair were put up under different editions, the newest names its area; the
    older ones are among `view.stranded`.
    """

    pairs: dict[Pair, Counter[str]]
    known: dict[UUID, Screen]

    def put(self, screen_id: UUID, screen: Screen) -> None:
        """One screen more."""
        self.known[screen_id] = screen
        self.pairs.setdefault(screen.pair, Counter())[screen.edition] += 1

    def take(self, screen_id: UUID) -> None:
        """One screen less; a pair without any is gone."""
        screen = self.known.pop(screen_id)
        left = self.pairs[screen.pair] - Counter((screen.edition,))
        if left:
            self.pairs[screen.pair] = left
        else:
            del self.pairs[screen.pair]


@dataclass
class Board:
    """The state that feeds are made of, and what a page has changed of it."""

    places: Places
    screens: Screens
    notices: dict[UUID, Notice]
    withdrawn: dict[UUID, Withdrawn]
    touched: dict[Pair, Touch] = field(default_factory=dict[Pair, Touch])
    changed: set[UUID] = field(default_factory=set[UUID])
    """The alerts whose notice came, changed or went."""
    _below: dict[str, dict[str, list[Pair]]] = field(default_factory=dict[str, dict[str, list[Pair]]])

    def issue(self, event: AlertIssued, touch: Touch) -> None:
        """A version goes out, or an update no longer goes out on screens."""
        after = notice(event) if Channel.LED in event.content.reaches else None
        before = self._replace(event.originator_id, after)
        self._touch(touch, before, after)

    def cancel(self, event: AlertCancelled, touch: Touch) -> None:
        """A live version is withdrawn; feeds name it for a day."""
        live = self._replace(event.originator_id, None)
        if live is not None:
            self.withdrawn[live.alert_id] = withdrawn(live, event, touch.at)
            self._touch(touch, live)

    def expire(self, event: AlertExpired, touch: Touch) -> None:
        """A live version has ended."""
        self._touch(touch, self._replace(event.originator_id, None))

    def put_screen(self, event: ScreenRegistered, touch: Touch) -> None:
        """A screen is put up, or again with another place, display or part in drills."""
        known = event.originator_id in self.screens.known
        self.take_screen(event.originator_id, touch)
        pair = Pair(event.area, storable(event.profile, NAME), event.drills)
        home = event.edition or self.places.home(event.area, touch.at)
        self._put(event.originator_id, Screen(storable(event.name, NAME), pair, home), touch, known=known)

    def move_screen(self, event: ScreenMoved, touch: Touch) -> None:
        """A screen's place has another code."""
        known = self.screens.known.get(event.originator_id)
        if known is None:
            return
        self.take_screen(event.originator_id, touch)
        pair = known.pair._replace(area=event.area)
        self._put(event.originator_id, Screen(known.name, pair, event.edition), touch, known=True)

    def _put(self, screen_id: UUID, screen: Screen, touch: Touch, *, known: bool) -> None:
        before = self._state(screen.pair, touch.at)
        self.screens.put(screen_id, screen)
        self._screens_changed(screen.pair, before, touch)
        if known:
            # It comes from another feed, whose number may be higher than this one's.
            self.touched[screen.pair] = touch

    def take_screen(self, screen_id: UUID, touch: Touch) -> None:
        """A screen is taken down."""
        screen = self.screens.known.get(screen_id)
        if screen is None:
            return
        before = self._state(screen.pair, touch.at)
        self.screens.take(screen_id)
        self._screens_changed(screen.pair, before, touch)

    def contents(self) -> dict[Pair, tuple[list[Notice], list[Withdrawn]]]:
        """What the feed of each touched pair holds, as of the event that touched it last."""
        found = {
            pair: (list[Notice](), list[Withdrawn]()) for pair in self.touched if pair in self.screens.pairs
        }
        for live in self.notices.values():
            for pair in self._pairs(live) & found.keys():
                found[pair][0].append(live)
        for gone in self.withdrawn.values():
            for pair in self._pairs(gone) & found.keys():
                if gone.recent(self.touched[pair].at):
                    found[pair][1].append(gone)
        return found

    def _replace(self, alert_id: UUID, after: Notice | None) -> Notice | None:
        before = self.notices.pop(alert_id, None)
        if after is not None:
            self.notices[alert_id] = after
        if before != after:
            self.changed.add(alert_id)
        return before

    def _touch(self, touch: Touch, *changed: Notice | None) -> None:
        for one in changed:
            if one is not None:
                self.touched.update(dict.fromkeys(self._pairs(one), touch))

    def _pairs(self, told: Notice | Withdrawn) -> set[Pair]:
        below = self._edition(told.edition)
        return {pair for code in told.areas for pair in below.get(code, ()) if pair.takes(told)}

    def _edition(self, edition: str) -> dict[str, list[Pair]]:
        """For each code of an edition, the pairs at or below it. Made when first asked for."""
        below = self._below.get(edition)
        if below is None:
            found: defaultdict[str, list[Pair]] = defaultdict(list)
            for pair, homes in self.screens.pairs.items():
                for code in self._above(pair, homes, edition):
                    found[code].append(pair)
            below = self._below[edition] = dict(found)
        return below

    def _above(self, pair: Pair, homes: Iterable[str], edition: str) -> list[str]:
        return self.places.above(pair.area, self.places.newest(homes), edition)

    def _state(self, pair: Pair, at: datetime) -> "_State | None":
        """What decides a pair's feed, apart from the words: None where the pair has no screen."""
        homes = self.screens.pairs.get(pair)
        if homes is None:
            return None
        recent = [gone for gone in self.withdrawn.values() if gone.recent(at)]
        told = [one for one in (*self.notices.values(), *recent) if pair.takes(one)]
        above = {one.edition: set(self._above(pair, homes, one.edition)) for one in told}
        return frozenset(one.alert_id for one in told if above[one.edition].intersection(one.areas))

    def _screens_changed(self, pair: Pair, before: "_State | None", touch: Touch) -> None:
        # Only here can a pair come, go or, where editions mix, be read by another edition.
        self._below.clear()
        if self._state(pair, touch.at) != before:
            self.touched[pair] = touch


_State = frozenset[UUID]
