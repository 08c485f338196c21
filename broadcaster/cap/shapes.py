"""Polygons and circles (CAP 1.2 §3.2.4): WGS 84, latitude first."""

from collections.abc import Iterable

from broadcaster.cap.findings import Finding
from broadcaster.cap.model import CapArea

Point = tuple[float, float]
_CORNERS = 4
"""A triangle, whose first corner is written again at its end."""


def faults(area: CapArea) -> Iterable[Finding]:
    """What is wrong with the shapes and the heights of an area."""
    for polygon in area.polygons:
        yield from _polygon(polygon)
    for circle in area.circles:
        yield from _circle(circle)
    yield from _heights(area)
    if not (area.polygons or area.circles or area.geocodes):
        yield Finding("W-area-desc-only", "area: a description only; no machine finds the place")


def _polygon(text: str) -> Iterable[Finding]:
    points = [point(each) for each in text.split()]
    if len(points) < _CORNERS:
        yield Finding("R-poly-<4", f"polygon: {len(points)} pairs; four at least")
        return
    if None in points:
        yield Finding("R-poly-form", "polygon: pairs of latitude,longitude in degrees")
        return
    if points[0] != points[-1]:
        yield Finding("R-poly-open", "polygon: its last pair is not its first")


def _circle(text: str) -> Iterable[Finding]:
    centre, _, radius = text.partition(" ")
    kilometres = number(radius)
    if point(centre) is None or kilometres is None or kilometres < 0:
        yield Finding("R-circle", "circle: latitude,longitude, a space, and a radius in kilometres")


def _heights(area: CapArea) -> Iterable[Finding]:
    if area.ceiling is None:
        return
    if area.altitude is None:
        yield Finding("R-ceiling", "ceiling: only with an altitude")
        return
    low, high = number(area.altitude), number(area.ceiling)
    if low is not None and high is not None and high < low:
        yield Finding("R-ceiling", "ceiling: below the altitude")


def point(text: str) -> Point | None:
    """Latitude and longitude in degrees; None where they are not that."""
    first, _, second = text.partition(",")
    latitude, longitude = number(first), number(second)
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:  # noqa: PLR2004 (degrees)
        return None
    return latitude, longitude


def number(text: str) -> float | None:
    """The number, or None; neither NaN nor infinity is one."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if abs(found) < float("inf") else None
