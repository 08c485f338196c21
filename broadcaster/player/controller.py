"""The reference controller of a screen: this one file and Python 3.11, nothing else.

Copy it to the box beside the panel and run `python3 controller.py --feed URL --output text`, the key in
SCREEN_KEY or --key-file. `broadcaster screen run` is the same. docs/player.md says what it promises.

The upper half is pure: a Player takes what the server answered and a steady clock's milliseconds, and
says what to show and until when. The wall clock is read nowhere: boxes wake up in 1970. Time is what the
server said last, carried on by the steady clock.
"""

import argparse
import base64
import errno
import hashlib
import http.client
import json
import logging
import os
import random
import re
import signal
import socket
import ssl
import struct
import sys
import textwrap
import threading
import time
import unicodedata
import uuid
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode, urlsplit

log = logging.getLogger("player")

SCHEMA = "led-feed/1"
DRIFT = 5000
"""A clock gains or loses one part in so many at most: 200 millionths, twice what bad crystals do."""
CONFIRM_MS = 1000
FRAMES_MS = 10_000
"""How long an item waits for its frames; then its lines are shown."""
URGENT_MS = 200
"""How long what has the screen for itself does."""
ROUTINE_OFFLINE_S = 900
"""How long a bulletin stays without contact; alerts run to their end."""
PAGE_MS = (500, 60_000)
LOOK_AGAIN_MS = 60_000
MINUTE_MS = 60_000
REPORTED_AT_ONCE = 50
KEPT_PLACES = 16
KEPT_GONE = 1000
PLAYS_MS = 3_600_000
"""How often plays are told."""
PLAYS_IN_ONE = 200
FLASH_MS = 1000
"""How long a screen that makes itself known is inverted, and then is not."""
LONGEST_FLASH_MS = 60_000
MARKS = {"actual": "", "exercise": "DIỄN TẬP", "test": "THỬ NGHIỆM"}
IDLE = "Thành phố Hà Nội"


class FeedError(ValueError):
    """A body that is no feed: what is on stays on."""


@dataclass(frozen=True)
class Page:
    """What is shown at once, for `ms` milliseconds: lines, and the name of the frame they are drawn on."""

    ms: int
    lines: tuple[str, ...]
    frame: str | None = None


@dataclass(frozen=True)
class Item:
    """One alert; instants are milliseconds since 1970. A `mark` says that it is not meant."""

    id: str
    rev: int
    preempt: bool
    priority: int
    starts_at: int
    expires_at: int
    pages: tuple[Page, ...]
    mark: str = ""
    offline_ms: int | None = None
    any_clock: bool = False


