"""Boundaries and circles in one drawing."""

import json
import re

from broadcaster import reference
from broadcaster.boundaries.geojson import read
from broadcaster.boundaries.outlines import outlines
from broadcaster.web.area_map import WIDTH, AreaMap, lay
from broadcaster.web.chart import Reach, chart
from tests.boundary_files import collection, feature, placed, square, squares

TREE = reference.tree("2025-07-01")
COMMUNES = TREE.leaves(TREE.root)
PLACES = {area.code: place for area, place in placed(TREE)}


def corners(drawn: AreaMap, code: str) -> list[tuple[float, float]]:
    """A path's spots in units of the drawing."""
    a, b, c, d, e, f = (float(each) for each in re.findall(r"-?[\d.]+", drawn.transform))
    assert (b, c) == (0, 0)
    x, y, *steps = (int(each) for each in re.findall(r"-?\d+", drawn.outlines[code]))
    spots = [(x, y)]
    for dx, dy in zip(steps[::2], steps[1::2], strict=True):
        x, y = x + dx, y + dy
        spots.append((x, y))
    return [(a * x + e, d * y + f) for x, y in spots]


def test_a_boundary_lies_around_its_circle() -> None:
    circles = lay(COMMUNES)
    bounded = lay(COMMUNES, outlines("2025-07-01", read(squares(TREE), TREE)))
    assert bounded.outlines.keys() == circles.circles.keys() == PLACES.keys()
    assert not bounded.circles
    # The two drawings differ by half a square at each edge, and not in shape.
    for code, (x, y, _) in circles.circles.items():
        spots = corners(bounded, code)
        middle = (sum(x for x, _ in spots) / 4, sum(y for _, y in spots) / 4)
        assert abs(middle[0] - x) < 8, code
        assert abs(middle[1] - y) < 8, code
    every = [spot for code in PLACES for spot in corners(bounded, code)]
    assert 29 < min(x for x, _ in every) < max(x for x, _ in every) < WIDTH - 29
    assert 29 < min(y for _, y in every) < max(y for _, y in every) < bounded.height - 29


def test_what_has_no_boundary_keeps_its_circle_at_its_place() -> None:
    some = ["00004", "00008"]
    file = json.dumps(collection([feature(code, square(*PLACES[code])) for code in some])).encode()
    drawn = lay(COMMUNES, outlines("2025-07-01", read(file, TREE)))
    assert sorted(drawn.outlines) == some
    assert len(drawn.circles) == 126 - 2
    x = [drawn.circles[code].x for code in sorted(drawn.circles, key=lambda code: PLACES[code][0])]
    assert x == sorted(x)
    shown = chart([Reach(area, 1, 1, 0) for area in COMMUNES], drawn)
    assert [each.reach.area.code for each in shown.outlines] == list(drawn.outlines)
    assert (len(shown.circles), shown.missing) == (124, ())


def test_the_document_changes_its_name_with_what_it_says() -> None:
    circles, same = lay(COMMUNES), lay(COMMUNES)
    bounded = lay(COMMUNES, outlines("2025-07-01", read(squares(TREE), TREE)))
    assert circles.digest == same.digest != bounded.digest
    assert len(circles.packed) < 4_000
    assert json.loads(bounded.document)["outlines"].keys() == PLACES.keys()
