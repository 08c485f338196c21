"""Fewer points: rings stay rings, the error is bounded, and what is shared stays shared."""

import math
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from broadcaster import reference
from broadcaster.boundaries.geojson import read
from broadcaster.boundaries.outlines import GRID, METRES, Box, Outlines, area, outlines, path
from broadcaster.boundaries.simplify import Borders, Loop, Spot, distance
from tests.boundary_files import mosaic, squares

NEW = reference.tree("2025-07-01")
MOSAIC = read(mosaic(NEW), NEW)


def off(spot: Spot, loop: Loop) -> float:
    return min(distance(spot, *side) for side in pairwise((*loop, loop[0])))


@st.composite
def stars(draw: st.DrawFn) -> Loop:
    """A ring around the origin that does not cross itself, however ragged."""
    many = draw(st.integers(3, 40))
    radii = draw(st.lists(st.integers(5, 400), min_size=many, max_size=many))
    spots = [
        (round(r * math.cos(2 * math.pi * i / many)), round(r * math.sin(2 * math.pi * i / many)))
        for i, r in enumerate(radii)
    ]
    return tuple(spot for i, spot in enumerate(spots) if spot != spots[i - 1])


sound = stars().filter(lambda loop: len(loop) > 2 and area(loop) > 0)
tolerances = st.floats(0, 500)


@given(sound, tolerances)
def test_a_loop_stays_one_and_near_what_it_was(loop: Loop, tolerance: float) -> None:
    (found,) = Borders([loop]).simplified(tolerance)
    assert len(found) >= 3
    assert set(found) <= set(loop)
    assert all(off(spot, found) <= tolerance + 1e-9 for spot in loop)


# Two spots are the farthest from where it is cut.
@example(((0, 0), (45, 10), (95, 10), (95, -10), (45, -10)), 0, 30.0)
@given(sound, st.integers(0, 60), tolerances)
def test_an_enclave_and_its_hole_are_the_same_line(loop: Loop, turn: int, tolerance: float) -> None:
    turn %= len(loop)
    hole = (loop[turn:] + loop[:turn])[::-1]
    frame = ((-900, -900), (900, -900), (900, 900), (-900, 900))
    outside, inside, island = Borders([frame, hole, loop]).simplified(tolerance)
    assert len(outside) >= 3
    assert set(inside) == set(island)


@given(st.lists(st.integers(-60, 60), min_size=0, max_size=40), tolerances)
def test_two_neighbours_keep_the_same_border(waves: list[int], tolerance: float) -> None:
    border: tuple[Spot, ...] = ((0, 0), *((10 * (i + 1), y) for i, y in enumerate(waves)), (500, 0))
    above: Loop = (*border, (500, 900), (0, 900))
    below: Loop = (*border[::-1], (0, -900), (500, -900))
    first, second = Borders([above, below]).simplified(tolerance)
    kept = [spot for spot in first if spot in border]
    assert kept == [spot for spot in second if spot in border][::-1]
    assert {(0, 0), (500, 0)} <= set(kept)
    assert all(off(spot, first) <= tolerance + 1e-9 for spot in border)


def test_a_mosaic_is_drawn_without_a_gap_or_an_overlap() -> None:
    drawn = outlines(NEW.edition, MOSAIC, budget=20_000)
    loops = {code: loops_of(said) for code, said in drawn.paths.items()}
    assert drawn.paths.keys() == MOSAIC.keys()
    assert drawn.tolerance > 1
    # Each side has the same side of a neighbour against it, or is the edge of the city.
    sides = [side for many in loops.values() for loop in many for side in pairwise((*loop, loop[0]))]
    known = set(sides)
    single = [(a, b) for a, b in sides if (b, a) not in known]
    assert 0 < len(single) < len(sides) / 5
    for code, shape in MOSAIC.items():
        for x, y in shape[0][0][::9]:
            spot = (round(x * GRID) - drawn.box.left, -round(y * GRID) - drawn.box.top)
            assert min(off(spot, loop) for loop in loops[code]) <= drawn.tolerance + 1e-9


def test_the_budget_is_kept_and_the_finest_is_taken() -> None:
    fine, coarse = outlines(NEW.edition, MOSAIC), outlines(NEW.edition, MOSAIC, budget=12_000)
    assert fine.tolerance == 0
    assert sum(map(len, coarse.paths.values())) <= 12_000
    assert coarse.tolerance > 0
    assert METRES * coarse.tolerance < 5_000
    assert Outlines.load(coarse.document) == coarse
    assert outlines(NEW.edition, MOSAIC).sha256 == fine.sha256


def test_a_small_island_goes_and_the_commune_stays() -> None:
    tiny = {"00004": (*read(squares(NEW), NEW)["00004"], *_islet())}
    assert outlines(NEW.edition, tiny).paths["00004"].count("z") == 2
    assert outlines(NEW.edition, tiny, budget=30).paths["00004"].count("z") == 1


def _islet() -> tuple[tuple[tuple[tuple[float, float], ...], ...], ...]:
    return ((((105.7, 21.0), (105.7002, 21.0), (105.7002, 21.0003), (105.7, 21.0)),),)


@given(sound)
def test_a_path_says_its_loop(loop: Loop) -> None:
    assert loops_of(path(loop, Box(0, 0, 0, 0))) == [loop]
    assert loops_of(path(loop, Box(-500, 7, 0, 0))) == [tuple((x + 500, y - 7) for x, y in loop)]


def loops_of(said: str) -> list[Loop]:
    """Path data read again."""
    found: list[Loop] = []
    for part in said.removesuffix("z").split("z"):
        start, steps = part.removeprefix("M").split("l")
        x, y = map(int, start.split())
        spots = [(x, y)]
        numbers = [int(each) for each in steps.replace("-", " -").split()]
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = x + dx, y + dy
            spots.append((x, y))
        found.append(tuple(spots))
    return found
