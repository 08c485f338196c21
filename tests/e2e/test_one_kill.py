"""One kill -9 of a push worker with all slots busy: one slice at most is sent twice, and owned up to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.runtime import House
from tests.bench.stage import prepare, running_house
from tests.fire import FireHouse, summed, tell
from tests.processes import passable_folder
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SUBSCRIBERS, SLICE = 12_000, 500
LATENCY_MS = 250


@pytest.fixture
def house() -> Iterator[FireHouse]:
    # One process: every slice there is, in its five slots.
    with (
        passable_folder() as folder,
        running_house(Path(folder), BROADCASTER_PUSH_WORKERS="1") as settings,
    ):
        with House.open(settings) as opened:
            keys = prepare(opened, folder, SUBSCRIBERS)
        fire = FireHouse(settings, keys)
        yield fire
        fire.close()


def test_a_kill_with_five_busy_slots_costs_one_slice(house: FireHouse) -> None:
    house.fcm.behave(latency_ms=LATENCY_MS)
    alert = house.issue(channels=["push"])
    with House.open(house.settings) as opened, opened.pool.connection() as conn:
        conn.autocommit = True

        def busy() -> bool:
            row = conn.execute("SELECT count(*) FROM ledger").fetchone()
            return row == (5,) and house.fcm.received(alert) > SUBSCRIBERS // 4

        until(busy, seconds=60)
        house.kill("push")
        (in_doubt,) = conn.execute(
            "SELECT coalesce(sum(cardinality(sending)), 0)::int FROM ledger"
        ).fetchone() or (0,)
    books = until(lambda: house.settled(alert, 1), seconds=200)
    total, counted = summed(books, "push"), house.received("push")
    tell(**total, duplicates=counted["duplicates"], sending=in_doubt)
    assert total["accepted"] == counted["unique"] == total["audience"]
    assert 0 < total["unknown"] <= SLICE
    assert 0 < counted["duplicates"] <= total["unknown"]
