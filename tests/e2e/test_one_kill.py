"""One kill -9 of a push worker with all slots busy: one slice at most is sent twice, and owned up to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from broadcaster.delivery.noted import unpacked
from broadcaster.runtime import House
from tests.bench.stage import prepare, running_house
from tests.fire import FireHouse, summed, tell
from tests.processes import passable_folder
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SUBSCRIBERS, SLICE = 12_000, 500
SLOTS = 5
LATENCY_MS = 250
SILENT_MS = 8_000
"""Shorter than the worker's own patience, which is 10 s."""


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
            return row == (SLOTS,) and house.fcm.received(alert) > SUBSCRIBERS // 4

        until(busy)
        # Whoever is sent to from here has no answer yet at the kill, whatever moment that is.
        house.fcm.behave(latency_ms=SILENT_MS)
        until(lambda: house.fcm.count()["waiting"] > SLICE // 2)
        house.kill("push")
        in_doubt = doubt(conn)
    house.fcm.behave(latency_ms=LATENCY_MS)
    books = until(lambda: house.settled(alert, 1), seconds=200)
    total, counted = summed(books, "push"), house.received("push")
    tell(**total, duplicates=counted["duplicates"], sending=in_doubt)
    assert total["accepted"] == counted["unique"] == total["audience"]
    assert 0 < total["unknown"] <= SLICE
    assert 0 < counted["duplicates"] <= total["unknown"]


def doubt(conn: Connection[Any]) -> int:
    """How many the ledger has as being sent to, and without an answer."""
    rows = conn.execute("SELECT noted, sending FROM ledger").fetchall()
    return sum(len(set(sending) - {result.rank for result in unpacked(noted)}) for noted, sending in rows)
