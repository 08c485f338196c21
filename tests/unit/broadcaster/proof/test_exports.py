"""What is handed out is in the log."""

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from broadcaster.cli.app import app
from broadcaster.runtime import House
from projections.audit.words import describe
from schemas.events import ExportMade
from tests.house import house


@pytest.fixture
def hanoi(city_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("BROADCASTER_DATABASE_URL", city_database)
    with house(city_database) as opened:
        yield opened


def test_the_log_that_was_printed_holds_that_it_was(hanoi: House) -> None:
    head = hanoi.log.head()
    printed = CliRunner().invoke(app, ["log", "export", "--by", "thanh.tra"])
    assert printed.exit_code == 0, printed.output
    last = json.loads(printed.stdout.splitlines()[-1])
    assert (last["position"], last["topic"], last["payload"]["upto"]) == (head + 1, "export.made", head)
    (found,) = hanoi.log.read(0, 10, [ExportMade.TOPIC])
    made = found.event
    assert isinstance(made, ExportMade)
    assert (made.what, made.form, made.by.account, made.by.body) == ("log", "jsonl", "thanh.tra", None)
    assert describe(made).en == "Exported the whole log as jsonl"


def test_who_asks_is_named_or_it_is_not_handed_out(hanoi: House) -> None:
    refused = CliRunner().invoke(app, ["log", "export", "--by", ""])
    assert refused.exit_code != 0
    assert refused.stdout == ""
    assert hanoi.log.read(0, 10, [ExportMade.TOPIC]) == []


def test_a_report_from_the_command_line_is_the_operators(hanoi: House) -> None:
    made = CliRunner().invoke(app, ["cadence", "report", "--from", "2024-07-01", "--level", "3"])
    assert made.exit_code == 0, made.output
    (found,) = hanoi.log.read(0, 10, [ExportMade.TOPIC])
    event = found.event
    assert isinstance(event, ExportMade)
    assert (event.what, event.form, event.by.account) == ("cadence_report", "json", "system:operator")
    assert event.filters["level"] == "3"
    assert event.upto == json.loads(made.stdout)["position"]
