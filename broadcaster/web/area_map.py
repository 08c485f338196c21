"""The communes of an edition on a map without tiles: boundaries where they are loaded, circles elsewhere.

North is up. The projection is the plainest one, equirectangular, at the latitude of the middle.
"""

import gzip
import hashlib
import math
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from psycopg_pool import ConnectionPool
from pydantic_core import to_json

from broadcaster.boundaries.outlines import GRID, Box, Outlines
from broadcaster.boundaries.store import loaded, loaded_digest
from schemas.areas import Area, AreaTree

WIDTH = 1000.0
_MARGIN = 30.0
_SMALLEST, _LARGEST = 4.0, 26.0


class Circle(NamedTuple):
    """A commune at its place, in units of the drawing."""

    x: float
    y: float
    radius: float
    """Its area follows the population; the smallest where that is unknown."""


@dataclass(frozen=True)
class AreaMap:
    """The drawing, WIDTH wide: each commune by its code, the larger ones first, so that none is hidden."""

    height: float
    circles: Mapping[str, Circle]
    outlines: Mapping[str, str]
    """SVG path data, which `transform` brings to its place."""
    transform: str
    box: Box | None = None
    """Of the outlines, where there are any."""

    def __contains__(self, code: object) -> bool:
        return code in self.circles or code in self.outlines

    @cached_property
    def document(self) -> bytes:
        """What a script draws it from."""
        return to_json(
            {
                "transform": self.transform,
                "outlines": self.outlines,
                "circles": self.circles,
            }
        )

    @cached_property
    def packed(self) -> bytes:
        """The document, by gzip."""
        return gzip.compress(self.document, 9, mtime=0)

    @cached_property
    def digest(self) -> str:
        """Of the document; short, for an address."""
        return hashlib.sha256(self.document).hexdigest()[:16]


_lock = threading.Lock()
_kept: WeakKeyDictionary[AreaTree, tuple[str | None, AreaMap]] = WeakKeyDictionary()
"""By edition the drawing, and the boundaries it was made of."""


def drawn(pool: ConnectionPool[Any], tree: AreaTree) -> AreaMap:
    """The edition's map; made again only once other boundaries are loaded."""
    with pool.connection() as conn:
        digest = loaded_digest(conn, tree.edition)
        with _lock:
            kept = _kept.get(tree)
        if kept and kept[0] == digest:
            return kept[1]
        outlines = loaded(conn, tree.edition) if digest else None
    found = lay(tree.leaves(tree.root), outlines)
    with _lock:
        # Of boundaries loaded since the digest was read: they are what was drawn.
        _kept[tree] = outlines and outlines.sha256, found
    return found


def lay(areas: Iterable[Area], outlines: Outlines | None = None) -> AreaMap:
    """Each of the communes at its place; those without one, and without a boundary, are left out."""
    communes = list(areas)
    bounded = {area.code for area in communes} & outlines.paths.keys() if outlines else set[str]()
    places = {
        area.code: (area.longitude, area.latitude)
        for area in communes
        if area.longitude is not None and area.latitude is not None and area.code not in bounded
    }
    corners = list(places.values())
    if outlines and bounded:
        box = outlines.box
        corners += [(box.left / GRID, -box.top / GRID), (box.right / GRID, -box.bottom / GRID)]
    if not corners:
        return AreaMap(0.0, {}, {}, "")
    west, east = min(x for x, _ in corners), max(x for x, _ in corners)
    south, north = min(y for _, y in corners), max(y for _, y in corners)
    # A degree of longitude is shorter than one of latitude, by the cosine of the latitude.
    narrow = math.cos(math.radians((south + north) / 2))
    scale = (WIDTH - 2 * _MARGIN) / max((east - west) * narrow, 1e-6)
    most = max((area.population or 0 for area in communes), default=0)
    circles = {
        area.code: Circle(
            round(_MARGIN + (places[area.code][0] - west) * narrow * scale, 1),
            round(_MARGIN + (north - places[area.code][1]) * scale, 1),
            _radius(area.population, most),
        )
        for area in communes
        if area.code in places
    }
    transform = ""
    if outlines and bounded:
        left = _MARGIN + (outlines.box.left / GRID - west) * narrow * scale
        top = _MARGIN + (north + outlines.box.top / GRID) * scale
        transform = f"matrix({narrow * scale / GRID:.7f} 0 0 {scale / GRID:.7f} {left:.3f} {top:.3f})"
    return AreaMap(
        round(2 * _MARGIN + (north - south) * scale, 1),
        dict(sorted(circles.items(), key=lambda each: -each[1].radius)),
        {code: path for code, path in outlines.paths.items() if code in bounded} if outlines else {},
        transform,
        outlines.box if outlines and bounded else None,
    )


def _radius(population: int | None, most: int) -> float:
    if not population or not most:
        return _SMALLEST
    return round(max(_SMALLEST, _LARGEST * math.sqrt(population / most)), 1)
