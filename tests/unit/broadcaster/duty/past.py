"""A house whose log holds a told past, for tests of what is read from it."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from broadcaster.runtime import House
from schemas.events import Recorded
from tests.house import house
from tests.unit.projections.cadence.histories import END, START, instant
from tests.unit.projections.story import Story

__all__ = ["END", "START", "instant", "lived", "remember", "tale"]


def remember(opened: House, log: Sequence[Recorded]) -> None:
    """Appends what was recorded, each at its instant."""
    for _, at, event in log:
        opened.log.append([event], at=at)


@contextmanager
def lived(database: str, log: Sequence[Recorded], **settings: Any) -> Generator[House]:
    """A house on an empty database, with the past in its log."""
    with house(database, **settings) as opened:
        opened.migrate()
        remember(opened, log)
        opened.follower(opened.projection("cadence")).catch_up()
        yield opened


def tale(days: int = 12) -> Story:
    """Three bodies: one that keeps the duty, one that broke it and was cured, one that never issued."""
    story = Story(at=START)
    story.body("so-y-te", 1, name="=Sở Y tế")
    story.body("ubnd-001", 2, parent="so-y-te")
    story.body("ubnd-00001", 3, parent="ubnd-001")
    story.at = instant(60)
    story.issue("ubnd-001")
    for day in range(days):
        story.at = instant(day * 24 * 60 + 9 * 60)
        if day % 2 == 0:
            story.issue("so-y-te", texts={"vi": {"headline": "Tin <b>&", "description": "x"}})
        if day == 7:
            mistake = story.issue("ubnd-001")
            story.cancel(mistake, in_error=True)
        if day == 8:
            story.issue("ubnd-001")
    return story
