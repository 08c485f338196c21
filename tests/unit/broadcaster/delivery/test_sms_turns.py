"""A carrier's rate, shared by all workers: never above it, and an emergency never behind a crowd."""

import asyncio
from collections.abc import Iterator
from time import monotonic
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from broadcaster.delivery.quota import QUOTAS_DDL
from broadcaster.delivery.sms_turns import FULL, SharedTurns
from schemas.content import Lane
from tests.waiting import PATIENCE

SLOW = 0.01
"""Places a second: so few that none comes while a test takes its time. The bucket holds two."""


@pytest.fixture
def pool(database: str) -> Iterator[ConnectionPool[Any]]:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(QUOTAS_DDL)
    with ConnectionPool[Any](database, min_size=1, max_size=4) as pool:
        yield pool


def drained(turns: SharedTurns, lane: Lane) -> int:
    """How many places are there at this moment."""
    found = 0
    while places := turns.take(lane).places:
        found += places
    return found


def age(pool: ConnectionPool[Any], seconds: float) -> None:
    with pool.connection() as conn:
        conn.execute("UPDATE quotas SET at = at - make_interval(secs => %s)", (seconds,))


def test_an_emergency_finds_places_behind_any_crowd(pool: ConnectionPool[Any]) -> None:
    one, other = (SharedTurns(pool, "sms:a", SLOW) for _ in range(2))
    assert drained(one, Lane.ALERT) + drained(other, Lane.BULLETIN) == 1
    assert other.take(Lane.ALERT).wait > 0
    assert drained(other, Lane.EMERGENCY) == 1
    # While it goes on, the others wait: the whole rate is its own.
    for _ in range(5):
        age(pool, 1.01 / SLOW)
        assert one.take(Lane.ALERT).places == 0
        assert other.take(Lane.EMERGENCY).places == 1


def test_all_together_keep_to_the_rate(pool: ConnectionPool[Any]) -> None:
    rate, parts = 200.0, 120
    workers = [SharedTurns(pool, "sms:a", rate) for _ in range(3)]

    async def crowd() -> float:
        began = monotonic()
        await asyncio.gather(*(workers[n % 3].turn(Lane.ALERT) for n in range(parts)))
        return monotonic() - began

    assert asyncio.run(crowd()) >= (parts - rate * FULL) / rate - 0.02


def test_a_throttled_worker_stops_all(pool: ConnectionPool[Any]) -> None:
    one, other = (SharedTurns(pool, "sms:a", 1000) for _ in range(2))
    assert one.take(Lane.ALERT).places > 0
    asyncio.run(one.hold(600))
    for lane in Lane:
        taken = other.take(lane)
        assert (taken.places, taken.wait) == (0, pytest.approx(600, abs=PATIENCE))
    with pool.connection() as conn:
        conn.execute("UPDATE quotas SET held_until = clock_timestamp()")
    age(pool, 1)
    assert other.take(Lane.ALERT).places > 0


def test_carriers_have_rates_of_their_own(pool: ConnectionPool[Any]) -> None:
    assert drained(SharedTurns(pool, "sms:a", SLOW), Lane.EMERGENCY) == 2
    assert drained(SharedTurns(pool, "sms:b", SLOW), Lane.EMERGENCY) == 2


def test_without_the_database_each_keeps_the_rate(database: str) -> None:
    with ConnectionPool[Any](database, min_size=1, max_size=1) as pool:
        turns = SharedTurns(pool, "sms:a", 100)  # the table is missing

        async def three() -> None:
            for _ in range(3):
                await turns.turn(Lane.ALERT)

        asyncio.run(asyncio.wait_for(three(), PATIENCE))


def test_a_clock_set_back_refunds_nothing_and_holds_nobody(pool: ConnectionPool[Any]) -> None:
    turns = SharedTurns(pool, "sms:a", SLOW)
    drained(turns, Lane.EMERGENCY)
    age(pool, -3600)
    assert turns.take(Lane.EMERGENCY).places == 0
    age(pool, 1.01 / SLOW)
    assert turns.take(Lane.EMERGENCY).places == 1, "it goes on from where the clock is now"
