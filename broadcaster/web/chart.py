"""How well the communes of an edition are reached, by the shade of each on its map. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from broadcaster.web.area_map import WIDTH, AreaMap, lay
from schemas.areas import Area

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
class Outline:
    """One commune whose boundary is known, as SVG path data."""

    reach: Reach
    path: str


@dataclass(frozen=True)
class Chart:
    """The drawing. `missing` are the communes whose place nobody knows."""

    circles: Sequence[Circle]
    outlines: Sequence[Outline]
    transform: str
    """Of the outlines."""
    height: float
    missing: Sequence[Reach]

    def __bool__(self) -> bool:
        return bool(self.circles or self.outlines)


def chart(reaches: Iterable[Reach], laid: AreaMap | None = None) -> Chart:
    """The communes as they are laid out, or else as circles at their places."""
    by_code = {reach.area.code: reach for reach in reaches}
    laid = laid or lay(reach.area for reach in by_code.values())
    return Chart(
        tuple(Circle(by_code[code], *circle) for code, circle in laid.circles.items() if code in by_code),
        tuple(Outline(by_code[code], path) for code, path in laid.outlines.items() if code in by_code),
        laid.transform,
        laid.height,
        tuple(reach for code, reach in by_code.items() if code not in laid),
    )


__all__ = ["WIDTH", "Chart", "Circle", "Outline", "Reach", "chart"]
