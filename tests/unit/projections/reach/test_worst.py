"""Where an alert missed most: every page against a plain sort of the whole table."""

from collections.abc import Generator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from projections.reach.areas import AREAS_DDL
from projections.reach.view import AreaReach, areas_of_alert
from projections.reach.worst import worst
from schemas.content import Channel

COUNTS = st.lists(st.integers(0, 3), min_size=7, max_size=7)
PLACES = st.sampled_from(["00001", "00004", "00006", "10120", "01"])
ROWS = st.dictionaries(
    st.tuples(st.integers(1, 2), st.sampled_from([Channel.PUSH, Channel.SMS]), PLACES), COUNTS, max_size=12
)


@pytest.fixture(name="conn")
def _conn(database: str) -> Generator[Connection[Any]]:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(AREAS_DDL)  # type: ignore[arg-type]  # a constant
        yield conn


def missed(row: AreaReach) -> int:
    return row.totals.final - row.totals.accepted


def order(row: AreaReach) -> tuple[int, int, str, str]:
    return -missed(row), -row.totals.in_flight, row.area, row.channel


def write(conn: Connection[Any], alert: UUID, rows: dict[tuple[int, Channel, str], list[int]]) -> None:
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO reach_areas VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [(alert, version, channel.value, area, *n) for (version, channel, area), n in rows.items()],
        )


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)
@given(
    rows=ROWS,
    asked=st.tuples(
        st.none() | st.sets(PLACES), st.sampled_from([None, Channel.PUSH, Channel.SMS]), st.booleans()
    ),
    size=st.integers(1, 5),
)
def test_the_pages_are_the_table(
    conn: Connection[Any],
    rows: dict[tuple[int, Channel, str], list[int]],
    asked: tuple[set[str] | None, Channel | None, bool],
    size: int,
) -> None:
    (areas, channel, only), alert, other = asked, uuid4(), uuid4()
    write(conn, alert, rows)
    write(conn, other, {(9, Channel.PUSH, "00001"): [1] * 7})
    every = areas_of_alert(conn, alert)
    last = max((row.version for row in every), default=0)
    wide = [
        row
        for row in every
        if row.version == last
        and (areas is None or row.area in areas)
        and (channel is None or row.channel is channel)
    ]
    wanted = sorted((row for row in wide if missed(row) or not only), key=order)
    found: list[AreaReach] = []
    for offset in range(0, len(wanted) + size, size):
        page = worst(conn, alert, limit=size, offset=offset, areas=areas, channel=channel, missed=only)
        assert len(page.rows) <= size
        assert page.lines == len(wanted)
        assert page.places == len({row.area for row in wide if missed(row)})
        found += page.rows
    assert found == wanted
