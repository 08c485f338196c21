"""Which areas a screen stands in, in whatever edition of the register an alert is addressed.

Codes are reused for other places between editions: 00004 was Trúc Bạch and is Ba Đình. So the same
code is the same place in another edition only where it also bears the same name, unless the later
edition says what became of the areas before it: then a screen goes on showing what was told, before
the change, to any area whose residents are now where it stands.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from schemas.areas import unaccented
from schemas.events import AreaRegisterAdopted
from schemas.local_time import HANOI

NOWHERE = ""
"""The edition of a screen whose area no edition knows."""


@dataclass(frozen=True)
class Edition:
    """One edition: each code with its parent and its name, accents and case aside."""

    name: str
    effective_on: date
    parents: dict[str, str | None]
    names: dict[str, str]
    sources: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """For each code, those of the edition before whose residents it took; empty where nobody said."""

    def chain(self, code: str) -> list[str]:
        """The area and all above it."""
        found: list[str] = []
        at: str | None = code
        while at is not None:
            found.append(at)
            at = self.parents[at]
        return found


@dataclass
class Places:
    """Every edition adopted so far."""

    editions: dict[str, Edition] = field(default_factory=dict[str, Edition])

    def adopt(self, event: AreaRegisterAdopted) -> Edition:
        """Takes an edition in."""
        edition = Edition(
            event.edition,
            event.effective_on,
            {area.code: area.parent_code for area in event.areas},
            {area.code: unaccented(area.name) for area in event.areas},
        )
        if event.successions and (before := self._before(edition)):
            edition.sources.update(_sources(event, before))
        self.editions[edition.name] = edition
        return edition

    def _before(self, edition: Edition) -> Edition | None:
        earlier = [each for each in self.editions.values() if each.effective_on < edition.effective_on]
        return max(earlier, key=lambda each: each.effective_on, default=None)

    def home(self, code: str, at: datetime) -> str:
        """The edition by which a screen registered at that instant names its area.

        It is the newest in force on that day in Hanoi that has the code, else the newest that has.
        """
        today = at.astimezone(HANOI).date()
        known = [edition for edition in self.editions.values() if code in edition.names]
        in_force = [edition for edition in known if edition.effective_on <= today]
        return self.newest(edition.name for edition in in_force or known)

    def newest(self, names: Iterable[str]) -> str:
        """The edition that took effect last; NOWHERE where none is known."""
        dated = [(self.editions[name].effective_on, name) for name in names if name in self.editions]
        return max(dated)[1] if dated else NOWHERE

    def above(self, code: str, home: str, edition: str) -> list[str]:
        """The codes that cover a screen in an edition, its own area's first.

        Where the edition no longer has the area, it begins at the first one above that it has: an
        alert for the whole city shows on every screen.
        """
        there = self.editions.get(edition)
        here = self.editions.get(home)
        if there is None or here is None or code not in here.names:
            return []
        if here.sources and there.effective_on < here.effective_on and (before := self._before(here)):
            found = [
                above
                for source in here.sources.get(code, ())
                for above in self.above(source, before.name, edition)
            ]
            return list(dict.fromkeys(found))
        for known in here.chain(code):
            if there.names.get(known) == here.names[known]:
                return there.chain(known)
        return []


def _sources(event: AreaRegisterAdopted, before: Edition) -> dict[str, list[str]]:
    """For each new code those that it took residents from; a code not named stayed as it was."""
    told = {one.old_code for one in event.successions}
    found: dict[str, list[str]] = {}
    for one in event.successions:
        if one.populated and one.old_code in before.names:
            found.setdefault(one.new_code, []).append(one.old_code)
    for area in event.areas:
        if area.code in before.names and area.code not in told:
            found.setdefault(area.code, []).append(area.code)
    return found
