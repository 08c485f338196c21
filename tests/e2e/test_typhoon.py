"""A typhoon week: bodies of three levels, people who move, a house that is shaken; reckoned from outside.

`TYPHOON=315x4000` makes it as large as the week of September 2024 was, `TYPHOON_SEED` makes it another.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.stage import running_house
from tests.fire import tell
from tests.processes import passable_folder
from tests.typhoon.reckoning import Reckoning
from tests.typhoon.town import Town
from tests.typhoon.week import Size, Week, bodies

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SEED = int(os.environ.get("TYPHOON_SEED", "20240907"))


def size() -> Size:
    """As asked for, or what a test run has the time for."""
    asked = os.environ.get("TYPHOON")
    if asked is None:
        return Size()
    bulletins, people = map(int, asked.split("x"))
    return replace(Size(), bulletins=bulletins, people=people, beats=max(9, bulletins // 18), screens=40)


@pytest.fixture
def week() -> Iterator[Week]:
    with passable_folder() as folder, running_house(Path(folder), BROADCASTER_SMS_RATE="5000") as settings:
        town = Town(settings, bodies())
        town.furnish(("approver@ubnd-001", "approver@ubnd-tp"))
        made = Week(town, size(), SEED)
        try:
            yield made
        finally:
            made.close()
            town.close()


def test_a_typhoon_week_as_its_users_see_it(week: Week, tmp_path: Path) -> None:
    week.prepare()
    week.play()
    reckoning = Reckoning(week)
    reckoning.settle()
    wrong = [*reckoning.all(), *reckoning.proof(tmp_path)]
    tell(**reckoning.figures, reorganised=week.log, bulletins=len(week.oracle.alerts))
    for each in wrong:
        tell(wrong=each)
    assert not wrong
