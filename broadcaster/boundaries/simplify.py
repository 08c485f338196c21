"""Rings with fewer points: borders that two shapes share lose the same ones, so no gap opens. Pure.

Rings are cut where borders meet, as TopoJSON does, and each piece is simplified once (Douglas and Peucker),
whoever it belongs to.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

Spot = tuple[int, int]
"""Whole units of any grid."""
Loop = tuple[Spot, ...]
"""A closed ring without its end, which is its beginning."""
Arc = tuple[Spot, ...]


class _Side(NamedTuple):
    arc: Arc
    backwards: bool


class Borders:
    """Loops cut into the arcs that they share. Each loop has three spots or more, and an area."""

    def __init__(self, loops: Sequence[Loop]) -> None:
        nodes = _nodes(loops)
        self._loops = [[_side(arc) for arc in _cut(loop, nodes)] for loop in loops]
        arcs = {side.arc for sides in self._loops for side in sides}
        self._weights = {arc: weights(arc) for arc in arcs}

    def simplified(self, tolerance: float) -> list[Loop]:
        """The loops in the order given. No spot left out is further than that from what stands for it."""
        kept = {arc: _kept(arc, heavy, tolerance) for arc, heavy in self._weights.items()}
        for sides in self._loops:
            if sum(len(kept[side.arc]) - 1 for side in sides) < 3:  # noqa: PLR2004 - spots of a loop
                # Of a lens of two arcs nothing but a line would be left.
                for side in sides:
                    kept[side.arc] = _kept(side.arc, weights(side.arc, bent=True), tolerance)
        return [tuple(_around(sides, kept)) for sides in self._loops]


def weights(arc: Arc, *, bent: bool = False) -> list[float]:
    """Of each spot the tolerance below which it must stay. With `bent` the one farthest out always does."""
    heavy = [math.inf] * len(arc)
    parts = [(0, len(arc) - 1, math.inf)]
    while parts:
        first, last, above = parts.pop()
        if last - first < 2:  # noqa: PLR2004 - nothing lies between
            continue
        far, at = max((distance(arc[i], arc[first], arc[last]), i) for i in range(first + 1, last))
        # A spot goes no later than the one that parted its piece.
        heavy[at] = math.inf if bent else min(far, above)
        bent = False
        parts += [(first, at, heavy[at]), (at, last, heavy[at])]
    return heavy


def distance(spot: Spot, start: Spot, end: Spot) -> float:
    """From a spot to the line between two others."""
    x, y = spot[0] - start[0], spot[1] - start[1]
    dx, dy = end[0] - start[0], end[1] - start[1]
    long = dx * dx + dy * dy
    along = min(1.0, max(0.0, (x * dx + y * dy) / long)) if long else 0.0
    return math.hypot(x - along * dx, y - along * dy)


def _nodes(loops: Sequence[Loop]) -> set[Spot]:
    # Where two loops part, or one meets itself, a spot has other neighbours than before.
    beside: dict[Spot, tuple[Spot, Spot]] = {}
    nodes: set[Spot] = set()
    for loop in loops:
        for i, spot in enumerate(loop):
            before, after = loop[i - 1], loop[(i + 1) % len(loop)]
            pair = (before, after) if before < after else (after, before)
            if beside.setdefault(spot, pair) != pair:
                nodes.add(spot)
    return nodes


def _cut(loop: Loop, nodes: set[Spot]) -> Iterator[Arc]:
    at = [i for i, spot in enumerate(loop) if spot in nodes] or [loop.index(min(loop))]
    turned = loop[at[0] :] + loop[: at[0]]
    ends = [i - at[0] for i in at] + [len(loop)]
    turned += turned[:1]
    for first, last in pairwise(ends):
        arc = turned[first : last + 1]
        if arc[0] != arc[-1]:
            yield arc
            continue
        # Of an arc that comes back to its beginning the two halves; the farthest spot is that of its
        # neighbour too, whichever way round it goes.
        far = max(range(1, len(arc) - 1), key=lambda i: (math.dist(arc[i], arc[0]), arc[i]))
        yield arc[: far + 1]
        yield arc[far:]


def _side(arc: Arc) -> _Side:
    turned = arc[::-1]
    return _Side(turned, backwards=True) if turned < arc else _Side(arc, backwards=False)


def _kept(arc: Arc, heavy: Sequence[float], tolerance: float) -> Arc:
    return tuple(spot for spot, weight in zip(arc, heavy, strict=True) if weight > tolerance)


def _around(sides: Sequence[_Side], kept: dict[Arc, Arc]) -> Iterator[Spot]:
    for side in sides:
        arc = kept[side.arc]
        yield from (arc[::-1] if side.backwards else arc)[:-1]
