"""Areas of one edition of the register, and the tree they form.

Official codes are reused for other places between editions, so an area is (edition, code).
The tree numbers its areas in preorder: an area and all below it are one range of numbers.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

FIRST_EDITION = "2020-03-01"
"""The edition that codes written down without one belong to."""


class Area(BaseModel):
    """One administrative unit; level 1 is the city. Population is a weight where no census says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    name: str
    kind: str
    level: int
    parent_code: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    population: int | None = None


class Succession(BaseModel):
    """An area's land, or part of it, became part of another area of the next edition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    old_code: str
    new_code: str
    coverage: Literal["whole", "part", "part_area_all_population", "area_only"]

    @property
    def populated(self) -> bool:
        """Whether residents went with the land."""
        return self.coverage != "area_only"


class Span(NamedTuple):
    """Preorder numbers of an area and all below it, both ends included."""

    first: int
    last: int


class UnknownAreaError(LookupError):
    """The edition has no such code."""

    def __init__(self, edition: str, code: str) -> None:
        super().__init__(f"edition {edition} of the area register has no area {code}")
        self.edition, self.code = edition, code


class AreaTree:
    """The areas of one edition, searchable by code, ancestry and name."""

    def __init__(self, edition: str, areas: Iterable[Area]) -> None:
        self.edition = edition
        self._areas = {area.code: area for area in areas}
        self._children: dict[str, list[str]] = {}
        roots: list[str] = []
        for area in sorted(self._areas.values(), key=lambda area: area.code):
            if area.parent_code is None:
                roots.append(area.code)
            elif area.parent_code in self._areas:
                self._children.setdefault(area.parent_code, []).append(area.code)
            else:
                raise UnknownAreaError(edition, area.parent_code)
        if len(roots) != 1:
            raise ValueError(f"edition {edition}: one root expected, {len(roots)} found")
        self.root = roots[0]
        self._spans: dict[str, Span] = {}
        self._order: list[str] = []
        self._number(self.root)
        if len(self._order) != len(self._areas):
            raise ValueError(f"edition {edition}: areas that do not hang below the root")

    def _number(self, code: str) -> None:
        first = len(self._order)
        self._order.append(code)
        for child in self._children.get(code, ()):
            self._number(child)
        self._spans[code] = Span(first, len(self._order) - 1)

    def __contains__(self, code: object) -> bool:
        return code in self._areas

    def __iter__(self) -> Iterator[Area]:
        """Every area, parents before children."""
        return (self._areas[code] for code in self._order)

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, code: str) -> Area:
        """The area. Raises UnknownAreaError."""
        try:
            return self._areas[code]
        except KeyError:
            raise UnknownAreaError(self.edition, code) from None

    def span(self, code: str) -> Span:
        """The preorder range of the area and all below it."""
        return self._spans[self[code].code]

    def number(self, code: str) -> int:
        """The area's own preorder number."""
        return self.span(code).first

    def at(self, number: int) -> Area:
        """The area with this preorder number."""
        return self._areas[self._order[number]]

    def covers(self, outer: str, inner: str) -> bool:
        """Whether `inner` is `outer` or lies below it."""
        first, last = self.span(outer)
        return first <= self.number(inner) <= last

    def ancestors(self, code: str) -> tuple[str, ...]:
        """From the parent up to the root."""
        found: list[str] = []
        parent = self[code].parent_code
        while parent is not None:
            found.append(parent)
            parent = self._areas[parent].parent_code
        return tuple(found)

    def children(self, code: str) -> tuple[Area, ...]:
        """The areas directly below."""
        return tuple(self._areas[child] for child in self._children.get(self[code].code, ()))

    def is_leaf(self, code: str) -> bool:
        """Whether nothing lies below: people live in leaves."""
        first, last = self.span(code)
        return first == last

    def leaves(self, code: str) -> tuple[Area, ...]:
        """The leaves at or below the area."""
        first, last = self.span(code)
        return tuple(self._areas[c] for c in self._order[first : last + 1] if self.is_leaf(c))

    def spans(self, codes: Iterable[str]) -> tuple[Span, ...]:
        """The areas' ranges, sorted, overlaps merged: no number is in two of them."""
        merged: list[Span] = []
        for span in sorted(self.span(code) for code in codes):
            if merged and span.first <= merged[-1].last + 1:
                merged[-1] = Span(merged[-1].first, max(merged[-1].last, span.last))
            else:
                merged.append(span)
        return tuple(merged)

    def search(self, words: str) -> tuple[Area, ...]:
        """Areas whose name holds the words, accents and case aside ("phuc xa" finds Phúc Xá)."""
        wanted = unaccented(words)
        return tuple(area for area in self if wanted in unaccented(area.name))


def unaccented(text: str) -> str:
    """Lower case without Vietnamese marks; đ is not a mark in Unicode and is mapped by hand."""
    plain = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return " ".join("".join(c for c in plain if not _is_mark(c)).replace("-", " ").split())


def _is_mark(c: str) -> bool:
    return bool(unicodedata.combining(c)) or unicodedata.category(c) == "Cf"  # Or nothing that is seen.
