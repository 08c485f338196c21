"""Which areas a screen stands in, edition by edition."""

from datetime import UTC, datetime, timedelta

import pytest

from projections.feeds.places import NOWHERE, Places
from schemas.areas import Area, Succession
from schemas.events import AreaRegisterAdopted
from tests.unit.projections.story import AREAS_2020, AREAS_2025, CITY, Story

OLD, NEW = "2020-03-01", "2025-07-01"
CHANGE = datetime(2025, 6, 30, 17, tzinfo=UTC)
"""Midnight of 1 July 2025 in Hanoi."""


@pytest.fixture
def places() -> Places:
    story = Story()
    story.adopt(OLD, AREAS_2020)
    story.adopt(NEW, AREAS_2025)
    found = Places()
    for recorded in story.log:
        assert isinstance(recorded.event, AreaRegisterAdopted)
        found.adopt(recorded.event)
    return found


def test_a_screen_stands_in_its_area_and_all_above(places: Places) -> None:
    assert places.above("00001", OLD, OLD) == ["00001", "001", "01"]
    assert places.above("001", OLD, OLD) == ["001", "01"]
    assert places.above("01", OLD, OLD) == ["01"]


def test_a_code_given_to_another_place_is_not_the_same_area(places: Places) -> None:
    assert places.above("00004", OLD, NEW) == ["01"]
    assert places.above("00004", NEW, OLD) == ["01"]
    assert places.above("00049", OLD, NEW) == ["00049", "01"]
    assert places.above("00049", NEW, OLD) == ["00049", "002", "01"]


def test_a_renamed_area_still_hangs_below_its_district(places: Places) -> None:
    story = Story()
    renamed = Area(code="00001", name="Phường Phúc Tân", kind="phuong", level=3, parent_code="001")
    story.adopt("2025-01-01", (*(area for area in AREAS_2020 if area.code != "00001"), renamed))
    event = story.log[0].event
    assert isinstance(event, AreaRegisterAdopted)
    places.adopt(event)
    assert places.above("00001", OLD, "2025-01-01") == ["001", "01"]


def test_spelling_of_accents_makes_no_other_place() -> None:
    found = Places()
    for edition, name in ((OLD, "Phường Yên Hoà"), (NEW, "Phường Yên Hòa")):
        story = Story()
        story.adopt(
            edition, (CITY, Area(code="00175", name=name, kind="phuong", level=3, parent_code="01"))
        )
        event = story.log[0].event
        assert isinstance(event, AreaRegisterAdopted)
        found.adopt(event)
    assert found.above("00175", OLD, NEW) == ["00175", "01"]


def test_an_edition_names_areas_from_its_date_in_hanoi(places: Places) -> None:
    assert places.home("00004", CHANGE - timedelta(seconds=1)) == OLD
    assert places.home("00004", CHANGE) == NEW
    # No longer in the register: the edition that had it is meant.
    assert places.home("001", CHANGE) == OLD
    assert places.home("00049", datetime(2019, 1, 1, tzinfo=UTC)) == NEW
    assert places.home("99999", CHANGE) == NOWHERE


def test_an_area_that_nobody_knows_is_nowhere(places: Places) -> None:
    assert places.above("99999", NOWHERE, OLD) == []
    assert places.above("99999", OLD, OLD) == []
    assert places.above("00001", OLD, "1999-01-01") == []


def test_a_moved_screen_still_shows_what_was_told_to_where_it_stood() -> None:
    story = Story()
    story.adopt(OLD, AREAS_2020)
    story.adopt(NEW, AREAS_2025)
    old, new = (recorded.event for recorded in story.log)
    assert isinstance(old, AreaRegisterAdopted)
    assert isinstance(new, AreaRegisterAdopted)
    # What was 00001 lives in the new 00004 now; the old 00004 gave it land without people.
    told = [("00001", "00004", "whole"), ("00004", "00004", "area_only"), ("00004", "00049", "part")]
    said = tuple(Succession(old_code=a, new_code=b, coverage=c) for a, b, c in told)  # type: ignore[arg-type]
    places = Places()
    places.adopt(old)
    places.adopt(new.model_copy(update={"successions": said}))
    assert places.above("00004", NEW, OLD) == ["00001", "001", "01"]
    assert set(places.above("00049", NEW, OLD)) == {"00004", "001", "00049", "002", "01"}
    assert places.above("00004", NEW, NEW) == ["00004", "01"]
