"""The quota that workers share: never more in a minute, and always something left for an emergency."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from broadcaster.delivery.quota import BURST, QUOTAS_DDL, SharedQuota
from schemas.content import Lane

QUOTA, RESERVE = 600_000, 0.05


@pytest.fixture
def pool(database: str) -> Iterator[ConnectionPool[Any]]:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(QUOTAS_DDL)
    with ConnectionPool[Any](database, min_size=1, max_size=4) as pool:
        yield pool


def age(pool: ConnectionPool[Any], seconds: float) -> None:
    """As if so much time had passed."""
    with pool.connection() as conn:
        conn.execute("UPDATE quotas SET at = at - make_interval(secs => %s)", (seconds,))


def test_all_workers_together_keep_to_it(pool: ConnectionPool[Any]) -> None:
    workers = [SharedQuota(pool, "fcm", QUOTA, RESERVE) for _ in range(3)]

    def take(turn: int) -> float:
        return workers[turn % 3].take_now(500, Lane.ALERT)

    with ThreadPoolExecutor(3) as threads:
        waits = list(threads.map(take, range(300)))
    # 150,000 places: the burst at once, the rest no faster than the rate.
    rate = workers[0].rate
    assert max(waits) == pytest.approx((150_000 - BURST * QUOTA) / rate, abs=1.0)
    assert rate * 60 + QUOTA * (RESERVE + BURST) == pytest.approx(QUOTA)


def test_an_emergency_finds_its_reserve_behind_any_backlog(pool: ConnectionPool[Any]) -> None:
    quota = SharedQuota(pool, "fcm", QUOTA, RESERVE)
    quota.take_now(int(QUOTA * BURST), Lane.BULLETIN)
    assert quota.take_now(500, Lane.ALERT) > 0
    # It pays back what others took into the reserve, no more.
    waits = [quota.take_now(500, Lane.EMERGENCY) for _ in range(50)]
    assert max(waits) <= 0
    assert quota.take_now(10_000, Lane.EMERGENCY) > 0, "even that ends"
    assert quota.take_now(500, Lane.ALERT) > 3


def test_time_refills_it_to_the_brim_and_no_further(pool: ConnectionPool[Any]) -> None:
    quota = SharedQuota(pool, "fcm", QUOTA, RESERVE)
    assert quota.take_now(100_000, Lane.ALERT) == pytest.approx((100_000 - 3_000) / quota.rate, abs=0.5)
    age(pool, 3600)
    assert quota.take_now(3_000, Lane.ALERT) <= 0
    assert quota.take_now(1_000, Lane.ALERT) > 0
    age(pool, -3600)
    assert quota.take_now(1_000, Lane.ALERT) < 1, "a clock set back takes nothing away"


def test_other_names_are_other_quotas(pool: ConnectionPool[Any]) -> None:
    SharedQuota(pool, "one", 600, 0).take_now(600, Lane.ALERT)
    assert SharedQuota(pool, "two", 600, 0).take_now(1, Lane.ALERT) <= 0


def test_numbers_that_make_no_bucket(pool: ConnectionPool[Any]) -> None:
    for quota, reserve in ((0, 0.1), (10, 1.0), (10, -0.1)):
        with pytest.raises(ValueError, match="quota"):
            SharedQuota(pool, "x", quota, reserve)


def test_who_hears_that_it_is_spent_stops_all(pool: ConnectionPool[Any]) -> None:
    one, other = (SharedQuota(pool, "fcm", QUOTA, RESERVE) for _ in range(2))
    one.hold_now(30)
    for lane in Lane:
        assert other.take_now(500, lane) == pytest.approx(30, abs=2)
    one.hold_now(5)
    assert other.take_now(500, Lane.EMERGENCY) > 20, "a shorter wish shortens nothing"
    with pool.connection() as conn:
        conn.execute("UPDATE quotas SET held_until = clock_timestamp()")
    assert other.take_now(500, Lane.ALERT) <= 0, "what was not given was not taken"


def test_a_clock_set_back_ends_a_hold(pool: ConnectionPool[Any]) -> None:
    quota = SharedQuota(pool, "fcm", QUOTA, RESERVE)
    quota.hold_now(30)
    with pool.connection() as conn:
        conn.execute(
            "UPDATE quotas SET held_from = held_from + interval '1 h',"
            " held_until = held_until + interval '1 h'"
        )
    assert quota.take_now(500, Lane.ALERT) <= 0
