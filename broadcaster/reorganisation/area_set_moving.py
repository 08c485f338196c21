"""Saved sets of areas brought to another edition of the register. Pure.

As people are: an area that was parted is every part that took residents of it, one that was merged is
the one it is part of now. An area of an abolished level is everything that its lowest areas became, so
that nobody drops out of a set unseen; it is told by name besides, for that may be more than was meant.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from broadcaster.area_set import AreaSet
from broadcaster.atlas import Atlas
from schemas.areas import Area
from schemas.events import Actor, AreaSetSaved


@dataclass(frozen=True)
class Carried:
    """What a set is in another edition."""

    known: AreaSet
    old: tuple[Area, ...]
    new: tuple[Area, ...]
    """In the order of the old ones."""
    abolished: tuple[Area, ...]
    """Of the old ones, those above the lowest level that are no more."""

    def save(self, atlas: Atlas, by: Actor, edition: str) -> AreaSetSaved:
        """Its next version."""
        codes = tuple(area.code for area in self.new)
        return self.known.save(by, self.known.name, codes, atlas.register.edition(edition).tree)


def carried(atlas: Atlas, known: AreaSet, edition: str) -> Carried | None:
    """The set in that edition; None where it is in it, or nobody said what one of its areas became."""
    found = brought(atlas, known.areas, known.edition, edition)
    return None if found is None else Carried(known, *found)


class Brought(NamedTuple):
    """Areas in another edition; see `Carried`."""

    old: tuple[Area, ...]
    new: tuple[Area, ...]
    abolished: tuple[Area, ...]


def brought(atlas: Atlas, codes: Iterable[str], edition: str, to: str) -> Brought | None:
    """Areas in another edition; None where it is the same, or it is not known what became of one."""
    names = {each.name for each in atlas.register.editions}
    if edition == to or not {edition, to} <= names:
        return None
    before, after = (atlas.register.edition(name).tree for name in (edition, to))
    new: dict[str, Area] = {}
    abolished: list[Area] = []
    try:
        old = tuple(before[code] for code in codes)
        for area in old:
            became = atlas.translated([area.code], edition, to)
            if not became:
                return None
            new |= {code: after[code] for code in sorted(became)}
            if not before.is_leaf(area.code) and became != frozenset({area.code}):
                abolished.append(area)
    except LookupError:
        return None
    return Brought(old, tuple(new.values()), tuple(abolished))
