"""What strangers and the forsaken hold does not hold the house."""

import time
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from broadcaster.log import AlertLog
from broadcaster.process.pooled import bounded
from projections.page import transient
from schemas.events import AttemptRefused, Event
from tests.house import PHUC_XA, author, house

AT = datetime(2026, 10, 1, 8, tzinfo=UTC)


def event() -> Event:
    """The first of a stream of its own."""
    return AttemptRefused(
        originator_id=uuid4(),
        originator_version=1,
        by=author(PHUC_XA),
        command="x",
        rule="alert.state",
        detail="",
    )


@pytest.fixture(name="forsaking")
def _forsaking(city_database: str) -> Generator[ConnectionPool[Any]]:
    with ConnectionPool[Any](
        city_database, min_size=1, open=False, configure=bounded(forsaken=0.3)
    ) as pool:
        yield pool


def test_who_serves_people_waits_for_a_strangers_lock_but_a_moment(city_database: str) -> None:
    with psycopg.connect(city_database) as stranger, house(city_database, check=True) as opened:
        stranger.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError):
            opened.log.append([event()], at=AT)
        assert time.monotonic() - began < 15
        stranger.rollback()
        assert opened.log.append([event()], at=AT)  # nothing is left of the one that gave up


def test_an_append_whose_process_is_silent_lets_the_log_go(
    city_database: str, forsaking: ConnectionPool[Any]
) -> None:
    log = AlertLog(forsaking)
    silent = forsaking.getconn()
    log.append_in(silent.cursor(), [event()], AT)  # and its machine loses its power
    with ConnectionPool[Any](city_database, min_size=1, open=False) as others, others.connection() as conn:
        conn.execute("SET statement_timeout = '10s'")
        AlertLog(others).append_in(conn.cursor(), [event()], AT)
    with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout) as ended:
        silent.execute("SELECT 1")
    assert transient(ended.value)  # no event's fault: a follower tries its page again
    forsaking.putconn(silent)


def test_every_connection_of_a_house_is_bounded(city_database: str) -> None:
    for check, lock in ((False, "0"), (True, "5s")):
        with house(city_database, check=check) as opened, opened.pool.connection() as conn:
            assert conn.execute("SHOW idle_in_transaction_session_timeout").fetchone() == ("1min",)
            assert conn.execute("SHOW lock_timeout").fetchone() == (lock,)
