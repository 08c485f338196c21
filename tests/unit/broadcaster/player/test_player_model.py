"""The player through random feeds, clocks, outages and restarts, against what the street should see.

The oracle knows the true time and what the house told; it shares no code with the player. The box's
clock gains or loses up to 100 millionths, starts at 0 with the box, and every answer takes its time.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from broadcaster.player.controller import Outcome, Picture, Player

START = 1_786_521_600_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


@dataclass(frozen=True)
class Told:
    """One alert as the house has it."""

    id: str
    rev: int
    preempt: bool
    priority: int
    starts: int
    ends: int
    routine: bool
    drill: bool
    offline: int | None = None
    """Seconds that it stays without contact, where the house says so."""
    any_clock: bool = False

    @property
    def leaves_after(self) -> int | None:
        """The same in milliseconds; a house of before said nothing, and bulletins left all the same."""
        routine = 15 * MINUTE if self.routine else None
        return routine if self.offline is None else self.offline * 1000


@dataclass(frozen=True)
class Hush:
    """Quiet hours, local: from one minute of the day until before another."""

    begins: int
    ends: int
    hides_all: bool

    def holds(self, one: Told, at: int) -> bool:
        if one.preempt and not self.hides_all:
            return False
        minute = (at // MINUTE + 7 * 60) % (24 * 60)
        return (minute - self.begins) % (24 * 60) < (self.ends - self.begins) % (24 * 60)

    def told(self) -> dict[str, Any]:
        begins, ends = (f"{at // 60:02}:{at % 60:02}" for at in (self.begins, self.ends))
        return {"from": begins, "until": ends, "utc_offset_min": 420, "hides_emergencies": self.hides_all}


@dataclass
class House:
    """What is issued, and the documents that said so."""

    epoch: int = 1
    seq: int = 1
    live: dict[str, Told] = field(default_factory=dict[str, Told])
    cancelled: dict[str, int] = field(default_factory=dict[str, int])
    excluded: dict[str, Told] = field(default_factory=dict[str, Told])
    """What is told in the screen's area, and not on this screen."""
    hush: Hush | None = None

    def document(self) -> "Document":
        items = tuple(self.live[one] for one in sorted(self.live))
        excluded = tuple(self.excluded[one] for one in sorted(self.excluded))
        cancelled = tuple(sorted(self.cancelled.items()))
        return Document(self.epoch, self.seq, items, cancelled, excluded, self.hush)


@dataclass(frozen=True)
class Document:
    epoch: int
    seq: int
    items: tuple[Told, ...]
    cancelled: tuple[tuple[str, int], ...]
    excluded: tuple[Told, ...] = ()
    hush: Hush | None = None

    def hushed(self, one: Told, at: int, until: int) -> bool | None:
        """Whether quiet hours hold it back; None where it depends on when between the two instants."""
        if self.hush is None:
            return False
        minutes = {at, until, *range(at - at % MINUTE + MINUTE, until, MINUTE)}
        held = {self.hush.holds(one, minute) for minute in minutes}
        return held.pop() if len(held) == 1 else None

    def body(self) -> bytes:
        told: dict[str, Any] = {
            "schema": "led-feed/1",
            "epoch": self.epoch,
            "seq": self.seq,
            "area": "00001",
            "profile": "m96x32-1",
            "policy": {"poll_s": 10, "stale_after_s": 120},
            "items": [
                {
                    "id": one.id,
                    "rev": one.rev,
                    "kind": "bulletin" if one.routine else "alert",
                    "status": "exercise" if one.drill else "actual",
                    "mode": "preempt" if one.preempt else "rotate",
                    "priority": one.priority,
                    "starts_at": one.starts,
                    "expires_at": one.ends,
                    "text": one.id,
                    "pages": [{"ms": 4000, "lines": [one.id]}, {"ms": 3000, "lines": ["2"]}],
                    "show_if_untrusted_clock": one.any_clock,
                }
                | ({} if one.offline is None else {"offline_max_s": one.offline})
                for one in self.items
            ],
            "cancelled": [{"id": one, "rev": rev} for one, rev in self.cancelled],
            "excluded": [{"id": one.id, "rev": one.rev} for one in self.excluded],
        }
        if self.hush:
            told["display"] = {"quiet": self.hush.told(), "brightness": 40}
        return json.dumps(told).encode()


