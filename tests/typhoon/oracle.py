"""Who should have got what, told from what was asked for alone: no view, no query, no code of ours."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.typhoon import register
from tests.typhoon.register import AFTER, BEFORE

GRAVITY = {"Unknown": 0, "Minor": 1, "Moderate": 2, "Severe": 3, "Extreme": 4}
USUAL = {"alert": ("push", "sms", "led"), "bulletin": ("push", "led")}
Content = Mapping[str, Any]


@dataclass
class Person:
    """One phone, and what its owner chose."""

    number: int
    home: str
    token: str = ""
    phone: str = ""
    further: set[str] = field(default_factory=set[str])
    opt_outs: set[str] = field(default_factory=set[str])
    tester: bool = False
    left: bool = False
    fated: bool = False
    """Its addresses are ones that providers refuse, so it never gets anything."""
    device: str = ""
    secret: str = field(default="", repr=False)
    places: set[str] = field(default_factory=set[str])
    """Where alerts concern it: home, further areas, and every part of a home that was parted."""

    def settle(self) -> None:
        """It lives where it says."""
        self.places = {self.home, *self.further}

    def has(self, channel: str) -> bool:
        """Whether it can be reached so."""
        return bool(self.token if channel == "push" else self.phone)


@dataclass
class Told:
    """An alert, as those who wrote it know it."""

    id: str
    body: str
    content: Content
    edition: str
    version: int = 1
    life: str = "live"
    expires: datetime | None = None
    in_error: bool = False
    was_on_screens: bool = True
    """When it was withdrawn."""
    audiences: dict[tuple[int, str], set[int]] = field(default_factory=dict[tuple[int, str], set[int]])
    """By version and channel."""
    spared: set[tuple[int, str]] = field(default_factory=set[tuple[int, str]])
    """Versions and channels that somebody was spared for a graver alert."""
    kinds: dict[int, str] = field(default_factory=dict[int, str])
    """What each version was issued as; a withdrawal is not in it."""

    @property
    def channels(self) -> tuple[str, ...]:
        """Where its latest version goes."""
        return channels(self.content)

    def had(self, channel: str, before: int) -> set[int]:
        """Who is of the latest audience before that version."""
        for version in range(before - 1, 0, -1):
            if (version, channel) in self.audiences:
                return self.audiences[version, channel]
        return set()


def channels(content: Content) -> tuple[str, ...]:
    """As asked for, else the usual ones."""
    return tuple(content.get("channels") or USUAL[content["kind"]])


def is_emergency(content: Content) -> bool:
    """What nobody can opt out of."""
    grave = (content["severity"], content["urgency"]) == ("Extreme", "Immediate")
    return grave and content["kind"] == "alert"


@dataclass
class Oracle:
    """All that was done, and what follows from it."""

    people: dict[int, Person] = field(default_factory=dict[int, Person])
    alerts: dict[str, Told] = field(default_factory=dict[str, Told])
    order: list[str] = field(default_factory=list[str])
    edition: str = BEFORE
    acts: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict[str, Counter[tuple[str, str]]])
    """By alert: what was done by whom."""
    refused: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """By account and rule: what was asked for in vain."""
    stopped: set[str] = field(default_factory=set[str])
    """Bodies without money for a bulletin's SMS."""

    def did(self, alert: str, topic: str, account: str) -> None:
        """Notes an act."""
        self.acts.setdefault(alert, Counter())[topic, account] += 1

    # --- alerts -----------------------------------------------------------------------------------

    def issued(self, alert: str, body: str, content: Content, expires: datetime | None = None) -> None:
        """A first version went out, or the next one."""
        told = self.alerts.get(alert)
        before = None
        if told is None:
            told = self.alerts[alert] = Told(alert, body, content, self.edition)
            self.order.append(alert)
        else:
            before = (told.content, told.version, told.expires)
            told.version += 1
        told.content, told.edition, told.expires = content, self.edition, expires
        told.kinds[told.version] = content["kind"]
        for channel in told.channels:
            if channel != "led":
                had = told.had(channel, told.version)
                chosen = self._census(content, channel) - had
                key = (told.version, channel)
                if spared := chosen & self._spared(told, channel):
                    told.spared.add(key)
                told.audiences[key] = (chosen - spared) | had
        if before is not None:
            self._relieve(told, before[0], before[1])

    def cancelled(self, alert: str, *, in_error: bool) -> None:
        """It was withdrawn: whoever got it is told."""
        told = self.alerts[alert]
        was = told.version
        told.version, told.life, told.in_error = was + 1, "cancelled", in_error
        told.was_on_screens = "led" in told.channels
        for channel in ("push", "sms"):
            if any((version, channel) in told.audiences for version in range(1, told.version)):
                told.audiences[told.version, channel] = set(told.had(channel, told.version))
        self._relieve(told, told.content, was)

    def expired(self, alert: str) -> None:
        """Its time was up."""
        told = self.alerts[alert]
        told.life = "expired"
        self._relieve(told, told.content, told.version)

    def _census(self, content: Content, channel: str) -> set[int]:
        here = register.edition(self.edition)
        drill = content.get("mode", "actual") != "actual"
        deaf = not is_emergency(content)
        return {
            person.number
            for person in self.people.values()
            if not person.left
            and person.has(channel)
            and (person.tester or not drill)
            and not (deaf and content["category"] in person.opt_outs)
            and any(here.lies_in(place, content["areas"]) for place in person.places)
        }

    def _graver(self, told: Told) -> Iterable[Told]:
        return (other for other in self.alerts.values() if _outranks(other, other.content, told))

    def _spared(self, told: Told, channel: str) -> set[int]:
        found: set[int] = set()
        for other in self._graver(told):
            if other.life == "live":
                found |= other.had(channel, other.version + 1)
        return found

    def _relieve(self, told: Told, content: Content, version: int) -> None:
        """Those it spared the lesser ones get them now, the gravest first: it may spare them the next."""
        gravest = sorted(self.alerts.values(), key=lambda one: (-GRAVITY[one.content["severity"]], one.id))
        for lesser in gravest:
            if lesser.life != "live" or not _outranks(told, content, lesser):
                continue
            if told.life == "live" and _outranks(told, told.content, lesser):
                continue
            for channel in lesser.channels:
                key = (lesser.version, channel)
                if key in lesser.spared:
                    theirs = told.had(channel, version + 1) & self._census(lesser.content, channel)
                    lesser.audiences[key] |= theirs - self._spared(lesser, channel)

    # --- people -----------------------------------------------------------------------------------

    def reorganised(self) -> None:
        """The next edition is in force: everyone lives where their commune went."""
        self.edition = AFTER
        became = register.became()
        for person in self.people.values():
            person.places = {new for old in person.places for new in became[old]}

    # --- what is to be seen -----------------------------------------------------------------------

    def expected(self) -> dict[tuple[str, int, str], set[int]]:
        """By alert, version and channel: whom a provider should have been given it for."""
        found: dict[tuple[str, int, str], set[int]] = {}
        for told in self.alerts.values():
            for (version, channel), who in told.audiences.items():
                mute = self.mute(told, version, channel)
                found[told.id, version, channel] = (
                    set() if mute else {each for each in who if not self.people[each].fated}
                )
        return found

    def mute(self, told: Told, version: int, channel: str) -> bool:
        """Whether it is the SMS of a bulletin that its body has no money for, or withdraws nothing else."""
        if channel != "sms" or told.body not in self.stopped:
            return False
        meant = [told.kinds[version]] if version in told.kinds else list(told.kinds.values())
        return all(kind == "bulletin" for kind in meant)

    def feed(self, place: str, *, drills: bool) -> tuple[set[tuple[str, int]], set[tuple[str, int]]]:
        """What a screen there has on, and what it knows as withdrawn: alerts and versions."""
        on: set[tuple[str, int]] = set()
        off: set[tuple[str, int]] = set()
        for told in self.alerts.values():
            if told.content.get("mode", "actual") != "actual" and not drills:
                continue
            if not self._covers(told, place):
                continue
            if told.life == "live" and "led" in told.channels:
                on.add((told.id, told.version))
            elif told.life == "cancelled" and told.was_on_screens:
                off.add((told.id, told.version))
        return on, off

    def _covers(self, told: Told, place: str) -> bool:
        there = register.edition(told.edition)
        codes = {place}
        if told.edition != self.edition:
            codes = set(register.sources()[place])
        return any(there.lies_in(code, told.content["areas"]) for code in codes)

    def items(self, body: str) -> list[str]:
        """The body's items that count for its cadence, in order."""
        told = (self.alerts[each] for each in self.order)
        return [
            each.id
            for each in told
            if each.body == body and each.content.get("mode", "actual") == "actual" and not each.in_error
        ]


def _outranks(graver: Told, said: Content, lesser: Told) -> bool:
    """Whether who has the one need not be sent the other."""
    if graver.id == lesser.id or not said.get("incident"):
        return False
    same = all(
        said.get(name, usual) == lesser.content.get(name, usual)
        for name, usual in (("incident", None), ("mode", "actual"))
    )
    here, there = GRAVITY[lesser.content["severity"]], GRAVITY[said["severity"]]
    return same and (there > here or (there == here and not is_emergency(lesser.content)))
