"""The number of a screen's feed never falls, whatever happens to the screen: else it would refuse it."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from channels.led.draw import Artist
from projections.feeds.projection import Feeds
from projections.feeds.view import feed
from projections.projection import Row
from schemas.content import Mode
from schemas.events import ScreenMoved, ScreenRegistered
from tests.unit.projections.story import SPACE, Story, fold, opened, rebuild

ARTIST = Artist()
CODES = ["001", "00001"]
"""Few, so that screens meet."""
PROFILE = "m96x32-1"
SCREENS = [uuid5(SPACE, f"box {number}") for number in range(2)]

Place = tuple[str, bool]

happenings = st.lists(
    st.tuples(
        st.sampled_from(("put", "put", "put", "move", "take down", "issue", "drill", "cancel")),
        st.integers(0, 1),
        st.sampled_from(CODES),
        st.booleans(),
    ),
    min_size=4,
    max_size=25,
)


@pytest.fixture
def conn(database: str) -> Iterator[Connection[Row]]:
    with opened(database, Feeds(ARTIST)) as conn:
        yield conn


def happen(story: Story, places: dict[UUID, Place], step: tuple[str, int, str, bool]) -> None:
    what, number, area, drills = step
    screen = SCREENS[number]
    match what:
        case "issue" | "drill":
            story.issue(areas=(area,), mode=Mode.ACTUAL if what == "issue" else Mode.EXERCISE)
        case "cancel" if story.log[-1].event.TOPIC == "alert.issued":
            story.cancel(story.log[-1].event.originator_id)
        case "put":
            place: dict[str, Any] = {"area": area, "profile": PROFILE, "drills": drills}
            story.tell(ScreenRegistered, screen, screen_id=screen, name="Ngã tư", **place)
            places[screen] = (area, drills)
        case "move" if screen in places:
            story.tell(ScreenMoved, screen, area=area, edition="2020-03-01")
            places[screen] = (area, places[screen][1])
        case "take down" if screen in places:
            story.take_down(screen)
            del places[screen]
        case _:
            pass


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=happenings)
@example(steps=[("put", 0, "001", True), ("put", 1, "001", False), ("put", 1, "001", True)])
@example(steps=[("put", 0, "001", True), ("put", 1, "00001", True), ("move", 1, "001", True)])
def test_the_number_of_a_screen_never_falls(conn: Connection[Row], steps: list[Any]) -> None:
    story, places = Story(), dict[UUID, Place]()
    story.adopt()
    rebuild(conn, Feeds(ARTIST), story.log, 1)
    last: dict[UUID, tuple[int, str]] = {}
    for step in steps:
        known = len(story.log)
        happen(story, places, step)
        fold(conn, Feeds(ARTIST), story.log[known:])
        for screen, (area, drills) in places.items():
            found = feed(conn, area, PROFILE, drills=drills)
            assert found is not None
            told = json.loads(found.body)
            assert (told["area"], told["profile"], told["drills"]) == (area, PROFILE, drills)
            seq, etag = last.get(screen, (0, ""))
            assert found.seq >= seq, "a player would refuse it"
            assert found.etag == etag or found.seq > seq, "another feed under the same number"
            last[screen] = (found.seq, found.etag)
