"""Screens on a map that is drawn here: no tiles are fetched, and the table below says the same."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

from fastapi import APIRouter, Request
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.boundaries.outlines import GRID, Box
from broadcaster.screen_control import Spot
from broadcaster.screens.sightings import Contact
from broadcaster.web import area_map, screen_list
from broadcaster.web.area_map import AreaMap
from broadcaster.web.console.frame import show
from broadcaster.web.console.visitor import WithVisitor
from broadcaster.web.screen_list import Listed, folded
from broadcaster.web.services import Services, WithServices
from schemas.areas import AreaTree

router = APIRouter(prefix="/console/screen-map", include_in_schema=False)

WIDTH = 900
MARGIN = 40
TALLEST = 1200
MOST_DOTS = 2000
"""Beyond that dots say nothing, and weigh much: screens are counted in their communes' circles."""


@dataclass(frozen=True)
class Mark:
    """A commune's circle: the screens that no dot stands for."""

    x: float
    y: float
    r: float
    count: int
    state: Contact


@dataclass(frozen=True)
class Dot:
    """A screen at its place."""

    x: float
    y: float
    state: Contact


@dataclass(frozen=True)
class Drawn:
    """The map, in its own units."""

    width: int
    height: int
    marks: tuple[Mark, ...] = ()
    dots: tuple[Dot, ...] = ()
    outlines: tuple[str, ...] = ()
    """Of the communes where screens stand, which `transform` brings to their places."""
    transform: str = ""


@dataclass(frozen=True)
class Row:
    """One commune of the table."""

    code: str
    name: str
    total: int
    by_state: Counter[Contact]
    placed: int


@router.get("")
def map_page(request: Request, services: WithServices, visitor: WithVisitor) -> Response:
    """Where the visitor's screens are, and how they stand."""
    visitor.require_somewhere(*Role)
    every = screen_list.within(services, visitor.bodies())
    tree = services.tree()
    laid = area_map.drawn(services.ports.pool, tree)
    found = rows(every)
    return show(
        request,
        visitor,
        "screen-map.html",
        here="screens",
        drawn=draw(every, _centres(services, every), tree.edition, laid),
        rows=found,
        states=list(Contact),
        fragments=services.fragments,
        # All that the table says: whoever sees these very lines may be shown what was drawn of them.
        key=tuple(
            (row.code, row.name, row.total, row.placed, *(row.by_state[state] for state in Contact))
            for row in found
        ),
    )


def rows(every: Iterable[Listed]) -> list[Row]:
    """By commune; where most are offline first."""
    by_area: dict[tuple[str, str], list[Listed]] = {}
    for one in every:
        by_area.setdefault((one.screen.area, one.place), []).append(one)
    found = [
        Row(
            code,
            name,
            len(there),
            Counter(one.contact for one in there),
            sum(one.control.spot is not None for one in there),
        )
        for (code, name), there in by_area.items()
    ]
    return sorted(found, key=lambda row: (-row.by_state[Contact.OFFLINE], folded(row.name), row.code))


def draw(
    every: list[Listed],
    centres: dict[tuple[str, str], Spot],
    edition: str = "",
    laid: AreaMap | None = None,
) -> Drawn:
    """The map: a degree of longitude is as wide as it is at the middle latitude.

    `laid` has the boundaries of the edition's communes, where they are loaded.
    """
    dotted = [one for one in every if one.control.spot is not None]
    if len(dotted) > MOST_DOTS:
        dotted = []
    dotted_ids = {one.screen.id for one in dotted}
    counted: dict[tuple[str, str], list[Listed]] = {}
    for one in every:
        key = (one.screen.edition, one.screen.area)
        if one.screen.id not in dotted_ids and key in centres:
            counted.setdefault(key, []).append(one)
    spots = [centres[key] for key in counted] + [one.control.spot for one in dotted if one.control.spot]
    if not spots:
        return Drawn(WIDTH, MARGIN)
    frame = _Frame.around(spots)
    marks: list[Mark] = []
    for key, there in counted.items():
        x, y = frame.place(centres[key])
        alarming = any(one.is_alarming for one in there)
        radius = round(13 + 3 * math.sqrt(len(there)), 1)
        state = Contact.OFFLINE if alarming else Contact.ONLINE
        marks.append(Mark(x, y, radius, len(there), state))
    dots = [
        Dot(*frame.place(one.control.spot), one.contact) for one in dotted if one.control.spot is not None
    ]
    drawn = Drawn(WIDTH, frame.height, tuple(marks), tuple(dots))
    if laid is None or laid.box is None:
        return drawn
    here = {one.screen.area for one in every if one.screen.edition == edition}
    found = tuple(path for code, path in laid.outlines.items() if code in here)
    return replace(drawn, outlines=found, transform=frame.transform(laid.box))


@dataclass(frozen=True)
class _Frame:
    west: float
    north: float
    scale: float
    """Units of the map to a degree of latitude."""
    squeeze: float
    height: int

    @staticmethod
    def around(spots: list[Spot]) -> "_Frame":
        south, north = min(one.latitude for one in spots), max(one.latitude for one in spots)
        west, east = min(one.longitude for one in spots), max(one.longitude for one in spots)
        squeeze = math.cos(math.radians((south + north) / 2)) or 1e-6
        # A single place still gets a map some two kilometres wide.
        wide, tall = max((east - west) * squeeze, 0.02), max(north - south, 0.005)
        scale = min((WIDTH - 2 * MARGIN) / wide, (TALLEST - 2 * MARGIN) / tall)
        # In the middle, where they take less than the whole.
        west -= ((WIDTH - 2 * MARGIN) / scale / squeeze - (east - west)) / 2
        north += (tall - (north - south)) / 2
        return _Frame(west, north, scale, squeeze, math.ceil(tall * scale) + 2 * MARGIN)

    def place(self, spot: Spot) -> tuple[float, float]:
        x = MARGIN + (spot.longitude - self.west) * self.squeeze * self.scale
        return round(x, 1), round(MARGIN + (self.north - spot.latitude) * self.scale, 1)

    def transform(self, box: Box) -> str:
        """Brings outlines of this box to their place."""
        x, y = self.place(Spot(-box.top / GRID, box.left / GRID))
        return f"matrix({self.squeeze * self.scale / GRID:.7f} 0 0 {self.scale / GRID:.7f} {x} {y})"


def _centres(services: Services, every: list[Listed]) -> dict[tuple[str, str], Spot]:
    found: dict[tuple[str, str], Spot] = {}
    for edition in {one.screen.edition for one in every}:
        tree = services.tree(edition)
        # Where the communes of an edition lie never changes.
        found |= services.fragments.value(("centres", tree), partial(_centres_of, tree))
    return found


def _centres_of(tree: AreaTree) -> dict[tuple[str, str], Spot]:
    return {
        (tree.edition, area.code): Spot(area.latitude, area.longitude)
        for area in tree
        if area.latitude is not None and area.longitude is not None
    }