def rightful(live: list[Told]) -> set[str]:
    """What of it belongs on the screen."""
    meant = [one for one in live if not one.drill]
    urgent = [one for one in (meant or live) if one.preempt]
    if not urgent:
        return {one.id for one in live}
    top = max(one.priority for one in urgent)
    return {one.id for one in urgent if one.priority == top}


class Street(RuleBasedStateMachine):
    """One screen, its house and the true time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.house = House()
        self.said = [self.house.document()]
        self.boot, self.booted, self.rate = 0, START - MINUTE, 0
        self.player = self.begun("boot-0", self.steady())
        self.on: Document | None = None
        self.contact: int | None = None
        self.trusted = False
        self.gone: set[str] = set()
        self.reports: list[tuple[str, int]] = []
        self.number = 0

    def begun(self, boot: str, steady: int, kept: dict[str, Any] | None = None) -> Any:
        """The player that is looked at."""
        return Player(boot, steady, kept)

    # The box

    def steady(self) -> int:
        return (self.now - self.booted) * (1_000_000 + self.rate) // 1_000_000

    def reach(self, steady: int) -> None:
        """Lets time pass until the box's clock says so."""
        while self.steady() < steady:
            self.now += max(1, (steady - self.steady()) * 1_000_000 // (1_000_000 + self.rate))

    @rule(length=st.one_of(st.integers(0, 20_000), st.integers(0, HOUR), st.integers(0, 3 * DAY)))
    def time_passes(self, length: int) -> None:
        end = self.now + length
        for _ in range(4):
            picture = self.player.picture(self.steady())
            self.look(picture)
            assert picture.until > self.steady()
            if picture.until - self.steady() > end - self.now:
                break
            self.reach(picture.until - 1)
            self.look(picture)  # the same picture, at its last instant
            self.now += 1
        self.now = max(self.now, end)

    @rule()
    def the_program_restarts(self) -> None:
        kept = json.loads(json.dumps(self.player.kept(self.steady())))
        self.player = self.begun(f"boot-{self.boot}", self.steady(), kept)

    @rule(dark=st.integers(0, 5 * DAY), rate=st.integers(-100, 100))
    def the_box_restarts(self, dark: int, rate: int) -> None:
        kept = json.loads(json.dumps(self.player.kept(self.steady())))
        self.now += dark
        self.boot, self.booted, self.rate, self.trusted = self.boot + 1, self.now, rate, False
        self.player = self.begun(f"boot-{self.boot}", 0, kept)

    # The house

    @rule(
        preempt=st.booleans(),
        priority=st.sampled_from([10, 50, 90, 100]),
        after=st.one_of(st.just(0), st.integers(-HOUR, 2 * HOUR)),
        length=st.one_of(st.integers(1, MINUTE), st.integers(1, DAY), st.integers(DAY, 20 * DAY)),
        routine=st.booleans(),
        drill=st.booleans(),
        offline=st.sampled_from([None, 300, 300, 6 * 3600]),
        any_clock=st.sampled_from([False, False, False, True]),
    )
    def issue(self, *, preempt: bool, after: int, length: int, routine: bool, **told: Any) -> None:
        self.number += 1
        starts = self.now + after
        span = {"starts": starts, "ends": starts + length}
        self.change(Told(f"a{self.number}", 1, preempt, routine=routine and not preempt, **span, **told))

    @precondition(lambda self: self.house.live)
    @rule(data=st.data(), length=st.integers(1, DAY), priority=st.sampled_from([10, 50, 90, 100]))
    def update(self, data: st.DataObject, length: int, priority: int) -> None:
        one = self.house.live[data.draw(st.sampled_from(sorted(self.house.live)))]
        self.change(replace(one, rev=one.rev + 1, ends=self.now + length, priority=priority))

    @precondition(lambda self: self.house.live)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        one = self.house.live.pop(data.draw(st.sampled_from(sorted(self.house.live))))
        self.house.cancelled[one.id] = one.rev + 1
        self.say()

    @precondition(lambda self: self.house.live)
    @rule(data=st.data())
    def leave_this_screen_out(self, data: st.DataObject) -> None:
        one = self.house.live.pop(data.draw(st.sampled_from(sorted(self.house.live))))
        self.house.excluded[one.id] = one
        self.say()

    @precondition(lambda self: self.house.excluded)
    @rule(data=st.data())
    def readmit_it(self, data: st.DataObject) -> None:
        one = self.house.excluded.pop(data.draw(st.sampled_from(sorted(self.house.excluded))))
        self.house.live[one.id] = one
        self.say()

    @rule(begins=st.integers(-30, 30), length=st.integers(1, 1439), hides_all=st.booleans())
    def be_quiet(self, begins: int, length: int, *, hides_all: bool) -> None:
        start = (self.now // MINUTE + 7 * 60 + begins) % (24 * 60)
        self.house.hush = Hush(start, (start + length) % (24 * 60), hides_all)
        self.say()

    @precondition(lambda self: self.house.hush)
    @rule()
    def be_loud(self) -> None:
        self.house.hush = None
        self.say()

    def say(self) -> None:
        self.house.seq += 1
        self.said.append(self.house.document())

    def change(self, one: Told) -> None:
        self.house.live[one.id] = one
        self.say()

    @precondition(lambda self: len(self.said) > 1)
    @rule(data=st.data())
    def the_house_is_put_back(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.said))
        live, cancelled = {one.id: one for one in old.items}, dict(old.cancelled)
        excluded = {one.id: one for one in old.excluded}
        self.house = House(self.house.epoch + 1, old.seq, live, cancelled, excluded, old.hush)
        self.said.append(self.house.document())

    # The line

    @rule(there=st.integers(0, 4000), back=st.integers(0, 4000), held=st.sampled_from([0, 0, 0, 50_000]))
    def poll(self, there: int, back: int, held: int) -> None:
        self.now += 3  # no two polls in one instant
        sent = self.steady()
        self.now += there + held
        server_ms, document = self.now, self.house.document()
        self.now += back
        received = self.steady()
        if document == self.on and self.player.etag:
            self.player.unchanged(server_ms, sent, received)
        else:
            etag = f'"{document.epoch}.{document.seq}"'
            said = self.player.answered(document.body(), etag, server_ms, sent, received)
            assert said is Outcome.NEW
            if self.on and document.epoch > self.on.epoch:
                self.gone.clear()
                self.reports.clear()
            self.on = document
            self.gone |= dict(document.cancelled).keys()
        self.contact, self.trusted = self.now, True
        self.nothing_is_missed(there + held + back + 20)

    @precondition(lambda self: self.on is not None)
    @rule(data=st.data())
    def an_old_copy_answers(self, data: st.DataObject) -> None:
        assert self.on
        old = data.draw(st.sampled_from(self.said))
        if (old.epoch, old.seq) >= (self.on.epoch, self.on.seq):
            return
        before = self.player.picture(self.steady())
        said = self.player.answered(old.body(), '"old"', self.now - DAY, self.steady(), self.steady())
        assert said is Outcome.OLD
        assert self.player.picture(self.steady()) == before
        assert self.player.etag != '"old"'

    @precondition(lambda self: self.on is not None and self.trusted)
    @rule(age=st.integers(HOUR, 9 * DAY))
    def a_cache_repeats_that_nothing_changed(self, age: int) -> None:
        repeated = self.now - age
        for _ in range(3):
            self.player.unchanged(repeated, self.steady(), self.steady())
            self.contact = self.now  # an answer is contact, whatever time it tells
            self.now += 10_000
            self.look(self.player.picture(self.steady()))

    # What must hold

    def nothing_is_missed(self, slack: int) -> None:
        assert self.on
        until = self.now + slack
        items = [one for one in self.on.items if self.on.hushed(one, self.now, until) is not True]
        sure = [
            one
            for one in items
            if one.starts <= self.now and one.ends > until and self.on.hushed(one, self.now, until) is False
        ]
        doubtful = [one for one in items if one not in sure and one.starts <= until]
        if not any(one.ends > self.now for one in doubtful):
            assert {one.id for one in self.player.turns(self.steady())} == rightful(sure)
        elif not any(one.preempt for one in doubtful):
            assert {one.id for one in self.player.turns(self.steady())} >= rightful(sure)

    @invariant()
    def what_is_on_is_right(self) -> None:
        self.look(self.player.picture(self.steady()))

    def look(self, picture: Picture) -> None:
        if picture.item is None:
            return
        assert self.on, "shown without a feed"
        shown = {one.id: one for one in self.on.items}.get(picture.item)
        assert shown, "shown though the feed has it no more"
        assert picture.rev == shown.rev
        assert picture.item not in self.gone, "shown after it was cancelled"
        assert bool(picture.mark) is shown.drill
        if self.trusted:
            self.is_timely(shown)
        else:
            assert shown.any_clock, "shown by a clock that nobody set"
        if self.player.showed(picture):
            assert (picture.item, picture.rev) not in self.reports, "reported twice"
            self.reports.append((picture.item, picture.rev))

    def is_timely(self, shown: Told) -> None:
        assert self.on
        assert self.contact is not None
        assert self.now < shown.ends, "shown after its end"
        if shown.leaves_after is not None:
            assert self.now < self.contact + shown.leaves_after + MINUTE, "told by a lost house"
        margin = 10_000 + (self.now - self.contact) // 1000
        assert self.on.hushed(shown, self.now, self.now + margin) is not True, "shown in quiet hours"
        running = [
            one
            for one in self.on.items
            if one.starts <= self.now
            and self.now + margin < one.ends
            and one.leaves_after is None
            and self.on.hushed(one, self.now, self.now + margin) is False
        ]
        if shown not in running:
            running.append(shown)
        # Any one of those that may run or not: beside an alert that is meant, no drill has the screen.
        doubtful = [
            one
            for one in self.on.items
            if one not in running and one.starts <= self.now + margin and self.now < one.ends
        ]
        worlds = [running, *([*running, one] for one in doubtful)]
        assert any(shown.id in rightful(world) for world in worlds), (
            "shown beside what has the screen for itself"
        )


Street.TestCase.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
TestStreet = Street.TestCase


def silence(street: Street) -> None:
    """Of two that run for days, the one that must not outlive the contact leaves, the other stays."""
    both = {"preempt": False, "priority": 50, "after": 0, "length": 20 * DAY, "routine": False}
    street.issue(**both, drill=False, offline=300, any_clock=False)
    street.issue(**both, drill=False, offline=None, any_clock=False)
    street.poll(there=10, back=10, held=0)
    assert {one.id for one in street.player.turns(street.steady())} == {"a1", "a2"}
    street.time_passes(length=4 * MINUTE)
    assert {one.id for one in street.player.turns(street.steady())} == {"a1", "a2"}
    street.time_passes(length=HOUR)
    assert {one.id for one in street.player.turns(street.steady())} == {"a2"}


def test_silence() -> None:
    silence(Street())


def drills_beside_what_is_meant(street: Street) -> None:
    """A drill has the screen for itself only where nothing is meant, however soon that leaves."""
    both = {"after": 0, "length": DAY, "routine": False, "any_clock": False}
    street.issue(**both, preempt=False, priority=100, drill=True, offline=None)
    street.issue(**both, preempt=False, priority=50, drill=False, offline=300)
    street.issue(**both, preempt=True, priority=100, drill=True, offline=None)
    street.poll(there=0, back=0, held=0)
    assert {one.id for one in street.player.turns(street.steady())} == {"a1", "a2", "a3"}
    street.time_passes(length=HOUR)
    assert {one.id for one in street.player.turns(street.steady())} == {"a3"}


def test_drills_beside_what_is_meant() -> None:
    drills_beside_what_is_meant(Street())


def settings_of_a_screen(street: Street) -> None:
    """Quiet hours hold back what takes turns, to the minute; what left the screen out comes back, told."""
    both: dict[str, Any] = {"priority": 50, "after": 0, "length": DAY, "routine": False, "drill": False}

    def on() -> set[str]:
        street.what_is_on_is_right()
        return {one.id for one in street.player.turns(street.steady())}

    def polled() -> set[str]:
        street.poll(there=10, back=10, held=0)
        return on()

    street.issue(**both, preempt=False, offline=None, any_clock=False)
    street.be_quiet(begins=5, length=60, hides_all=False)
    assert polled() == {"a1"}
    street.time_passes(length=3 * MINUTE)
    assert on() == {"a1"}
    street.time_passes(length=3 * MINUTE)
    assert on() == set()
    street.issue(**both, preempt=True, offline=None, any_clock=False)
    assert polled() == {"a2"}
    street.house.excluded["a2"] = street.house.live.pop("a2")
    street.say()
    assert polled() == set()
    street.house.live["a2"] = street.house.excluded.pop("a2")
    street.say()
    assert polled() == {"a2"}  # `look` says where it is reported twice
    street.be_quiet(begins=-1, length=60, hides_all=True)
    assert polled() == set()
    street.time_passes(length=2 * HOUR)
    assert on() == {"a2"}


def test_settings_of_a_screen() -> None:
    settings_of_a_screen(Street())
