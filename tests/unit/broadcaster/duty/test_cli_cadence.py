"""`broadcaster cadence`, against the scanner and against the tale."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from broadcaster.cli.app import app
from broadcaster.engines.embedded import PostgresServer
from broadcaster.proof.chain import instant as written
from broadcaster.runtime import House
from projections.cadence.rule import State
from tests.house import house
from tests.unit.broadcaster.duty.past import lived, remember, tale
from tests.unit.projections.cadence.histories import END, History, histories, instant
from tests.unit.projections.cadence.test_standing import stand


def run(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["cadence", *arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


@pytest.fixture(scope="module")
def past(postgres: PostgresServer) -> Iterator[House]:
    name = "cadence_cli"
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
    with house(postgres.url_of(name)) as opened:
        opened.migrate()
        yield opened


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=histories(), minute=st.integers(0, END - 1))
def test_the_command_says_what_the_scanner_saw(past: House, history: History, minute: int) -> None:
    with past.pool.connection() as conn:
        conn.execute("TRUNCATE events, projection_positions, cadence_facts, cadence_sends")
    remember(past, history.log)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BROADCASTER_DATABASE_URL", past.settings.database_url.get_secret_value())  # type: ignore[union-attr]
        patch.setenv("BROADCASTER_CADENCE_READING", history.reading)
        for at in {minute, *(thing.minute for thing in history.things[:3])}:
            told = {line["body"]: line for line in run("--as-of", written(instant(at)), "--json")}
            for body in ("a", "b", "c"):
                seen = history.states(body)[at]
                assert (seen == "none") == (body not in told)
                if body in told:
                    state = told[body]["state"]
                    assert seen == ("ok" if state == State.DUE_SOON else state)
                    truth = stand(history.log, body, instant(at), history.reading)
                    assert truth
                    assert told[body]["due_at"] == (truth.due_at and written(truth.due_at))
                    since = truth.overdue_since and written(truth.overdue_since)
                    assert told[body]["overdue_since"] == since


@pytest.fixture
def told(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[House]:
    monkeypatch.setenv("BROADCASTER_DATABASE_URL", database)
    monkeypatch.setenv("BROADCASTER_DATA", str(tmp_path))
    with lived(database, tale().log, data=tmp_path) as opened:
        yield opened


AT = "2024-07-12T00:00:00+07:00"


def test_bodies_are_listed_and_narrowed(told: House) -> None:
    assert told
    every = run("--as-of", AT, "--json")
    assert [(line["body"], line["state"]) for line in every] == [
        ("ubnd-00001", "overdue"),
        ("ubnd-001", "due_soon"),
        ("so-y-te", "ok"),
    ]
    assert list(every[0])[:2] == ["body", "name"]
    assert {"body", "level", "state", "last_item", "last_issued_at", "due_at", "overdue_since"} <= set(
        every[0]
    )
    assert [line["body"] for line in run("--as-of", AT, "--overdue", "--json")] == ["ubnd-00001"]
    assert [line["body"] for line in run("--as-of", AT, "--level", "1", "--json")] == ["so-y-te"]
    run("--as-of", "soon", code=1)


def test_one_body_is_explained(told: House) -> None:
    assert told
    (story,) = run("explain", "ubnd-001", "--as-of", AT, "--json")
    assert [(item["counts"], item["why"]) for item in story["items"]] == [
        (True, "counts"),
        (False, "taken_back"),
        (True, "counts"),
    ]
    assert [(gap["since"], gap["ended_by"]) for gap in story["breaches"]] == [
        (written(instant(4 * 24 * 60)), "item")
    ]
    assert [window["item"] is not None for window in story["windows"]].count(False) == 5
    run("explain", "nobody", code=1)


def test_other_terms_are_tried(told: House, tmp_path: Path) -> None:
    assert told
    file = tmp_path / "policy.json"
    file.write_text('{"reading": "rolling", "interval_days": 1, "owes": [{"level": 1}]}')
    (found,) = run(
        "simulate", "--policy", str(file), "--from", "2024-07-01", "--to", "2024-07-12", "--json"
    )
    assert found["body"] == "so-y-te"
    assert found["actual"]["overdue_seconds"] == 0
    assert len(found["gaps"]) == 5
    file.write_text('{"interval_days": 0}')
    run("simulate", "--policy", str(file), code=1)


def test_the_operator_sets_terms_and_lets_bodies_off(told: House, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text('{"owes": [{"level": 2}, {"level": 3}]}')
    run("policy", str(file), "--reason", "Thông báo 12")
    made = CliRunner().invoke(app, ["cadence", "exempt", "ubnd-001", "--reason", "Trụ sở ngập"])
    assert made.exit_code == 0
    assert {line["body"]: line["state"] for line in run("--json")} == {
        "ubnd-001": "exempt",
        "ubnd-00001": "overdue",
    }
    run("end-exemption", "ubnd-001", made.stdout.strip())
    assert {line["state"] for line in run("--json", "--level", "2")} == {"ok"}
    run("end-exemption", "ubnd-001", made.stdout.strip(), code=1)
    assert [event.TOPIC for _, _, event in told.log.read(told.log.head() - 4, 10)][-3:] == [
        "cadence.exempted",
        "cadence.exemption_ended",
        "attempt.refused",
    ]
