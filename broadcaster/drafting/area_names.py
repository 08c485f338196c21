"""Names as people write them to areas: a pasted list, with or without kinds, accents and districts."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from schemas.areas import Area, AreaTree, unaccented

MOST = 2000
"""Names in one list."""

_KINDS = (
    "thanh pho",
    "thi tran",
    "thi xa",
    "phuong",
    "quan",
    "huyen",
    "xa",
    "tp",
    "tt",
    "tx",
    "p",
    "q",
    "h",
    "x",
)
_KIND = re.compile(rf"^(?:{'|'.join(_KINDS)})\.?\s+(?=\S)|^(?:tp|tt|tx|p|q|h|x)\.(?=\S)")
_BULLET = re.compile(r"^\s*(?:[-*•+]|\d{1,3}[.)])\s+")


@dataclass(frozen=True)
class Named:
    """What was written, and the areas that it may mean: one, several, or none."""

    text: str
    areas: tuple[Area, ...]


class AreaNames:
    """The names of one edition, made ready to be asked for."""

    def __init__(self, tree: AreaTree) -> None:
        self.tree = tree
        self._full: defaultdict[str, list[Area]] = defaultdict(list)
        self._bare: defaultdict[str, list[Area]] = defaultdict(list)
        for area in tree:
            full = unaccented(area.name)
            self._full[full].append(area)
            self._bare[_KIND.sub("", full)].append(area)

    def match(self, text: str) -> list[Named]:
        """Each name of a list, in order. A name is followed by those of areas above it, or by the next.

        Lines and semicolons part names for good. In "Phúc Xá, Ba Đình" the second says where the first
        is, for it lies there; in "Phúc Xá, Trúc Bạch" both are names. Raises ValueError beyond MOST.
        """
        found = [named for line in re.split(r"[\n\r;]+", text) for named in self._line(line)]
        if len(found) > MOST:
            raise ValueError(f"at most {MOST} names, {len(found)} are given")
        return found

    def _line(self, line: str) -> Iterator[Named]:
        parts = [part.strip() for part in _BULLET.sub("", line).split(",")]
        parts = [part for part in parts if part]
        while parts:
            said = [parts.pop(0)]
            areas = self._areas(said[0])
            while parts and (inside := self._inside(areas, parts[0])):
                areas = inside
                said.append(parts.pop(0))
            yield Named(", ".join(said), areas)

    def _areas(self, name: str) -> tuple[Area, ...]:
        if name in self.tree:
            return (self.tree[name],)
        plain = unaccented(name)
        found = self._full.get(plain) or self._bare.get(plain) or self._bare.get(_KIND.sub("", plain)) or ()
        if len(found) > 1:
            # Of names that differ in their marks only, the one written with the very same marks.
            same = [area for area in found if area.name.casefold().endswith(name.casefold())]
            found = same or found
        return tuple(found)

    def _inside(self, areas: tuple[Area, ...], name: str) -> tuple[Area, ...]:
        """Those of the areas that lie below one of that name."""
        outer = {area.code for area in self._areas(name)}
        return tuple(area for area in areas if outer.intersection(self.tree.ancestors(area.code)))
