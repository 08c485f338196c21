"""Boundaries of one edition's communes from GeoJSON (RFC 7946): a file is sound, or not taken at all."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

from pydantic_core import from_json

from schemas.areas import Area, AreaTree

MOST_BYTES = 64_000_000
MOST_POSITIONS = 1_000_000
NEAR = 0.05
"""Degrees, some 5 km: how far from its boundary the place of a commune may lie, which is a rough one."""
_AROUND = 0.25
"""Degrees beyond the outermost known places that still are the city."""
_CLOSED = 4
"""Positions of the smallest ring, the first of them again at its end (RFC 7946 section 3.1.6)."""

Point = tuple[float, float]
"""Longitude and latitude, degrees, WGS 84."""
Ring = tuple[Point, ...]
Polygon = tuple[Ring, ...]
"""The outer ring, then its holes."""
Shape = tuple[Polygon, ...]


class BoundaryError(ValueError):
    """The boundaries cannot be taken; says which feature breaks which rule."""


class Extent(NamedTuple):
    """Degrees, ends included."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, point: Point) -> bool:
        """Whether the point lies in it."""
        return self.west <= point[0] <= self.east and self.south <= point[1] <= self.north

    def wider(self, by: float) -> "Extent":
        """The same, so many degrees wider on each side."""
        return Extent(self.west - by, self.south - by, self.east + by, self.north + by)

    @staticmethod
    def of(points: Sequence[Point]) -> "Extent":
        """The smallest that holds them all; there is at least one."""
        longitudes, latitudes = [x for x, _ in points], [y for _, y in points]
        return Extent(min(longitudes), min(latitudes), max(longitudes), max(latitudes))


VIETNAM = Extent(102.0, 8.0, 110.0, 24.0)
"""Where the register knows no places."""


def plausible(tree: AreaTree) -> Extent:
    """Where boundaries of this edition can lie: around the places of its areas."""
    places = [place for area in tree if (place := _place(area))]
    return Extent.of(places).wider(_AROUND) if places else VIETNAM


def read(data: bytes, tree: AreaTree, named: str = "code") -> dict[str, Shape]:
    """The shape of each commune that the file has, by code; `named` is the property that holds the code.

    Raises BoundaryError at the first fault.
    """
    if len(data) > MOST_BYTES:
        raise BoundaryError(f"file: {len(data):,} bytes, at most {MOST_BYTES:,} are taken")
    try:
        said = from_json(data.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False)
    except ValueError as error:
        raise BoundaryError(f"file: no JSON: {error}") from None
    file = _object(said, "file")
    if file.get("type") != "FeatureCollection":
        raise BoundaryError("file: type is FeatureCollection (RFC 7946 section 3.3)")
    if "crs" in file and "CRS84" not in str(file["crs"]):
        raise BoundaryError("file: crs: coordinates are WGS 84 and nothing else (RFC 7946 section 4)")
    features = _array(file.get("features"), "file: features")
    reader = _Reader(tree, named)
    for number, feature in enumerate(features, 1):
        reader.take(number, feature)
    return reader.found


class _Reader:
    def __init__(self, tree: AreaTree, named: str) -> None:
        self._tree, self._named = tree, named
        self._extent = plausible(tree)
        self._positions = 0
        self._numbers: dict[str, int] = {}
        self.found: dict[str, Shape] = {}

    def take(self, number: int, said: object) -> None:
        where = f"feature {number}"
        feature = _object(said, where)
        if feature.get("type") != "Feature":
            raise BoundaryError(f"{where}: type is Feature (RFC 7946 section 3.2)")
        area = self._area(where, feature)
        where = f"{where} ({area.code})"
        if area.code in self.found:
            raise BoundaryError(f"{where}: feature {self._numbers[area.code]} is of the same commune")
        shape = tuple(self._polygons(where, feature))
        place = _place(area)
        around = Extent.of([point for polygon in shape for point in polygon[0]])
        if place and not around.wider(NEAR).holds(place):
            raise BoundaryError(
                f"{where}: it lies more than 5 km from the place of {area.name};"
                f" is it of another edition than {self._tree.edition}?"
            )
        self._numbers[area.code] = number
        self.found[area.code] = shape

    def _area(self, where: str, feature: dict[str, Any]) -> Area:
        properties = _object(feature.get("properties"), f"{where}: properties")
        code = properties.get(self._named)
        if not isinstance(code, str):
            raise BoundaryError(
                f"{where}: properties.{self._named}: a commune's code as text, with its noughts in front"
            )
        if code not in self._tree:
            raise BoundaryError(f"{where}: edition {self._tree.edition} has no area {code[:40]!r}")
        if not self._tree.is_leaf(code):
            raise BoundaryError(f"{where}: {code} is {self._tree[code].name}, which is no commune")
        return self._tree[code]

    def _polygons(self, where: str, feature: dict[str, Any]) -> Iterator[Polygon]:
        geometry = _object(feature.get("geometry"), f"{where}: geometry")
        told = f"{where}: coordinates"
        match geometry.get("type"):
            case "Polygon":
                yield self._polygon(where, geometry.get("coordinates"))
            case "MultiPolygon":
                for place, polygon in enumerate(_array(geometry.get("coordinates"), told), 1):
                    yield self._polygon(f"{where}: polygon {place}", polygon)
            case _:
                raise BoundaryError(f"{where}: geometry is Polygon or MultiPolygon")

    def _polygon(self, where: str, said: object) -> Polygon:
        rings = _array(said, f"{where}: coordinates")
        return tuple(self._ring(f"{where}: ring {place}", ring) for place, ring in enumerate(rings, 1))

    def _ring(self, where: str, said: object) -> Ring:
        positions = _array(said, where)
        self._positions += len(positions)
        if self._positions > MOST_POSITIONS:
            raise BoundaryError(f"{where}: more than {MOST_POSITIONS:,} positions in all; simplify it")
        ring = tuple(self._point(where, position) for position in positions)
        if len(ring) < _CLOSED:
            raise BoundaryError(f"{where}: {len(ring)} positions, a closed ring has at least {_CLOSED}")
        if ring[0] != ring[-1]:
            raise BoundaryError(f"{where}: it is not closed: the last position is not the first")
        return ring

    def _point(self, where: str, said: object) -> Point:
        position = cast("list[object]", said) if isinstance(said, list) else []
        match position:
            case [float() | int() as x, float() | int() as y, *more] if len(more) <= 1:
                point = float(x), float(y)
            case _:
                raise BoundaryError(f"{where}: a position is [longitude, latitude] in numbers")
        if isinstance(x, bool) or isinstance(y, bool) or not all(map(math.isfinite, point)):
            raise BoundaryError(f"{where}: a position is [longitude, latitude] in numbers")
        if not self._extent.holds(point):
            turned = " (longitude comes first)" if self._extent.holds((point[1], point[0])) else ""
            raise BoundaryError(f"{where}: {point[0]:g}, {point[1]:g} is not in the city{turned}")
        return point


def _place(area: Area) -> Point | None:
    if area.latitude is None or area.longitude is None:
        return None
    return area.longitude, area.latitude


def _object(said: object, where: str) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise BoundaryError(f"{where}: an object is expected")
    return cast("dict[str, Any]", said)


def _array(said: object, where: str) -> list[object]:
    if not isinstance(said, list) or not said:
        raise BoundaryError(f"{where}: a list that is not empty is expected")
    return cast("list[object]", said)
