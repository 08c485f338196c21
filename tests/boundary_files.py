"""GeoJSON of communes, made up: squares around their places, or a mosaic of what lies nearest to each."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas.areas import Area, AreaTree

Position = tuple[float, float]


def collection(features: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def feature(code: str, *rings: Sequence[Position], named: str = "code") -> dict[str, Any]:
    """A polygon of these rings, as they are."""
    geometry = {"type": "Polygon", "coordinates": [[list(each) for each in ring] for ring in rings]}
    return {"type": "Feature", "properties": {named: code}, "geometry": geometry}


def square(x: float, y: float, half: float = 0.004) -> list[Position]:
    return [
        (x - half, y - half),
        (x + half, y - half),
        (x + half, y + half),
        (x - half, y + half),
        (x - half, y - half),
    ]


def placed(tree: AreaTree) -> list[tuple[Area, Position]]:
    """The communes whose places the register knows."""
    return [
        (area, (area.longitude, area.latitude))
        for area in tree.leaves(tree.root)
        if area.longitude is not None and area.latitude is not None
    ]


def squares(tree: AreaTree, named: str = "code") -> bytes:
    """A small square around each place."""
    features = (feature(area.code, square(*place), named=named) for area, place in placed(tree))
    return json.dumps(collection(features)).encode()


def mosaic(tree: AreaTree, step: float = 0.004) -> bytes:
    """The city parted among its communes, borders in common; `step` is the size of a stone, degrees."""
    stones: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    places = placed(tree)
    grid = [(x / step, y / step, area.code) for area, (x, y) in places]
    left, right = int(min(x for x, _, _ in grid)) - 3, int(max(x for x, _, _ in grid)) + 3
    below, above = int(min(y for _, y, _ in grid)) - 3, int(max(y for _, y, _ in grid)) + 3
    for i in range(left, right + 1):
        near = [each for each in grid if abs(each[0] - i) < 30]
        for j in range(below, above + 1):
            far, code = min(((x - i) ** 2 + (y - j) ** 2, code) for x, y, code in near)
            if far < 200:
                stones[code].add((i, j))
    features: list[dict[str, Any]] = []
    for code, own in sorted(stones.items()):
        # None has a hole, since what is nearest to a place is convex, or nearly.
        rings = [[_corner(spot, step) for spot in ring] for ring in _rings(own)]
        polygons = [[ring] for ring in rings]
        geometry = {"type": "MultiPolygon", "coordinates": polygons}
        features.append({"type": "Feature", "properties": {"code": code}, "geometry": geometry})
    return json.dumps(collection(features)).encode()


def _corner(spot: tuple[int, int], step: float) -> Position:
    # The same for all who share it, and not quite where it should be: no border of a commune is straight.
    i, j = spot
    x, y = (i * 7919 + j * 104729) % 97 / 97 - 0.5, (i * 15485863 + j * 32452843) % 89 / 89 - 0.5
    return round((i - 0.5 + x * 0.7) * step, 7), round((j - 0.5 + y * 0.7) * step, 7)


def _rings(stones: set[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Around the stones, corner by corner, each ring closed."""
    after: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for i, j in sorted(stones):
        sides = (
            ((i, j - 1), (i, j), (i + 1, j)),
            ((i + 1, j), (i + 1, j), (i + 1, j + 1)),
            ((i, j + 1), (i + 1, j + 1), (i, j + 1)),
            ((i - 1, j), (i, j + 1), (i, j)),
        )
        for beyond, start, end in sides:
            if beyond not in stones:
                after[start].append(end)
    rings: list[list[tuple[int, int]]] = []
    while after:
        ring = [next(iter(after))]
        while len(ring) == 1 or ring[-1] != ring[0]:
            ends = after[ring[-1]]
            ring.append(ends.pop())
            if not ends:
                del after[ring[-2]]
        rings.append(ring)
    return rings
