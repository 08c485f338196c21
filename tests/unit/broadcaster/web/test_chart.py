"""Circles at their places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.web.chart import WIDTH, Reach, chart
from schemas.areas import Area


def at(code: str, latitude: float | None, longitude: float | None, population: int | None = None) -> Reach:
    place = Area(
        code=code,
        name=code,
        kind="phuong",
        level=3,
        latitude=latitude,
        longitude=longitude,
        population=population,
    )
    return Reach(place, 10, 6, 4)


def test_north_is_up_and_east_is_right() -> None:
    drawn = chart([at("south-west", 20.9, 105.7), at("north-east", 21.1, 105.9)])
    places = {circle.reach.area.code: circle for circle in drawn.circles}
    assert places["north-east"].y < places["south-west"].y
    assert places["north-east"].x > places["south-west"].x


def test_people_make_the_size_and_the_share_the_shade() -> None:
    drawn = chart([at("a", 21.0, 105.8, 400), at("b", 21.1, 105.9, 100), at("c", 21.2, 105.8)])
    sizes = {circle.reach.area.code: circle.radius for circle in drawn.circles}
    assert sizes["a"] == 2 * sizes["b"]
    assert next(circle.reach.area.code for circle in drawn.circles) == "a"
    shades = {circle.reach.area.code: circle.reach.shade for circle in drawn.circles}
    assert shades == {"a": 0, "b": 1, "c": None}


@pytest.mark.parametrize(("population", "shade"), [(201, 0), (200, 1), (50, 2), (20, 3), (5, 3), (0, None)])
def test_where_a_shade_begins(population: int, shade: int | None) -> None:
    assert at("a", 21.0, 105.8, population).shade == shade


def test_without_places_there_is_no_map() -> None:
    drawn = chart([at("a", None, None, 5)])
    assert (drawn.circles, drawn.height) == ((), 0.0)
    assert len(drawn.missing) == 1


@given(st.lists(st.tuples(st.floats(20.5, 21.5), st.floats(105.2, 106.1)), min_size=1, max_size=30))
def test_everything_lies_in_the_drawing(places: list[tuple[float, float]]) -> None:
    drawn = chart(at(str(number), *place, population=number) for number, place in enumerate(places))
    for circle in drawn.circles:
        assert circle.x - circle.radius >= 0
        assert circle.x + circle.radius <= WIDTH
        assert circle.y - circle.radius >= 0
        assert circle.y + circle.radius <= drawn.height + 0.2
