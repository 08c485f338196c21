"""Boundaries as the paths of a drawing, simplified until they fit into a page. Pure."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pydantic_core import from_json, to_json

from broadcaster.boundaries.geojson import BoundaryError, Polygon, Ring, Shape
from broadcaster.boundaries.simplify import Borders, Loop

GRID = 10_000
"""Units to a degree: some 11 m, a seventh of what a map of the city can show in a pixel."""
BUDGET = 80_000
"""Bytes that the paths of an edition may take, before they are packed."""
METRES = 111_320 / GRID
"""To a unit, from north to south."""
_STEP = 1.25
_COARSEST = 300.0
"""Units. Beyond it nothing can be recognised."""


class Box(NamedTuple):
    """Units of the grid; `top` and `bottom` grow southwards, as they do in a drawing."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class Outlines:
    """The paths by code, the larger ones first: what lies within another is drawn over it."""

    edition: str
    paths: Mapping[str, str]
    """SVG path data from the left top of the box: x eastwards, y southwards, in units of the grid."""
    box: Box
    tolerance: float
    """Units: no point left out is further than that from the line drawn instead. Islands and holes
    smaller than its square are gone, but for the largest part of a commune."""

    @cached_property
    def document(self) -> bytes:
        """What is kept of them."""
        return to_json(
            {"edition": self.edition, "tolerance": self.tolerance, "box": self.box, "paths": self.paths}
        )

    @cached_property
    def sha256(self) -> str:
        """Of the document."""
        return hashlib.sha256(self.document).hexdigest()

    @staticmethod
    def load(document: bytes) -> "Outlines":
        """What was kept."""
        said = from_json(document)
        return Outlines(said["edition"], said["paths"], Box(*said["box"]), said["tolerance"])


class _Piece(NamedTuple):
    """A loop of one commune."""

    code: str
    loop: Loop
    size: float
    """Square units."""
    needed: bool
    """It is the largest of its commune, which must not vanish."""


def outlines(edition: str, shapes: Mapping[str, Shape], budget: int = BUDGET) -> Outlines:
    """The finest outlines within the budget. Raises BoundaryError where even coarse ones are beyond it."""
    pieces = list(_pieces(shapes))
    if not pieces:
        raise BoundaryError("file: no boundary is in it")
    box = _box(pieces)
    borders = Borders([piece.loop for piece in pieces])
    tolerance = 0.0
    while tolerance < _COARSEST:
        loops = borders.simplified(tolerance)
        paths = dict[str, str]()
        for piece, loop in zip(pieces, loops, strict=True):
            # An island or a hole smaller than what is left out anyway goes whole.
            if piece.needed or piece.size > tolerance * tolerance:
                paths[piece.code] = paths.get(piece.code, "") + path(loop, box)
        if sum(map(len, paths.values())) <= budget:
            return Outlines(edition, paths, box, tolerance)
        tolerance = max(1.0, tolerance * _STEP)
    raise BoundaryError(f"file: it cannot be drawn in {budget:,} bytes; simplify it first")


def path(loop: Loop, box: Box) -> str:
    """A loop as SVG path data: from its first spot by whole steps, and closed."""
    x, y = loop[0]
    said = [f"M{x - box.left} {y - box.top}l"]
    for spot in loop[1:]:
        dx, dy = spot[0] - x, spot[1] - y
        x, y = spot
        # A minus parts two numbers as well as a space does.
        said.append(f"{dx}{dy}" if dy < 0 else f"{dx} {dy}")
    steps = " ".join(said[1:]).replace(" -", "-")
    return f"{said[0]}{steps}z"


def _pieces(shapes: Mapping[str, Shape]) -> Iterator[_Piece]:
    found: dict[str, list[_Piece]] = {}
    for code, shape in shapes.items():
        loops = [(loop, area(loop)) for polygon in shape for loop in _loops(polygon)]
        if not loops:
            raise BoundaryError(f"feature of {code}: its boundary has no area")
        most = max(size for _, size in loops)
        largest = next(i for i, (_, size) in enumerate(loops) if size == most)
        found[code] = [_Piece(code, loop, size, i == largest) for i, (loop, size) in enumerate(loops)]
    for code in sorted(found, key=lambda code: (-max(piece.size for piece in found[code]), code)):
        yield from found[code]


def _loops(polygon: Polygon) -> Iterator[Loop]:
    # Without its outer ring a hole is none.
    outer, *holes = (_loop(ring) for ring in polygon)
    if outer:
        yield from filter(None, (outer, *holes))


def _loop(ring: Ring) -> Loop | None:
    """The ring on the grid; None where it has no area there."""
    spots = [(round(x * GRID), -round(y * GRID)) for x, y in ring[:-1]]
    loop = tuple(spot for i, spot in enumerate(spots) if spot != spots[i - 1])
    return loop if len(loop) > 2 and area(loop) else None  # noqa: PLR2004 - three make an area


def area(loop: Loop) -> float:
    """Square units within it, however it turns."""
    turned = sum(
        before[0] * spot[1] - spot[0] * before[1]
        for before, spot in zip(loop, loop[1:] + loop[:1], strict=True)
    )
    return abs(turned) / 2


def _box(pieces: list[_Piece]) -> Box:
    xs = [x for piece in pieces for x, _ in piece.loop]
    ys = [y for piece in pieces for _, y in piece.loop]
    return Box(min(xs), min(ys), max(xs), max(ys))
