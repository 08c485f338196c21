"""The communes of an edition as circles at their places, for a map without tiles. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.areas import Area

WIDTH = 1000.0
_MARGIN = 30.0
_SMALLEST, _LARGEST = 4.0, 26.0
_STEPS = (0.05, 0.2, 0.5)
"""Shares of the population at which the next shade begins."""


@dataclass(frozen=True)
class Reach:
    """Phones registered in one commune, against those who live there."""

    area: Area
    phones: int
    push: int
    sms: int

    @property
    def share(self) -> float | None:
        """Of the population; None where the register does not know it."""
        return self.phones / self.area.population if self.area.population else None

    @property
    def shade(self) -> int | None:
        """0 to 3, the more the better reached; None where the share is unknown."""
        share = self.share
        return None if share is None else sum(share >= step for step in _STEPS)


@dataclass(frozen=True)
class Circle:
    """One commune on the map, in units of a drawing WIDTH wide."""

    reach: Reach
    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Chart:
    """The drawing. `missing` are the communes whose place the register does not know."""

    circles: Sequence[Circle]
    height: float
    missing: Sequence[Reach]


def chart(reaches: Iterable[Reach]) -> Chart:
    """North is up; the area of a circle follows the population, the smallest size where it is unknown."""
    known: list[tuple[Reach, float, float]] = []
    missing: list[Reach] = []
    for reach in reaches:
        latitude, longitude = reach.area.latitude, reach.area.longitude
        if latitude is None or longitude is None:
            missing.append(reach)
        else:
            known.append((reach, latitude, longitude))
    if not known:
        return Chart((), 0.0, tuple(missing))
    south, north = min(each[1] for each in known), max(each[1] for each in known)
    west, east = min(each[2] for each in known), max(each[2] for each in known)
    # A degree of longitude is shorter than one of latitude, by the cosine of the latitude.
    narrow = math.cos(math.radians((south + north) / 2))
    scale = (WIDTH - 2 * _MARGIN) / max((east - west) * narrow, 1e-6)
    most = max((each[0].area.population or 0 for each in known), default=0)
    circles = [
        Circle(
            reach,
            round(_MARGIN + (longitude - west) * narrow * scale, 1),
            round(_MARGIN + (north - latitude) * scale, 1),
            _radius(reach.area.population, most),
        )
        for reach, latitude, longitude in known
    ]
    # The large ones lie below, so that none is hidden.
    circles.sort(key=lambda circle: -circle.radius)
    return Chart(tuple(circles), round(2 * _MARGIN + (north - south) * scale, 1), tuple(missing))


def _radius(population: int | None, most: int) -> float:
    if not population or not most:
        return _SMALLEST
    return round(max(_SMALLEST, _LARGEST * math.sqrt(population / most)), 1)