@dataclass(frozen=True)
class Quiet:
    """Minutes of the local day, from one until before the other, in which only the urgent is shown."""

    begins: int
    ends: int
    offset: int
    """Minutes that local time is ahead of UTC."""
    hides_all: bool

    def holds(self, now: int, *, preempt: bool) -> bool:
        """Whether it holds back an item of that kind at an instant (milliseconds since 1970)."""
        if preempt and not self.hides_all:
            return False
        minute = (now // MINUTE_MS + self.offset) % 1440
        if self.begins <= self.ends:
            return self.begins <= minute < self.ends
        return minute >= self.begins or minute < self.ends


@dataclass(frozen=True)
class Feed:
    """A feed as a player needs it. `place` is which feed it is: sequence numbers compare within one."""

    epoch: int
    seq: int
    place: str
    profile: str
    items: tuple[Item, ...]
    cancelled: Mapping[str, int]
    idle: Page
    poll_ms: int
    emergency_ms: int
    jitter: float
    stale_ms: int
    bad: int = 0
    """How many items could not be read, and are left out so that the rest is shown."""
    quiet: Quiet | None = None
    brightness: int = 100
    """Percent of what the panel can."""
    excluded: Mapping[str, int] = field(default_factory=dict[str, int])
    """What leaves this screen out, up to a revision: as long as the feed says so, not for good."""


def parse(body: bytes) -> Feed:
    """The feed of a body. What it does not know it passes over. Raises FeedError."""
    try:
        told = json.loads(body)
        schema = told["schema"]
        items = [_item(one) for one in told["items"]]
        policy = told.get("policy", {})
        profile = str(told.get("profile", ""))
        feed = Feed(
            epoch=_whole(told.get("epoch", 0)),
            seq=_whole(told["seq"]),
            place=f"{told.get('area', '')} {profile} {bool(told.get('drills'))}",
            profile=profile,
            items=tuple(one for one in items if one),
            cancelled={str(one["id"]): _whole(one["rev"]) for one in told.get("cancelled", ())},
            idle=_page(told.get("idle") or {"lines": [IDLE]}),
            poll_ms=_within(policy.get("poll_s", 10), 1, 3600),
            emergency_ms=_within(policy.get("poll_emergency_s", 3), 1, 3600),
            jitter=min(1.0, max(0.0, float(policy.get("jitter", 0.2)))),
            stale_ms=_within(policy.get("stale_after_s", 120), 1, 86_400),
            bad=items.count(None),
            quiet=_quiet(told.get("display")),
            brightness=_brightness(told.get("display")),
            excluded={str(one["id"]): _whole(one["rev"]) for one in told.get("excluded", ())},
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise FeedError(f"not a feed: {type(error).__name__}") from error
    if schema != SCHEMA:
        raise FeedError(f"schema: {SCHEMA} is expected")
    return feed


def _quiet(display: Any) -> Quiet | None:
    """Quiet hours; what cannot be read of them hides nothing."""
    try:
        told = display["quiet"]
        begins, ends = (_minute(told[name]) for name in ("from", "until"))
        return Quiet(begins, ends, _whole(told["utc_offset_min"]), told.get("hides_emergencies") is True)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _brightness(display: Any) -> int:
    """Percent; a screen that is bright by mistake is better than one that is dark."""
    told = display.get("brightness") if isinstance(display, dict) else None
    return told if type(told) is int and 1 <= told <= 100 else 100


def _minute(text: str) -> int:
    if not re.fullmatch("[0-2][0-9]:[0-5][0-9]", text):
        raise ValueError("an hour is expected")
    return int(text[:2]) * 60 + int(text[3:])


def _item(told: Any) -> Item | None:
    try:
        routine = ROUTINE_OFFLINE_S if told.get("kind") == "bulletin" else None
        offline = told.get("offline_max_s", routine)
        pages = tuple(map(_page, told.get("pages", ())))
        return Item(
            id=str(told["id"]),
            rev=_whole(told["rev"]),
            preempt={"preempt": True, "rotate": False}[told["mode"]],
            priority=_whole(told["priority"]),
            starts_at=_whole(told["starts_at"]),
            expires_at=_whole(told["expires_at"]),
            pages=pages or (Page(4000, (str(told["text"]),)),),
            mark=MARKS[told.get("status", "actual")],
            offline_ms=None if offline is None else int(offline * 1000),
            any_clock=told.get("show_if_untrusted_clock") is True,
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None


def _page(told: Any) -> Page:
    frame = told.get("frame")
    if frame is not None and not re.fullmatch("[0-9a-f]{64}", frame):
        raise ValueError("frame")
    lines = tuple(str(line) for line in told["lines"])
    return Page(min(PAGE_MS[1], max(PAGE_MS[0], _whole(told.get("ms", 4000)))), lines, frame)


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("a whole number is expected")
    return value


def _within(seconds: float, least: int, most: int) -> int:
    return int(min(most, max(least, seconds)) * 1000)


@dataclass(frozen=True)
class Bounds:
    """Server time less steady time lies between these, as seen at the steady instant `at`."""

    low: int
    high: int
    at: int

    def aged(self, at: int) -> "Bounds":
        """What is left of that knowledge later: wider by what a crystal may be off."""
        slack = -(-max(0, at - self.at) // DRIFT)
        return Bounds(self.low - slack, self.high + slack, at)

    def meets(self, other: "Bounds") -> bool:
        """Whether one clock can fit both."""
        return self.low <= other.high and other.low <= self.high


class Clock:
    """The server's time, between bounds. What is over by the latest it can be is over.

    Each answer narrows the bounds: the server read its clock after the request left and before the
    answer came. An answer that fits nothing before it is believed at the second time only, when its
    clock has moved on: a cache that repeats an old answer stands still.
    """

    def __init__(self, reached: int = 0, known: Bounds | None = None, start: int = 0) -> None:
        """`reached` is an instant that is surely past, `start` the steady instant now."""
        self.known, self.reached, self._start, self._doubt = known, reached, start, None

    _doubt: Bounds | None

    @property
    def is_trusted(self) -> bool:
        """Whether the server has said its time since this box started."""
        return self.known is not None

    def heard(self, server_ms: int, sent: int, received: int) -> None:
        """An answer that said its time."""
        # Each of the three was cut to whole milliseconds.
        new = Bounds(server_ms - received - 1, server_ms + 1 - sent, sent).aged(received)
        if self._fits(new):
            old = self.known.aged(received) if self.known else new
            self.known = Bounds(max(old.low, new.low), min(old.high, new.high), received)
            self._doubt = None
        elif (
            self._doubt
            and received - self._doubt.at >= CONFIRM_MS
            and self._doubt.aged(received).meets(new)
        ):
            self.known, self._doubt = new, None
        elif self._doubt is None or not self._doubt.aged(received).meets(new):
            self._doubt = new

    def _fits(self, new: Bounds) -> bool:
        if self.known:
            return self.known.aged(new.at).meets(new)
        return new.at + new.high >= self.reached

    def now(self, steady: int) -> int:
        """The latest that the server's time can be; where it is not trusted, the earliest."""
        if self.known:
            return steady + self.known.aged(steady).high + 1
        return self.reached + max(0, steady - self._start)

    def earliest(self, steady: int) -> int:
        """An instant that is surely past."""
        return steady + self.known.aged(steady).low if self.known else self.now(steady)


class Outcome(Enum):
    """What came of an answer."""

    NEW = "new"
    SAME = "same"
    OLD = "old"
    """A feed from before the one that is on: a restored copy or a stale proxy; refused."""


@dataclass(frozen=True)
class Picture:
    """What to show. `until` is the steady instant to ask again; `item` is None while idle."""

    item: str | None
    rev: int
    number: int
    of: int
    lines: tuple[str, ...]
    frame: str | None
    mark: str
    stale: bool
    until: int = field(compare=False)
    brightness: int = 100
    """Percent of what the panel can."""
    flash: bool = False
    """Light and dark change places: the house asks which screen this is."""


class Player:
    """The state of a screen. Instants of the steady clock are milliseconds since the box started."""

    def __init__(
        self, boot: str, steady: int, kept: Mapping[str, Any] | None = None, *, frames: bool = False
    ) -> None:
        """`boot` names this start of the box; `frames` is whether pictures are shown, not lines."""
        kept = kept or {}
        # The steady clock runs through a restart of this program, not through one of the box.
        bounds = Bounds(*kept["bounds"]) if kept.get("bounds") and kept.get("boot") == boot else None
        self.boot, self._frames = boot, frames
        self.clock = Clock(kept.get("reached", 0), bounds, steady)
        self.feed: Feed | None = None
        self.body, self.etag = str(kept.get("body", "")).encode(), ""
        with suppress(FeedError):  # of an older version of this file
            self.feed, self.etag = parse(self.body), str(kept.get("etag", ""))
        self.contact: int | None = kept.get("contact")
        self.floors = {place: (epoch, seq) for place, epoch, seq in kept.get("floors", ())}
        self.gone: dict[str, int] = dict(kept.get("gone", {}))
        self.told = {(one, rev) for one, rev in kept.get("told", ())}
        self.pending = [(one, rev) for one, rev in kept.get("pending", ())]
        self.pinned = [bytes.fromhex(one) for one in kept.get("pinned", ())]
        self.plays = {(one, rev): Plays(*rest) for one, rev, *rest in kept.get("plays", ())}
        self.batch: dict[str, Any] | None = kept.get("batch")
        """Plays on their way to the house: the same under the same name until it has them."""
        self._on: tuple[str, int] | None = None
        self._on_since = steady
        self.drawn: set[str] = set()
        self._since = steady
        self._flash_until = 0

    def kept(self, steady: int) -> dict[str, Any]:
        """What must outlive this run."""
        known = self.clock.known
        return {
            "boot": self.boot,
            "bounds": [known.low, known.high, known.at] if known else None,
            "reached": self.clock.earliest(steady),
            "body": self.body.decode(),
            "etag": self.etag,
            "contact": self.contact,
            "floors": [[place, *floor] for place, floor in self.floors.items()],
            "gone": self.gone,
            "told": sorted(self.told),
            "pending": self.pending,
            "pinned": [one.hex() for one in self.pinned],
            "plays": [[*shown, *played] for shown, played in self.plays.items()],
            "batch": self.batch,
        }

    def unchanged(self, server_ms: int | None, sent: int, received: int) -> Outcome:
        """304: the house is there, and what is on is right."""
        self._touch(server_ms, sent, received)
        return Outcome.SAME

    def answered(self, body: bytes, etag: str, server_ms: int | None, sent: int, received: int) -> Outcome:
        """200: a feed. Raises FeedError, and then nothing has changed."""
        feed = parse(body)
        floor = self.floors.get(feed.place, (-1, -1))
        if (feed.epoch, feed.seq) < floor:
            return Outcome.OLD
        if feed.epoch > floor[0]:
            # The house was put back to an older day; what it tells now is what holds.
            self.gone.clear()
        self._touch(server_ms, sent, received)
        self.floors.pop(feed.place, None)
        self.floors[feed.place] = (feed.epoch, feed.seq)
        while len(self.floors) > KEPT_PLACES:
            del self.floors[next(iter(self.floors))]
        for one, rev in feed.cancelled.items():
            self.gone[one] = max(rev, self.gone.pop(one, rev))
        while len(self.gone) > KEPT_GONE:
            del self.gone[next(iter(self.gone))]
        self.feed, self.body, self.etag, self._since = feed, body, etag, received
        # Who is left out for a while has been told all the same.
        ids = {one.id for one in feed.items} | feed.excluded.keys()
        self.told = {shown for shown in self.told if shown[0] in ids}
        return Outcome.NEW

    def _touch(self, server_ms: int | None, sent: int, received: int) -> None:
        if server_ms is not None:
            self.clock.heard(server_ms, sent, received)
        self.contact = self.clock.now(received)

    def flashes(self, until: int, steady: int) -> None:
        """The house asks it to make itself known until an instant (X-Screen-Identify)."""
        if self.clock.is_trusted:
            self._flash_until = min(until, self.clock.now(steady) + LONGEST_FLASH_MS)

    def wanted(self) -> list[str]:
        """The frames to have, the most urgent first."""
        if self.feed is None:
            return []
        pages = [page for one in self.feed.items for page in one.pages]
        return list(dict.fromkeys(page.frame for page in (*pages, self.feed.idle) if page.frame))

    def live(self, steady: int) -> list[Item]:
        """What may be told now, by priority."""
        if self.feed is None:
            return []
        now, trusted = self.clock.now(steady), self.clock.is_trusted
        silent = now - self.contact if self.contact is not None else 0
        found = [
            one
            for one in self.feed.items
            if one.starts_at <= now < one.expires_at
            and (trusted or one.any_clock)
            and self.gone.get(one.id, -1) < one.rev
            and self.feed.excluded.get(one.id, -1) < one.rev
            and (one.offline_ms is None or silent < one.offline_ms)
            and not (self.feed.quiet and self.feed.quiet.holds(now, preempt=one.preempt))
        ]
        return sorted(found, key=lambda one: (-one.priority, one.id))

    def turns(self, steady: int) -> list[Item]:
        """What takes turns on the screen now: what has it for itself, else everything live."""
        age = steady - self._since
        return alone([one for one in self.live(steady) if age >= self._patience(one)])

    def _patience(self, one: Item) -> int:
        if not self._frames or self._is_drawn(one):
            return 0
        return URGENT_MS if one.preempt else FRAMES_MS

    def _is_drawn(self, one: Item) -> bool:
        return all(page.frame is None or page.frame in self.drawn for page in one.pages)

    @property
    def is_urgent(self) -> bool:
        """Whether something has the screen for itself, as the feed has it."""
        return self.feed is not None and any(one.preempt for one in self.feed.items)

    def picture(self, steady: int) -> Picture:
        """What to show at this instant."""
        now = self.clock.now(steady)
        stale = self._is_stale(now)
        until = steady + self._pause(now, steady)
        turns = self.turns(steady)
        bright = self.feed.brightness if self.feed else 100
        flash = now < self._flash_until and now // FLASH_MS % 2 == 0
        if not turns:
            idle = self.feed.idle if self.feed else Page(4000, (IDLE,))
            return Picture(None, 0, 1, 1, idle.lines, self._frame(idle), "", stale, until, bright, flash)
        one, number, left = _turn(turns, now)
        page = one.pages[number]
        return Picture(
            item=one.id,
            rev=one.rev,
            number=number + 1,
            of=len(one.pages),
            lines=page.lines,
            frame=self._frame(page),
            mark=one.mark,
            stale=stale,
            until=min(until, steady + left),
            brightness=bright,
            flash=flash,
        )

    def _frame(self, page: Page) -> str | None:
        return page.frame if page.frame in self.drawn else None

    def _is_stale(self, now: int) -> bool:
        if self.contact is None or self.feed is None or not self.clock.is_trusted:
            return True
        return now - self.contact >= self.feed.stale_ms

    def _pause(self, now: int, steady: int) -> int:
        """Milliseconds until something begins, ends or goes stale; a little less, for the crystal."""
        ahead = [LOOK_AGAIN_MS]
        if self.feed:
            instants = [at for one in self.feed.items for at in (one.starts_at, one.expires_at)]
            if self.contact is not None:
                silences = {self.feed.stale_ms, *(one.offline_ms or 0 for one in self.feed.items)}
                instants += [self.contact + silence for silence in silences]
            if self.feed.quiet:
                instants.append(now - now % MINUTE_MS + MINUTE_MS)
            ahead += [at - now for at in instants if at > now]
            waits = (URGENT_MS, FRAMES_MS) if self._frames else ()
            ahead += [left for wait in waits if (left := self._since + wait - steady) > 0]
        if now < self._flash_until:
            ahead.append(FLASH_MS - now % FLASH_MS)
        least = min(ahead)
        return max(1, least - least // (DRIFT // 2) - 2)

    def showed(self, picture: Picture) -> bool:
        """It was on, words and all; whether that is the first time, and to be reported."""
        if picture.item is None or (picture.item, picture.rev) in self.told:
            return False
        self.told.add((picture.item, picture.rev))
        self.pending.append((picture.item, picture.rev))
        return True

    def reported(self, sent: Iterable[tuple[str, int]]) -> None:
        """The house has these reports, or will never take them."""
        done = set(sent)
        self.pending = [one for one in self.pending if one not in done]

    def counted(self, picture: Picture, steady: int) -> None:
        """Notes how long was on what was on, and that this is on now.

        A play begins when an item comes on after something else. What is shown before the time is
        known is not counted: nobody could say when that was.
        """
        now, former = self.clock.now(steady), self._on
        on = (picture.item, picture.rev) if picture.item and self.clock.is_trusted else None
        if former in self.plays:
            was = self.plays[former]
            self.plays[former] = was._replace(ms=was.ms + max(0, steady - self._on_since), last=now)
        if on and (on != former or on not in self.plays):
            was = self.plays.get(on, Plays(0, 0, now, now))
            if on != former:
                was = was._replace(plays=was.plays + 1, last=now)
            if len(self.plays) < PLAYS_IN_ONE or on in self.plays:
                self.plays[on] = was
        self._on, self._on_since = on, steady

    def told_of(self, name: str) -> dict[str, Any] | None:
        """The plays to tell the house next, as `name` where they are not on their way yet."""
        if self.batch is None and self.plays:
            told = [
                {
                    "alert_id": one,
                    "version": rev,
                    "plays": played.plays,
                    "seconds": played.ms // 1000,
                    "first_at": _instant(played.first),
                    "last_at": _instant(played.last),
                }
                for (one, rev), played in self.plays.items()
            ]
            self.batch, self.plays = {"batch": name, "plays": told}, {}
        return self.batch


class Plays(NamedTuple):
    """How often a version was on since the last batch, how long in all, and from when to when."""

    plays: int
    ms: int
    first: int
    last: int


def _instant(ms: int) -> str:
    whole = time.gmtime(ms // 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', whole)}.{ms % 1000:03}Z"


def _turn(turns: list[Item], now: int) -> tuple[Item, int, int]:
    """Whose turn it is: the item, its page, and the milliseconds left of it.

    By the time of day, so that neighbouring screens agree and a restart begins nothing anew.
    """
    at = now % sum(page.ms for one in turns for page in one.pages)
    for one in turns:
        for number, page in enumerate(one.pages):
            if at < page.ms:
                return one, number, page.ms - at
            at -= page.ms
    raise AssertionError("the rest of a division is less than the divisor")


def alone(live: list[Item]) -> list[Item]:
    """Of what is live, what has the screen for itself at the highest priority; else all of it.

    A rehearsal never hides what is meant: while anything meant is live, it only takes turns.
    """
    meant = [one for one in live if not one.mark]
    first = [one for one in meant or live if one.preempt]
    return [one for one in first if one.priority == first[0].priority] or live


def pause(
    player: Player, outcome: Outcome | None, failures: int, chance: float, *, waited: bool = False
) -> float:
    """Seconds until the next poll. `chance` is from 0 to 1; `waited` is whether the server holds polls.

    After failures it doubles from one second to a minute, spread over the whole, so that ten thousand
    screens do not come back as one.
    """
    if outcome is None:
        return max(0.5, min(60.0, 2.0 ** min(failures, 6)) * chance)
    if outcome is Outcome.NEW:
        return 2.0 * chance
    if waited:
        return 0.1 * chance
    feed = player.feed
    if feed is None:
        return 10.0
    every = feed.emergency_ms if player.is_urgent else feed.poll_ms
    return every / 1000 * (1 + feed.jitter * (2 * chance - 1))


# Signatures: Ed25519 (RFC 8032 §5.1.7), for the standard library has none.

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
_POINT_BYTES = 32
_Point = tuple[int, int, int, int]
"""Extended homogeneous coordinates: x/z, y/z, and their product."""


def _add(one: _Point, other: _Point) -> _Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _point(encoded: bytes) -> _Point | None:
    """The point of 32 bytes; None where they are no canonical encoding of one (§5.1.3)."""
    told = int.from_bytes(encoded, "little")
    y, odd = told & ((1 << 255) - 1), told >> 255
    if len(encoded) != _POINT_BYTES or y >= _P:
        return None
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if (v * x * x - u) % _P:
        x = x * _ROOT % _P
    if (v * x * x - u) % _P or (x == 0 and odd):
        return None
    x = _P - x if x & 1 != odd else x
    return x, y, 1, x * y % _P


def _encoded(point: _Point) -> bytes:
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


_BASE = _point((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))


def is_signed(public: bytes, body: bytes, signature: bytes) -> bool:
    """Whether the holder of the private half signed these very bytes. A few milliseconds; 30 on a Pi."""
    key = _point(public)
    scalar = int.from_bytes(signature[_POINT_BYTES:], "little")
    if key is None or _BASE is None or len(signature) != 2 * _POINT_BYTES or scalar >= _ORDER:
        return False
    drawn = hashlib.sha512(signature[:_POINT_BYTES] + public + body).digest()
    challenge = int.from_bytes(drawn, "little") % _ORDER
    # [S]B - [k]A is R; both multiples in one walk over the bits.
    minus: _Point = (_P - key[0], key[1], key[2], _P - key[3])
    steps: tuple[_Point | None, ...] = (None, _BASE, minus, _add(_BASE, minus))
    found: _Point = (0, 1, 1, 0)
    for bit in range(_ORDER.bit_length() - 1, -1, -1):
        found = _add(found, found)
        step = steps[scalar >> bit & 1 | (challenge >> bit & 1) << 1]
        if step:
            found = _add(found, step)
    return _encoded(found) == signature[:_POINT_BYTES]


def key_name(public: bytes) -> str:
    """How the house names that key in X-Feed-Signature."""
    return hashlib.sha256(public).hexdigest()[:16]


def is_authentic(body: bytes, said: str, pinned: Iterable[bytes]) -> bool:
    """Whether X-Feed-Signature (`ed25519=<base64>;key=<name>`) is by one of the pinned keys."""
    found = re.fullmatch(r"ed25519=([0-9A-Za-z+/]{86}==);key=([0-9a-f]{16})", said)
    if found is None:
        return False
    signature = base64.b64decode(found[1])
    return any(is_signed(public, body, signature) for public in pinned if key_name(public) == found[2])


# From here on: files, pictures, the network.


class SettingError(ValueError):
    """What the one who set up the box can mend."""


def steady_ms() -> int:
    """Milliseconds since the box started, its sleep included."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1_000_000


def boot_id() -> str:
    """Names this start of the box; a new name each time where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return os.urandom(16).hex()


def write_whole(path: Path, data: bytes, mode: int = 0o644) -> None:
    """The file as it was or as it shall be, whenever the power goes."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class Store:
    """What outlives a run: the state in two generations, frames by their digest, the key of a pairing."""

    def __init__(self, folder: Path) -> None:
        self._state, self._former = folder / "state", folder / "state.former"
        self._paired = folder / "paired"
        self._frames = folder / "frames"
        self._frames.mkdir(parents=True, exist_ok=True)

    def load(self) -> dict[str, Any]:
        """The newest sound state.

        From the former generation time is not trusted and the feed is fetched anew: it may hold what
        was cancelled since.
        """
        newest = _checked(self._state)
        if newest is not None:
            return newest
        former = _checked(self._former) or {}
        return former | {"bounds": None, "etag": ""}

    def save(self, state: Mapping[str, Any]) -> None:
        """Writes a generation and keeps the one before it."""
        if _checked(self._state) is not None:
            self._state.replace(self._former)
        write_whole(self._state, _sealed(state))

    def paired(self) -> dict[str, str]:
        """The key that a pairing gave, and which screen's it is; empty where there was none."""
        kept = _checked(self._paired) or {}
        return {name: str(kept.get(name, "")) for name in ("key", "screen")}

    def keep_paired(self, key: str, screen: str, state: Mapping[str, Any]) -> None:
        """Keeps a key, and the state it begins with: what was kept before may be another screen's."""
        self._former.unlink(missing_ok=True)
        self._state.unlink(missing_ok=True)
        self.save(state)
        write_whole(self._paired, _sealed({"key": key, "screen": screen}), mode=0o600)

    def frame(self, name: str) -> bytes | None:
        """A frame, if it is here and sound."""
        with suppress(OSError):
            body = (self._frames / name).read_bytes()
            if hashlib.sha256(body).hexdigest() == name:
                return body
        return None

    def keep_frame(self, body: bytes) -> None:
        """Adds a frame."""
        write_whole(self._frames / hashlib.sha256(body).hexdigest(), body)

    def keep_only(self, names: Iterable[str]) -> None:
        """Forgets all other frames."""
        for other in {path.name for path in self._frames.iterdir()} - set(names):
            (self._frames / other).unlink(missing_ok=True)


def _sealed(told: Mapping[str, Any]) -> bytes:
    data = json.dumps(told, ensure_ascii=False).encode()
    return hashlib.sha256(data).hexdigest().encode() + b"\n" + data


def _checked(path: Path) -> dict[str, Any] | None:
    try:
        digest, _, data = path.read_bytes().partition(b"\n")
        if hashlib.sha256(data).hexdigest().encode() != digest:
            log.warning("%s is damaged", path.name)
            return None
        return json.loads(data)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read: %s", path.name, type(error).__name__)
        return None


@dataclass(frozen=True)
class Bitmap:
    """A picture: rows of pixels from the top, each red, green and blue from 0 to 255."""

    width: int
    height: int
    rgb: bytearray

    @classmethod
    def dark(cls, width: int, height: int) -> "Bitmap":
        """Nothing lit."""
        return cls(width, height, bytearray(3 * width * height))

    def light(self, left: int, top: int, wide: int, high: int) -> None:
        """Lights a box; what is outside the picture is left out."""
        wide = max(0, min(wide, self.width - left))
        for row in range(top, min(top + high, self.height)):
            start = 3 * (row * self.width + left)
            self.rgb[start : start + 3 * wide] = b"\xff" * 3 * wide

    def within(self, wide: int, high: int) -> "Bitmap":
        """As large as fits a room that is too small for it; the pixels between are left out."""
        part = min(wide / self.width, high / self.height)
        wide, high = (
            max(1, min(most, round(part * size)))
            for most, size in ((wide, self.width), (high, self.height))
        )
        columns = [3 * (x * self.width // wide) for x in range(wide)]
        out = bytearray()
        for y in range(high):
            start = 3 * self.width * (y * self.height // high)
            row = self.rgb[start : start + 3 * self.width]
            out += b"".join([row[at : at + 3] for at in columns])
        return Bitmap(wide, high, out)

    def inverted(self) -> "Bitmap":
        """Dark where it was lit."""
        return Bitmap(self.width, self.height, self.rgb.translate(bytes(range(255, -1, -1))))

    def dimmed(self, percent: int) -> "Bitmap":
        """The same, darker; what is lit at all stays lit."""
        if percent >= 100:
            return self
        levels = bytes([0, *(max(1, level * percent // 100) for level in range(1, 256))])
        return Bitmap(self.width, self.height, self.rgb.translate(levels))

    def ppm(self) -> bytes:
        """As a portable pixmap: no work to write, none to read."""
        return b"P6 %d %d 255\n" % (self.width, self.height) + self.rgb

    def mono(self) -> bytes:
        """One bit a pixel, the leftmost the highest, each row filled to whole bytes."""
        out = bytearray()
        lit = bytes(max(self.rgb[at : at + 3]) >= 128 for at in range(0, len(self.rgb), 3))
        for row in range(self.height):
            bits = lit[row * self.width : (row + 1) * self.width].ljust(-(-self.width // 8) * 8, b"\0")
            out += int(bits.translate(_DIGITS), 2).to_bytes(len(bits) // 8, "big")
        return bytes(out)

    def png(self) -> bytes:
        """As PNG, eight bits a colour."""
        step = 3 * self.width
        rows = (b"\0" + self.rgb[at : at + step] for at in range(0, len(self.rgb), step))
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows), 6)), (b"IEND", b""))
        return _PNG + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in parts
        )


_DIGITS = b"01" + bytes(254)
_PNG = b"\x89PNG\r\n\x1a\n"
_RAW = struct.Struct(">4sHHBBHI")
_CHANNELS = {0: 1, 2: 3, 3: 1}
MOST_PIXELS = 4096 * 4096


def decode(frame: bytes) -> Bitmap:
    """The picture of a frame: raw bits behind a header of 16 bytes, or PNG. Raises ValueError."""
    try:
        return _decode_png(frame) if frame.startswith(_PNG) else _decode_raw(frame)
    except (struct.error, zlib.error, IndexError, KeyError) as error:
        raise ValueError("the frame is damaged") from error


def _decode_raw(frame: bytes) -> Bitmap:
    magic, width, height, depth, count, _, _ = _RAW.unpack_from(frame)
    step = -(-width // 8)
    if (magic, depth, count, len(frame)) != (b"HLF1", 1, 1, _RAW.size + step * height):
        raise ValueError("not a frame of one bit a pixel")
    rows = [frame[at : at + step] for at in range(_RAW.size, len(frame), step)]
    return _coloured(width, height, rows, 1, b"\0\0\0\xff\xff\xff")


def _decode_png(frame: bytes) -> Bitmap:
    chunks: dict[bytes, bytes] = {}
    at = len(_PNG)
    while at < len(frame):
        (size,) = struct.unpack_from(">I", frame, at)
        kind = frame[at + 4 : at + 8]
        chunks[kind] = chunks.get(kind, b"") + frame[at + 8 : at + 8 + size]
        at += 12 + size
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    channels = _CHANNELS[colour]
    if interlaced or depth > 8 or width * height > MOST_PIXELS:
        raise ValueError("this kind of PNG is not drawn by servers")
    step = -(-width * channels * depth // 8)
    data = zlib.decompressobj().decompress(chunks[b"IDAT"], height * (step + 1))
    if len(data) != height * (step + 1):
        raise ValueError("the frame is not as long as its header says")
    rows = _unfiltered(data, step, max(1, channels * depth // 8))
    if channels == 3:
        return Bitmap(width, height, bytearray(b"".join(rows)))
    grey = bytes(value for level in range(1 << depth) for value in [level * 255 // ((1 << depth) - 1)] * 3)
    palette = chunks[b"PLTE"] if colour == 3 else grey
    return _coloured(width, height, rows, depth, palette)


def _coloured(width: int, height: int, rows: list[bytes], depth: int, palette: bytes) -> Bitmap:
    colours = [palette[at : at + 3] for at in range(0, len(palette), 3)]
    shifts, mask = range(8 - depth, -1, -depth), (1 << depth) - 1
    # By the byte, not the pixel: a television has two million of them, and a palette may be short.
    used = set().union(*rows)
    pixels = {byte: b"".join(colours[byte >> shift & mask] for shift in shifts) for byte in used}
    wide = 3 * width
    return Bitmap(
        width, height, bytearray(b"".join(b"".join(map(pixels.__getitem__, row))[:wide] for row in rows))
    )


def _unfiltered(data: bytes, step: int, back: int) -> list[bytes]:
    """Rows without their filters (PNG, third edition, §9)."""
    rows: list[bytes] = []
    above = bytes(step)
    for at in range(0, len(data), step + 1):
        kind, row = data[at], bytearray(data[at + 1 : at + 1 + step])
        if kind > 4:
            raise ValueError("no such filter")
        for i in range(step if kind else 0):
            left, corner = (row[i - back], above[i - back]) if i >= back else (0, 0)
            row[i] = (row[i] + _guess(kind, left, above[i], corner)) & 255
        above = bytes(row)
        rows.append(above)
    return rows


def _guess(kind: int, left: int, up: int, corner: int) -> int:
    if kind < 4:
        return (0, left, up, (left + up) // 2)[kind]
    near = left + up - corner
    return min((left, up, corner), key=lambda one: abs(near - one))


# Capitals and digits, five dots by seven: for what must be told before its frame is here.
_DOTS = (
    "A0E11111F111111 B1E11111E11111E C0E11101010110E D1E11111111111E E1F10101E10101F F1F10101E101010 "
    "G0E11101713110F H1111111F111111 I0E04040404040E J0702020202120C K11121418141211 L1010101010101F "
    "M111B1515111111 N11191915131311 O0E11111111110E P1E11111E101010 Q0E11111115120D R1E11111E141211 "
    "S0F10100E01011E T1F040404040404 U1111111111110E V1111111111110A04 W11111115151B11 X11110A040A1111 "
    "Y11110A04040404 Z1F01020408101F 00E11131519110E 1040C040404040E 20E11010608101F 31E01010E01011E "
    "402060A121F0202 51F101E0101110E 60608101E11110E 71F010204080808 80E11110E11110E 90E11110F01020C "
    ".00000000000C0C ,00000000060408 :000C0C000C0C00 -0000001F000000 !04040404040004 ?0E110102040004 "
    "/01010204081010 (02040808080402 )08040202020408 +0004041F040400 %18190204081303"
)
_GLYPHS = {one[0]: bytes.fromhex(one[-14:]) for one in _DOTS.split()}


def plain(line: str) -> str:
    """Capitals without marks."""
    apart = unicodedata.normalize("NFD", line.replace("đ", "d").replace("Đ", "D"))
    return "".join(sign for sign in apart if not unicodedata.combining(sign)).upper()


def lettered(lines: Iterable[str], width: int, height: int) -> Bitmap:
    """Lines in plain capitals, as large as they go: legible, not fair."""
    said = [part for line in lines for part in textwrap.wrap(plain(line), max(1, width // 6))] or [""]
    bitmap = Bitmap.dark(width, height)
    size = max(1, min(width // (6 * max(1, *map(len, said))), height // (8 * len(said))))
    top = max(0, height - 8 * size * len(said)) // 2
    for line in said:
        left = max(0, width - 6 * size * len(line)) // 2
        for sign in line:
            for row, dots in enumerate(_GLYPHS.get(sign, bytes(7))):
                for column in range(5):
                    if dots >> (4 - column) & 1:
                        bitmap.light(left + column * size, top + row * size, size, size)
            left += 6 * size
        top += 8 * size
    return bitmap


def measures(profile: str) -> tuple[int, int]:
    """Width and height by the profile's name; the smallest matrix for an unknown one."""
    if profile == "lcd1920":
        return 1920, 1080
    found = re.fullmatch(r"(?:m|lcd)(\d{2,4})x(\d{2,4})(?:-\w+)?", profile)
    return (int(found[1]), int(found[2])) if found else (96, 32)


def drawing(picture: Picture, frame: bytes | None, profile: str) -> Bitmap:
    """The frame, or the lines lettered; a lit corner where the house has been silent."""
    bitmap = None
    if frame is not None:
        try:
            bitmap = decode(frame)
        except ValueError as error:
            log.warning("frame %s: %s", picture.frame, error)
    if bitmap is None:
        marked = (picture.mark, *picture.lines) if picture.mark else picture.lines
        bitmap = lettered(marked, *measures(profile))
    if picture.stale:
        dot = max(2, bitmap.height // 32)
        bitmap.light(bitmap.width - dot, bitmap.height - dot, dot, dot)
    if picture.flash:
        bitmap = bitmap.inverted()
    return bitmap.dimmed(picture.brightness)


class Output(Protocol):
    """Where pictures go. Raises OSError where it could not be shown: then it was not."""

    frames: bool

    def show(self, picture: Picture, frame: bytes | None, profile: str) -> None:
        """Shows a picture until the next."""
        ...


class Text:
    """Lines on standard output, an empty line after each page."""

    frames = False

    def show(self, picture: Picture, frame: bytes | None, profile: str) -> None:
        """Shows a picture until the next."""
        del frame, profile
        flash = "*" * max(map(len, picture.lines)) if picture.flash and picture.lines else ""
        sys.stdout.write("\n".join(filter(None, (flash, picture.mark, *picture.lines))) + "\n\n")
        sys.stdout.flush()


class PngFolder:
    """`current.png`, and every picture by its number in the order they were on, the newest `most`."""

    frames = True

    def __init__(self, folder: Path, most: int = 500) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._most = folder, most
        self._number = max((int(path.name[:8]) for path in self._numbered()), default=0)

    def _numbered(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]" * 8 + "-*.png"))

    def show(self, picture: Picture, frame: bytes | None, profile: str) -> None:
        """Shows a picture until the next."""
        changed = picture.stale or picture.flash or picture.brightness < 100
        png = (
            frame
            if frame and frame.startswith(_PNG) and not changed
            else drawing(picture, frame, profile).png()
        )
        self._number += 1
        what = f"{picture.item}-r{picture.rev}-p{picture.number}" if picture.item else "idle"
        safe = re.sub(r"[^\w-]", "_", what, flags=re.ASCII)[:80]
        write_whole(self._folder / f"{self._number:08d}-{safe}.png", png)
        write_whole(self._folder / "current.png", png)
        for old in self._numbered()[: -self._most]:
            old.unlink(missing_ok=True)


class FrameBuffer:
    """Raw frames written to the start of a device: one bit a pixel, or red, green and blue bytes."""

    frames = True

    def __init__(self, device: Path, *, colour: bool) -> None:
        self._device, self._colour = device, colour

    def show(self, picture: Picture, frame: bytes | None, profile: str) -> None:
        """Shows a picture until the next."""
        # A diode of one bit is lit or it is not; dimmed by half it would be dark.
        shown = picture if self._colour else replace(picture, brightness=100)
        bitmap = drawing(shown, frame, profile)
        # Opened as it is: a device file must not be replaced by a file of its name.
        with os.fdopen(os.open(self._device, os.O_WRONLY), "wb") as device:
            device.write(bitmap.rgb if self._colour else bitmap.mono())


@dataclass(frozen=True)
class WindowPlace:
    """Where a window is: all of the display without a size; bare at exact pixels with `at`."""

    size: tuple[int, int] | None = None
    at: tuple[int, int] | None = None

    @classmethod
    def parse(cls, said: str) -> "WindowPlace":
        """`WIDTHxHEIGHT`, `WIDTHxHEIGHT+X+Y` or nothing. Raises SettingError."""
        found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})(?:\+(\d{1,5})\+(\d{1,5}))?", said, re.ASCII)
        if said and found is None:
            raise SettingError("output: window, window:WIDTHxHEIGHT or window:WIDTHxHEIGHT+X+Y")
        if found is None:
            return cls()
        wide, high, left, top = (int(one) if one else None for one in found.groups())
        assert wide
        assert high
        return cls((wide, high), None if left is None or top is None else (left, top))


class Window:
    """A window of the X display: one diode is n pixels of a small matrix, so that it stays sharp.

    All of it belongs to the thread that made it, and that thread must `tend` it.
    """

    frames = True

    def __init__(self, place: WindowPlace) -> None:
        # Imported here: the boxes without a display have no tkinter.
        try:
            import tkinter as tk  # noqa: PLC0415
        except ImportError:
            raise SettingError("output: a window needs tkinter (Debian: python3-tk)") from None
        try:
            self._root = root = tk.Tk(className="Screen")
        except tk.TclError as error:
            raise SettingError(f"output: no window: {error}") from None
        self._image: Callable[..., tk.PhotoImage] = tk.PhotoImage
        self._error = tk.TclError
        self.is_closed = False
        self._whole: Callable[[], Bitmap] | None = None
        self._source = b""
        self._picture: tk.PhotoImage | None = None
        self._canvas = tk.Canvas(root, background="black", highlightthickness=0, borderwidth=0)
        self._canvas.pack(fill="both", expand=True)
        self._dressed(place)
        root.protocol("WM_DELETE_WINDOW", self._close)
        root.bind("<Escape>", self._close)
        self._canvas.bind("<Configure>", self._again)
        self.tend()
        root.focus_force()

    def _dressed(self, place: WindowPlace) -> None:
        root = self._root
        root.title("Screen")
        root.configure(background="black", cursor="none" if place.at or not place.size else "")
        if place.size is None:
            # A window manager makes it full; where there is none, it is as large as the display.
            root.geometry(f"{root.winfo_screenwidth()}x{root.winfo_screenheight()}+0+0")
            root.attributes("-fullscreen", True)
            return
        wide, high = place.size
        if place.at:
            root.overrideredirect(True)
        root.geometry(f"{wide}x{high}" + (f"+{place.at[0]}+{place.at[1]}" if place.at else ""))

    def show(self, picture: Picture, frame: bytes | None, profile: str) -> None:
        """Shows a picture until the next."""
        self._whole = partial(drawing, picture, frame, profile)
        changed = picture.stale or picture.flash or picture.brightness < 100
        png = frame if frame and frame.startswith(_PNG) and not changed else None
        self._source = png or self._whole().ppm()
        self._draw()
        self.tend()

    def tend(self) -> None:
        """Does what the display asks for."""
        # Where the display is gone, its library ends this process with 1: see docs/player.md.
        if not self.is_closed:
            self._root.update()

    def close(self) -> None:
        """Takes the window down; again is harmless."""
        self._close()
        with suppress(self._error):
            self._root.destroy()

    def _close(self, _: object = None) -> None:
        self.is_closed = True

    def _again(self, _: object) -> None:
        try:
            self._draw()
        except OSError as error:
            log.error("the output fails: %s", error.strerror)  # noqa: TRY400 (the kind is enough)

    def _draw(self) -> None:
        if self._whole is None:
            return
        wide, high = self._canvas.winfo_width(), self._canvas.winfo_height()
        try:
            told = self._image(master=self._root, data=self._source)
            # Whole times its size, so that each diode is as large as the next.
            times = min(wide // told.width(), high // told.height())
            if times == 0:
                told = self._image(master=self._root, data=self._whole().within(wide, high).ppm())
            sized = told.zoom(times) if times > 1 else told
            self._canvas.delete("all")
            self._canvas.create_image(wide // 2, high // 2, image=sized)
        except self._error as error:
            raise OSError(errno.EIO, f"the window cannot draw it ({error})") from error
        self._picture = sized  # Tk shows an image as long as someone holds it.


class Backlight:
    """An output whose panel has a brightness of its own: pixels stay as they are.

    `level` is a file that takes a number up to what `max_brightness` beside it says (Linux' backlight and
    leds classes), or a percentage where there is none.
    """

    def __init__(self, shows: Output, level: Path) -> None:
        self.frames, self._shows, self._level = shows.frames, shows, level
        self._set: int | None = None

    def show(self, picture: Picture, frame: bytes | None, profile: str) -> None:
        """Shows a picture until the next. A panel that cannot be dimmed shows it all the same."""
        if picture.brightness != self._set:
            try:
                self._level.write_text(f"{self._of(picture.brightness)}\n")
            except (OSError, ValueError) as error:
                log.warning("the brightness cannot be set: %s", type(error).__name__)
            self._set = picture.brightness
        self._shows.show(replace(picture, brightness=100), frame, profile)

    def _of(self, percent: int) -> int:
        try:
            most = int(self._level.with_name("max_brightness").read_text())
        except FileNotFoundError:
            most = 100
        return max(1, most * percent // 100)


def output(said: str) -> Output:
    """What OUTPUTS names. Raises SettingError."""
    kind, colon, place = said.partition(":")
    if said == "text":
        return Text()
    if kind == "window" and bool(colon) == bool(place):
        return Window(WindowPlace.parse(place))
    if kind == "png" and place:
        return PngFolder(Path(place))
    if kind in {"mono", "rgb"} and place:
        if not Path(place).exists():
            raise SettingError(f"output: there is no {place}")
        return FrameBuffer(Path(place), colour=kind == "rgb")
    raise SettingError(f"output: {OUTPUTS}")


OUTPUTS = "text, window, window:WIDTHxHEIGHT[+X+Y], png:FOLDER, mono:DEVICE or rgb:DEVICE"
TEND_S = 0.05
"""How long a window may wait to be tended."""
WAIT_S = 50
"""How long the server is asked to hold a poll until something changes; below what proxies cut off."""
TIMEOUT_S = 20.0
MOST_BYTES = 4 << 20
LOST_KEY_S = 60.0
SAVE_MS = 600_000
"""How old the kept time may get: flash wears out."""


@dataclass(frozen=True)
class Settings:
    """One screen's box. Raises SettingError."""

    feed: str
    key: str = field(repr=False)
    """Empty where the box pairs by a code."""
    output: str
    state: Path
    wait_s: int = WAIT_S
    trust: Path | None = None
    """Certificates to trust (PEM) in place of the system's."""
    plays_ms: int = PLAYS_MS
    feed_key: str = ""
    """The public keys that sign feeds, base64, blanks between; the first one met is kept where empty."""
    profile: str = ""
    """What the panel is, until the house says so: a pairing code is drawn for it."""
    backlight: Path | None = None
    """A file that sets the panel's brightness; without it pixels are darkened."""

    @property
    def pinned(self) -> list[bytes]:
        """The keys that sign feeds. Raises SettingError."""
        try:
            keys = [base64.b64decode(one, validate=True) for one in self.feed_key.split()]
        except ValueError:
            keys = [b""]
        if any(_point(one) is None for one in keys):
            raise SettingError("feed key: 32 bytes in base64 are expected, as /v1/feed-key tells them")
        return keys

    def __post_init__(self) -> None:
        _ = self.pinned
        url = urlsplit(self.feed)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise SettingError("feed: an https address is expected")
        if url.scheme == "http" and url.hostname not in {"localhost", "127.0.0.1", "::1"}:
            raise SettingError("feed: the key would travel in the clear; https is expected")
        if not re.fullmatch(r"[!-~]*", self.key):
            raise SettingError("key: SCREEN_KEY or a key file must hold the screen's key")
        if self.backlight and not self.backlight.exists():
            raise SettingError(f"backlight: there is no {self.backlight}")


def read_key(file: Path | None) -> str:
    """The key, from a file or from SCREEN_KEY: never from the command line, which others can read."""
    if file is None:
        return os.environ.get("SCREEN_KEY", "")
    try:
        key = file.read_text().strip()
    except (OSError, ValueError) as error:
        raise SettingError(f"key file: {file} cannot be read") from error
    if not key:
        raise SettingError(f"key file: {file} holds no key")
    return key


class LinkError(Exception):
    """No answer, or one that is no use; `retry_s` is when the server wants to be asked again."""

    def __init__(self, text: str, retry_s: float = 0.0, status: int = 0) -> None:
        super().__init__(text)
        self.retry_s, self.status = retry_s, status


@dataclass(frozen=True)
class Answer:
    """What the server said, and between which steady instants."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    sent: int
    received: int

    @property
    def server_ms(self) -> int | None:
        """The server's clock when it answered."""
        said = self.headers.get("X-Server-Time", "")
        return int(said) if re.fullmatch(r"\d{1,15}", said, re.ASCII) else None

    @property
    def told(self) -> dict[str, Any]:
        """The body, where it is an object of JSON."""
        with suppress(ValueError):
            told = json.loads(self.body)
            return told if isinstance(told, dict) else {}
        return {}

    @property
    def identify_ms(self) -> int | None:
        """Until when the screen is asked to make itself known."""
        said = self.headers.get("X-Screen-Identify", "")
        return int(said) if re.fullmatch(r"\d{1,15}", said, re.ASCII) else None

    @property
    def retry_s(self) -> float:
        """What Retry-After asks for, in seconds; 0 without it."""
        said = self.headers.get("Retry-After", "")
        return float(min(3600, int(said))) if re.fullmatch(r"\d{1,9}", said, re.ASCII) else 0.0


class Link:
    """One connection to the house, kept open. Follows no redirects: the key goes to one address only."""

    def __init__(self, settings: Settings, steady: Callable[[], int]) -> None:
        self._url = urlsplit(settings.feed)
        self.key, self._steady = settings.key, steady
        self._trust = settings.trust
        self._open: http.client.HTTPConnection | None = None

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        seconds: float = TIMEOUT_S,
    ) -> Answer:
        """One request. Raises LinkError; then the next one opens a new connection."""
        sending = {"User-Agent": "screen-player/1", **(headers or {})}
        if self.key:
            sending["Authorization"] = f"Bearer {self.key}"
        try:
            line = self._open = self._open or self._dial()
            line.timeout = seconds
            if line.sock:
                line.sock.settimeout(seconds)
            sent = self._steady()
            line.request(method, path, body, sending)
            answer = line.getresponse()
            told = answer.read(MOST_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise LinkError(type(error).__name__) from error
        if len(told) > MOST_BYTES:
            self.close()
            raise LinkError("the answer is too large")
        return Answer(answer.status, answer.headers, told, sent, self._steady())

    def _dial(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "http":
            return http.client.HTTPConnection(host, port)
        safe = ssl.create_default_context(cafile=self._trust)
        return http.client.HTTPSConnection(host, port, context=safe)

    def close(self) -> None:
        """Hangs up; again is harmless."""
        line, self._open = self._open, None
        if line:
            line.close()

    def cut(self) -> None:
        """Ends a request that another thread waits for."""
        line = self._open
        if line and line.sock:
            with suppress(OSError):
                line.sock.shutdown(socket.SHUT_RDWR)


class Box:
    """The player with its files, its network and its screen, a thread for each."""

    def __init__(
        self,
        settings: Settings,
        *,
        steady: Callable[[], int] = steady_ms,
        boot: str | None = None,
        shows: Output | None = None,
    ) -> None:
        self._settings, self._steady = settings, steady
        self._shows = shows or output(settings.output)
        self._window = self._shows if isinstance(self._shows, Window) else None
        if settings.backlight:
            self._shows = Backlight(self._shows, settings.backlight)
        try:
            self.store = Store(settings.state)
        except OSError as error:
            raise SettingError(f"state: {settings.state} cannot be written") from error
        self._changed = threading.Condition()
        self._news = self._seen = 0
        self._off = threading.Event()
        self._boot = boot or boot_id()
        self.player = Player(self._boot, steady(), self.store.load(), frames=self._shows.frames)
        self.player.pinned = settings.pinned or self.player.pinned
        self.player.drawn |= {name for name in self.player.wanted() if self.store.frame(name)}
        self._lines = {"feed": Link(settings, steady), "reports": Link(settings, steady)}
        self._use(settings.key or self.store.paired()["key"])
        self.code = ""
        """The pairing code to show; empty where there is none."""
        self._house: list[bytes] = []
        """Who may pair it again, by the keys that sign feeds; anyone where it was not paired before."""
        self._path = urlsplit(settings.feed).path
        self._on: Picture | None = None
        self._saved = self._began = self._told_at = steady()

    def _use(self, key: str) -> None:
        for line in self._lines.values():
            line.key = key

    def run(self) -> None:
        """Shows until `stop`. The last feed is on before the network is."""
        threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (("feed", self._follow), ("reports", self._report))
        ]
        for thread in threads:
            thread.start()
        notify("READY=1")
        try:
            while not self._off.is_set():
                seconds = self._show()
                if all(thread.is_alive() for thread in threads):
                    notify("WATCHDOG=1")
                self._rest(min(seconds, 5.0))
        finally:
            self.stop()
            if self._window:
                self._window.close()
            for thread in threads:
                thread.join(TIMEOUT_S)
            self._save()

    def _rest(self, seconds: float) -> None:
        """Waits until something changes; a window is tended, and closing it ends the run."""
        end = time.monotonic() + seconds
        while not self._off.is_set() and (left := end - time.monotonic()) > 0:
            with self._changed:
                # Not only what is told from here on: much may have changed while the picture was drawn.
                pause = min(left, TEND_S) if self._window else left
                if self._changed.wait_for(lambda: self._off.is_set() or self._news != self._seen, pause):
                    return
            if self._window:
                self._window.tend()
                if self._window.is_closed:
                    self.stop()

    def stop(self) -> None:
        """Ends `run`; again is harmless."""
        self._off.set()
        for line in self._lines.values():
            line.cut()
        # Not from within the lock: a signal may come while this very thread holds it.
        threading.Thread(target=self._wake, daemon=True).start()

    def _wake(self) -> None:
        with self._changed:
            self._tell_all()

    def _tell_all(self) -> None:
        self._news += 1
        self._changed.notify_all()

    def _show(self) -> float:
        """Puts the picture of now on, if it is another; the seconds until the next."""
        with self._changed:
            self._seen = self._news
            picture = self.player.picture(self._steady())
            if self.code and picture.item is None:
                picture = replace(picture, lines=halves(self.code), frame=None, stale=False)
            profile = self.player.feed.profile if self.player.feed else self._settings.profile
            if self._on is not None:
                self.player.counted(self._on, self._steady())
        if picture != self._on:
            try:
                frame = self.store.frame(picture.frame) if picture.frame else None
                self._shows.show(picture, frame, profile)
            except OSError as error:
                log.error("the output fails: %s", error.strerror)  # noqa: TRY400 (the kind is enough)
                return 1.0
            self._on = picture
            with self._changed:
                self.player.counted(picture, self._steady())
                if self.player.showed(picture):
                    self._save()
                    self._tell_all()
        return max(0, picture.until - self._steady()) / 1000

    def _save(self) -> None:
        try:
            self.store.save(self.player.kept(self._steady()))
            self._saved = self._steady()
        except OSError as error:
            log.warning("the state cannot be kept: %s", error.strerror)

    def _follow(self) -> None:
        failures, holds, plain = 0, False, False
        while not self._off.is_set():
            least, outcome = 0.0, None
            try:
                if not self._lines["feed"].key:
                    self._pair()
                    continue
                self._pin()
                outcome, held, least = self._poll(wait=not plain)
                self._draw()
                # A held answer tells the time within its wait only: the next is asked for at once.
                failures, holds, plain = 0, held or (holds and plain), held and outcome is Outcome.SAME
            except (LinkError, FeedError) as error:
                failures += 1
                least = getattr(error, "retry_s", 0.0)
                log.warning("no feed: %s", error)
                if getattr(error, "status", 0) == 401 and self.is_put_out():
                    least = 0.0
            with self._changed:
                delay = pause(self.player, outcome, failures, random.random(), waited=holds)
            self._off.wait(max(delay, least))
        self._lines["feed"].close()

    def is_put_out(self) -> bool:
        """Whether the house has ended the key that its pairing gave; then the box pairs again.

        A refusal alone may come from anywhere: it says so in an answer to this very question, signed by
        the key that signs feeds. A key that someone set up here is theirs to change.
        """
        key, nonce = self._lines["feed"].key, os.urandom(16).hex()
        if self._settings.key or key != self.store.paired()["key"]:
            return False
        about = {"key_id": key.split("_")[1] if key.count("_") > 1 else "", "nonce": nonce}
        path = self._path.removesuffix("me/feed") + "pairing/standing?"
        try:
            answer = self._lines["feed"].ask("GET", path + urlencode(about))
        except LinkError as error:
            log.info("the key may be ended: %s", error)
            return False
        self._lines["feed"].close()  # It is long until the next word.
        said = answer.headers.get("X-Feed-Signature", "")
        wanted = {"kind": "key-standing/1", "standing": "ended", **about}
        if (
            answer.status != 200
            or answer.told != wanted
            or not is_authentic(answer.body, said, self.player.pinned)
        ):
            return False
        log.warning("the house has ended the key of this screen: it pairs again")
        self._house = self.player.pinned
        self._use("")
        return True

    def _pair(self) -> None:
        """Shows one code until an operator has claimed it, or it is too old (RFC 8628 §3.2-3.5)."""
        line, path = self._lines["feed"], self._path.removesuffix("me/feed") + "pairing"
        answer = line.ask("POST", path)
        try:
            device, code = str(answer.told["device_code"]), str(answer.told["user_code"])
            every = _within(answer.told["interval"], 1, 60) / 1000
            end = self._steady() + _within(answer.told["expires_in"], 60, 3600)
        except (KeyError, TypeError, ValueError):
            raise LinkError(f"no pairing code: status {answer.status}", max(5.0, answer.retry_s)) from None
        log.info("pairing code: %s", code)
        self._code_is(code)
        line.close()  # Servers give up a connection sooner than the code is claimed.
        try:
            while not self._off.wait(every) and self._steady() < end:
                asked = json.dumps({"device_code": device}).encode()
                try:
                    answer = line.ask("POST", f"{path}/token", {"Content-Type": "application/json"}, asked)
                except LinkError as error:
                    log.info("the pairing waits: %s", error)
                    continue  # Someone may be typing the code just now.
                if answer.status == 200:
                    self.is_paired(answer.told)
                    return
                line.close()
                why = answer.told.get("error")
                if why == "slow_down":
                    every += 5
                elif why != "authorization_pending":
                    raise LinkError(f"the code is over: {str(why)[:40]}", answer.retry_s)
        finally:
            self._code_is("")

    def is_paired(self, told: Mapping[str, Any]) -> None:
        """Begins as a new screen with the key it was given."""
        try:
            key, public = str(told["key"]), base64.b64decode(told["feed_key"], validate=True)
            screen = str(told["screen_id"])
            if not re.fullmatch(r"[!-~]+", key) or _point(public) is None:
                raise ValueError("no key")  # noqa: TRY301 (as any other that cannot be read)
            if self._house and public not in self._house:
                raise ValueError("another house")  # noqa: TRY301
            with self._changed:
                fresh = self._begun(public, is_same=screen == self.store.paired()["screen"])
                self.store.keep_paired(key, screen, fresh.kept(self._steady()))
                self.player, self._house = fresh, []
        except (KeyError, TypeError, ValueError, OSError) as error:
            raise LinkError(f"the key cannot be kept: {type(error).__name__}") from error
        self._use(key)

    def _begun(self, public: bytes, *, is_same: bool) -> Player:
        """What a box goes on with that was paired: all of it as the screen that it was before."""
        if self._house and is_same:
            return self.player
        fresh = Player(self._boot, self._steady(), frames=self._shows.frames)
        fresh.pinned = self._settings.pinned or self._house or [public]
        if self._house:  # What is over or cancelled there stays so.
            fresh.floors, fresh.gone = self.player.floors, self.player.gone
        return fresh

    def _code_is(self, code: str) -> None:
        with self._changed:
            self.code = code
            self._tell_all()

    def _pin(self) -> None:
        """Takes the key that signs feeds, once: the first to answer is believed, no one later."""
        if self.player.pinned:
            return
        answer = self._lines["feed"].ask("GET", "/v1/feed-key")
        try:
            public = base64.b64decode(json.loads(answer.body)["public"], validate=True)
        except (ValueError, KeyError, TypeError):
            public = b""
        if answer.status != 200 or _point(public) is None:
            raise LinkError(f"the key of feeds: status {answer.status}", answer.retry_s)
        with self._changed:
            self.player.pinned = [public]
            self._save()
        log.info("feeds must be signed by key %s from now on", key_name(public))

    def _poll(self, *, wait: bool) -> tuple[Outcome, bool, float]:
        """One poll: what came of it, whether the server held it, and the least seconds to the next."""
        with self._changed:
            headers = {"X-Screen-State": self._state()}
            if self.player.etag:
                headers["If-None-Match"] = self.player.etag
                # Not before the time is known: until then nothing that is kept may be shown.
                if wait and self.player.clock.is_trusted:
                    headers["Prefer"] = f"wait={self._settings.wait_s}"
        answer = self._lines["feed"].ask(
            "GET", self._path, headers, seconds=TIMEOUT_S + self._settings.wait_s
        )
        when = (answer.server_ms, answer.sent, answer.received)
        if answer.status == 200 and not self._is_authentic(answer):
            raise LinkError("the feed is not signed by the house")
        with self._changed:
            if answer.status == 304:
                outcome = self.player.unchanged(*when)
            elif answer.status == 200:
                outcome = self.player.answered(answer.body, answer.headers.get("ETag", ""), *when)
            else:  # What is on stays on.
                lost = LOST_KEY_S if answer.status in {401, 403} else 0.0
                raise LinkError(f"status {answer.status}", max(lost, answer.retry_s), answer.status)
            if answer.identify_ms is not None:
                self.player.flashes(answer.identify_ms, answer.received)
            self._tell_all()
            if outcome is Outcome.NEW or self._steady() - self._saved >= SAVE_MS:
                self._save()
        if outcome is Outcome.OLD:
            log.warning("an older feed is refused")
        held = "wait" in answer.headers.get("Preference-Applied", "")
        return outcome, held, answer.retry_s

    def _is_authentic(self, answer: Answer) -> bool:
        # What is on was looked at before.
        if self.player.etag and answer.body == self.player.body:
            return True
        return is_authentic(answer.body, answer.headers.get("X-Feed-Signature", ""), self.player.pinned)

    def _state(self) -> str:
        on = f"{self._on.item}/{self._on.rev}" if self._on and self._on.item else "idle"
        # By the minute: a poll in the same bytes as the last is the cheapest for who serves it.
        feed, up = self.player.feed, (self._steady() - self._began) // 60_000 * 60
        return f"seq={feed.seq if feed else 0};show={on};err={feed.bad if feed else 0};up={up}"

    def _draw(self) -> None:
        """Fetches the frames that are missing, each on the screen as soon as it is here."""
        if not self._shows.frames:
            return
        with self._changed:
            wanted = self.player.wanted()
            suffix = "bin" if self.player.feed and self.player.feed.profile.endswith("-1") else "png"
            missing = [name for name in wanted if name not in self.player.drawn]
        end = self._steady() + FRAMES_MS
        for name in missing:
            if self._off.is_set() or self._steady() > end:
                return
            answer = self._lines["feed"].ask("GET", f"/v1/frames/{name}.{suffix}", seconds=5.0)
            if answer.status != 200 or hashlib.sha256(answer.body).hexdigest() != name:
                log.warning("frame %s: status %s", name, answer.status)
                continue
            try:
                self.store.keep_frame(answer.body)
            except OSError as error:
                raise LinkError(f"a frame cannot be kept: {error.strerror}") from error
            with self._changed:
                self.player.drawn.add(name)
                self._tell_all()
        with self._changed:
            self.player.drawn &= set(wanted)
        if missing:
            self.store.keep_only(wanted)

    def _report(self) -> None:
        failures, singly = 0, False
        while not self._off.is_set():
            with self._changed:
                while not (self._has_reports() or self._off.is_set()):
                    self._changed.wait(min(60.0, self._settings.plays_ms / 1000))
                batch = self.player.pending[: 1 if singly else REPORTED_AT_ONCE]
            if self._off.is_set():
                break
            try:
                if not batch:
                    self._tell_plays()
                    failures = 0
                    continue
                taken = self._tell(batch)
                # Of a refused batch each is told by itself, so that one bad report holds up no other.
                failures, singly = 0, not taken
                if taken or len(batch) == 1:
                    with self._changed:
                        self.player.reported(batch)
                        self._save()
            except LinkError as error:
                failures += 1
                log.info("the report waits: %s", error)
                with self._changed:
                    delay = pause(self.player, None, failures, random.random())
                self._off.wait(max(delay, error.retry_s))
        self._lines["reports"].close()

    def _tell(self, batch: list[tuple[str, int]]) -> bool:
        """Whether the house took it; False where it never will. Raises LinkError to try again."""
        return self._send("reports", {"shown": [{"alert_id": one, "version": rev} for one, rev in batch]})

    def _has_reports(self) -> bool:
        # Without a key nobody would take them.
        return bool(self._lines["reports"].key) and bool(self.player.pending or self._is_time_for_plays())

    def _is_time_for_plays(self) -> bool:
        has_some = self.player.batch is not None or bool(self.player.plays)
        return has_some and self._steady() - self._told_at >= self._settings.plays_ms

    def _tell_plays(self) -> None:
        with self._changed:
            told = self.player.told_of(str(uuid.uuid4()))
            self._save()
        if told:
            self._send("plays", told)
        with self._changed:
            self.player.batch = None
            # Spread, so that screens that started together do not tell together for ever.
            self._told_at = self._steady() - random.randrange(self._settings.plays_ms // 5 + 1)
            self._save()

    def _send(self, what: str, told: Mapping[str, Any]) -> bool:
        body = json.dumps(told).encode()
        path = self._path.removesuffix("feed") + what
        kind = {"Content-Type": "application/json"}
        answer = self._lines["reports"].ask("POST", path, kind, body)
        if answer.status in {200, 204}:
            return True
        if answer.status in {400, 404, 413, 422}:
            log.warning("a report is refused: status %s", answer.status)
            return False
        raise LinkError(f"status {answer.status}", answer.retry_s)


def halves(code: str) -> tuple[str, ...]:
    """A pairing code in two lines, so that a small matrix shows it twice as large."""
    first, dash, second = code.partition("-")
    return (first + dash, second) if second else (first,)


def notify(said: str) -> None:
    """Tells systemd, where it started this with a watchdog (sd_notify(3))."""
    place = os.environ.get("NOTIFY_SOCKET")
    if place:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.sendto(said.encode(), place.replace("@", "\0", 1) if place.startswith("@") else place)


def run(settings: Settings) -> None:
    """Shows until SIGTERM or SIGINT. Raises SettingError."""
    box = Box(settings)

    def stop(number: int, _: object) -> None:
        del number
        box.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    box.run()


def main(argv: list[str] | None = None) -> int:
    """The command line of this file alone; exit code 2 for a setting that is wrong."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    asked = argparse.ArgumentParser(description="Show a screen's feed.")
    asked.add_argument("--feed", default=os.environ.get("SCREEN_FEED", ""), help="or SCREEN_FEED")
    asked.add_argument("--key-file", type=Path, help="a file with the key; else SCREEN_KEY; else it pairs")
    asked.add_argument("--output", default="text", help=OUTPUTS)
    asked.add_argument(
        "--state", type=Path, default=Path("screen-state"), help="folder to keep the feed in"
    )
    asked.add_argument("--trust", type=Path, help="certificates to trust (PEM)")
    asked.add_argument(
        "--feed-key", default=os.environ.get("SCREEN_FEED_KEY", ""), help="the public key that signs feeds"
    )
    asked.add_argument("--profile", default="", help="what the panel is, for the pairing code: m96x32-1")
    asked.add_argument("--backlight", type=Path, help="a file that sets the panel's brightness")
    given = vars(asked.parse_args(argv))
    try:
        run(Settings(key=read_key(given.pop("key_file")), **given))
    except SettingError as error:
        sys.stderr.write(f"screen: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
