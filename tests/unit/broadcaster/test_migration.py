"""A newer program on an older database: nothing is lost, and no view is half one and half the other."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from broadcaster.runtime import House, clock
from tests.house import PHUC_XA, approver, author, content, house


@pytest.fixture
def hanoi(city_database: str) -> Iterator[House]:
    with house(city_database) as opened:
        yield opened


def follow(hanoi: House) -> None:
    # Twice: what one of them decides is for the others to follow.
    for each in (*hanoi.projections, *hanoi.projections):
        hanoi.follower(each).catch_up()


def issue(hanoi: House) -> None:
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, content(), at=clock()).id
    hanoi.alerts.submit(author(PHUC_XA), alert, at=clock())
    hanoi.alerts.approve(approver(PHUC_XA), alert, at=clock())
    hanoi.alerts.issue(author(PHUC_XA), alert, at=clock())


def rows(hanoi: House) -> dict[str, list[Any]]:
    with hanoi.pool.connection() as conn:
        return {
            table: sorted(conn.execute(f"SELECT * FROM {table}".encode()).fetchall(), key=repr)
            for each in hanoi.projections
            for table in each.tables
        }


def told(database: str, *words: str) -> tuple[int, str]:
    """What a command says, and its exit code."""
    ended = subprocess.run(
        [sys.executable, "-m", "broadcaster", *words],
        env=os.environ | {"BROADCASTER_DATABASE_URL": database, "BROADCASTER_PROVIDERS": "sandbox"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_a_view_of_another_shape_is_made_anew_and_the_others_are_not(hanoi: House) -> None:
    issue(hanoi)
    follow(hanoi)
    before = rows(hanoi)
    with hanoi.pool.connection() as conn:
        conn.execute("UPDATE projection_positions SET shape = 'older' WHERE name = 'board'")
        conn.execute("ALTER TABLE board_alerts DROP COLUMN reason")
    assert hanoi.migrate() == {"board": hanoi.log.head()}
    assert rows(hanoi) == before
    assert hanoi.migrate() == {}


def test_a_database_of_before_there_were_shapes_has_all_its_views_made_anew(hanoi: House) -> None:
    issue(hanoi)
    follow(hanoi)
    before, head = rows(hanoi), hanoi.log.head()
    with hanoi.pool.connection() as conn:
        conn.execute("ALTER TABLE projection_positions DROP COLUMN shape")
    assert hanoi.migrate() == dict.fromkeys((each.name for each in hanoi.projections), head)
    assert rows(hanoi) == before
    assert hanoi.log.head() == head


def test_it_says_so_on_the_command_line(hanoi: House, city_database: str) -> None:
    follow(hanoi)
    with hanoi.pool.connection() as conn:
        conn.execute("UPDATE projection_positions SET shape = 'older' WHERE name = 'audit'")
    code, said = told(city_database, "status")
    waiting = [line for line in said.splitlines() if "run broadcaster migrate" in line]
    assert (code, [line.split()[0] for line in waiting]) == (0, ["audit"])
    code, said = told(city_database, "migrate")
    assert code == 0
    assert f"audit was of another shape: made anew up to position {hanoi.log.head()}" in said
    assert "WAITS" not in told(city_database, "status")[1]


def test_a_database_that_is_too_old_for_a_command_is_one_line(hanoi: House, city_database: str) -> None:
    with hanoi.pool.connection() as conn:
        conn.execute("ALTER TABLE projection_positions DROP COLUMN shape")
    code, said = told(city_database, "status")
    expected = "broadcaster: the database of this house is of an older version: run broadcaster migrate\n"
    assert (code, said) == (2, expected)


def test_a_user_of_the_database_without_rights_is_one_line(hanoi: House, city_database: str) -> None:
    role = f"reader_{uuid4().hex}"
    with hanoi.pool.connection() as conn:
        conn.execute(f"CREATE ROLE {role} LOGIN".encode())
    code, said = told(city_database.replace("//broadcaster@", f"//{role}@"), "status")
    with hanoi.pool.connection() as conn:
        conn.execute(f"DROP ROLE {role}".encode())
    assert (code, said.count("\n")) == (2, 1)
    assert said.startswith("broadcaster: the database does not let its user do that: permission denied for")
