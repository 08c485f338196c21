"""The log is told of each key's end, by whom and why, if and only if the key ended."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg.errors import UniqueViolation
from psycopg_pool import ConnectionPool
from typer.testing import CliRunner

from broadcaster.accounts.sealing import Sealer
from broadcaster.cli.app import app
from broadcaster.keys import OVERLAP, Keys
from broadcaster.keys.rows import KEYS_DDL, KeyKind
from broadcaster.log import LOG_DDL, AlertLog
from schemas.events import Actor, KeyEnded, KeyMade, KeyRevoked
from schemas.ids import key_stream
from tests.house import house

AT = datetime(2024, 7, 10, 2, 0, tzinfo=UTC)
OPERATOR = Actor(account="system:operator")
CLOCK = Actor(account="system:timekeeper")
SCREEN = "screen:7d3f0c1e-0000-4000-8000-000000000001"


@pytest.fixture(name="pool")
def _pool(database: str) -> Iterator[ConnectionPool[Any]]:
    with ConnectionPool[Any](database, min_size=1, max_size=3, open=False) as pool:
        with pool.connection() as conn:
            conn.execute(LOG_DDL.encode())
            conn.execute(KEYS_DDL)
        yield pool


def keys_of(pool: ConnectionPool[Any]) -> tuple[Keys, AlertLog]:
    log = AlertLog(pool)
    return Keys(pool, Sealer(lambda: b"s" * 32), log=log), log


def rotated(keys: Keys, pool: ConnectionPool[Any], former: str, at: datetime) -> tuple[str, str]:
    with pool.connection() as conn:
        return keys.rotate_in(conn, SCREEN, former, at)


def told(log: AlertLog) -> list[tuple[str, str, str]]:
    """Of each end: the key, why, and by whom."""
    ends: list[tuple[str, str, str]] = []
    for recorded in log.everything():
        event = recorded.event
        assert isinstance(event, KeyEnded | KeyRevoked)
        assert event.originator_id == key_stream(event.key_id)
        why = event.cause if isinstance(event, KeyEnded) else "revoked"
        ends.append((event.key_id, why, event.by.account))
    return ends


def test_a_revocation_says_whose_key_and_by_whom(pool: ConnectionPool[Any]) -> None:
    keys, log = keys_of(pool)
    key_id, _ = keys.create("tram", "ubnd-00001", KeyKind.STAFF, AT)
    assert log.head() == 0
    assert keys.revoke(key_id, AT, by=OPERATOR)
    assert not keys.revoke(key_id, AT, by=OPERATOR)
    assert not keys.revoke("none", AT, by=OPERATOR)
    (recorded,) = log.everything()
    assert isinstance(recorded.event, KeyRevoked)
    assert (recorded.event.account, recorded.event.body) == ("tram", "ubnd-00001")
    assert told(log) == [(key_id, "revoked", "system:operator")]


def test_a_key_that_runs_out_is_ended_by_the_clock(pool: ConnectionPool[Any]) -> None:
    keys, log = keys_of(pool)
    former, _ = keys.create(SCREEN, None, KeyKind.SCREEN, AT)
    rotated(keys, pool, former, AT)
    assert keys.end_due(AT + OVERLAP - timedelta(seconds=1), CLOCK) == 0
    assert told(log) == []
    assert keys.end_due(AT + OVERLAP, CLOCK) == 1
    assert keys.end_due(AT + OVERLAP, CLOCK) == 0
    assert told(log) == [(former, "expired", "system:timekeeper")]


def test_the_first_use_of_the_next_key_ends_the_former(pool: ConnectionPool[Any]) -> None:
    keys, log = keys_of(pool)
    former, _ = keys.create(SCREEN, None, KeyKind.SCREEN, AT)
    _, text = rotated(keys, pool, former, AT)
    assert keys.find(text, AT)
    assert keys.find(text, AT)
    assert told(log) == [(former, "superseded", SCREEN)]


def test_a_key_that_was_lost_on_the_way_is_ended_by_the_next(pool: ConnectionPool[Any]) -> None:
    keys, log = keys_of(pool)
    former, _ = keys.create(SCREEN, None, KeyKind.SCREEN, AT)
    lost, _ = rotated(keys, pool, former, AT)
    rotated(keys, pool, former, AT)
    assert told(log) == [(lost, "unused", SCREEN)]


def test_keys_that_are_given_anew_end_by_who_asked(pool: ConnectionPool[Any]) -> None:
    keys, log = keys_of(pool)
    made = {keys.create(SCREEN, None, KeyKind.SCREEN, AT)[0] for _ in range(2)}
    assert keys.replace_account(SCREEN, AT, by=OPERATOR) == 2
    assert {(each, "unused", "system:operator") for each in made} == set(told(log))


def test_a_key_lives_where_the_log_was_not_told(pool: ConnectionPool[Any]) -> None:
    keys, log = keys_of(pool)
    key_id, text = keys.create("tram", "ubnd-00001", KeyKind.STAFF, AT)
    taken = KeyRevoked(
        originator_id=key_stream(key_id),
        originator_version=1,
        by=OPERATOR,
        key_id=key_id,
        account="tram",
        body="ubnd-00001",
    )
    log.append([taken], at=AT)
    with pytest.raises(UniqueViolation):
        keys.revoke(key_id, AT, by=OPERATOR)
    assert keys.find(text)
    assert log.head() == 1


def test_the_operator_is_named_in_the_log(
    city_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROADCASTER_DATABASE_URL", city_database)
    monkeypatch.setenv("BROADCASTER_DATA", str(tmp_path))
    created = ["keys", "create", "--account", "tram", "--body", "ubnd-00001", "--role", "author"]
    text = CliRunner().invoke(app, created).stdout.strip()
    key_id = text.split("_")[1]
    revoked = CliRunner().invoke(app, ["keys", "revoke", key_id, "--by", "an@so-tttt"])
    assert (revoked.exit_code, revoked.stdout) == (0, f"{key_id} is revoked\n")
    again = CliRunner().invoke(app, ["keys", "revoke", key_id])
    assert (again.exit_code, str(again.exception)) == (1, f"no live key {key_id}")
    with house(city_database) as opened:
        event = list(opened.log.everything())[-1].event
    assert isinstance(event, KeyRevoked)
    assert (event.by, event.key_id, event.account, event.body) == (
        Actor(account="an@so-tttt"),
        key_id,
        "tram",
        "ubnd-00001",
    )


def test_the_key_of_an_apps_server_is_told_of_from_its_making_to_its_end(
    city_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROADCASTER_DATABASE_URL", city_database)
    monkeypatch.setenv("BROADCASTER_DATA", str(tmp_path))
    made = CliRunner().invoke(app, ["keys", "app", "ihanoi", "--by", "an@so-tttt"])
    key_id = made.stdout.strip().split("_")[1]
    CliRunner().invoke(app, ["keys", "revoke", key_id])
    with house(city_database) as opened:
        begun, ended = [recorded.event for recorded in opened.log.everything()][-2:]
    assert isinstance(begun, KeyMade)
    assert (begun.key_id, begun.account, begun.by.account) == (key_id, "app:ihanoi", "an@so-tttt")
    assert isinstance(ended, KeyRevoked)
    assert ended.key_id == key_id
