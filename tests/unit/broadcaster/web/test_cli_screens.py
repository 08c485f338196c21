"""`broadcaster screens`: the same commands, with the same authority, from the command line."""

from uuid import uuid4

import pytest
from typer.testing import CliRunner

from broadcaster.cli.app import app
from broadcaster.web.feeds.polls import FEED_PATH
from tests.unit.broadcaster.web.conftest import Built
from tests.unit.broadcaster.web.town import PHUC_XA, Client, Town

WHO = ("--account", "hoa", "--body", PHUC_XA)


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["screens", *words])
    assert result.exit_code == code, f"{result.output}{result.exception}"
    return result.output.strip()


def test_groups_settings_tests_and_exclusions(
    town: Town, built: Built, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("BROADCASTER_DATABASE_URL", built.url)
    monkeypatch.setenv("BROADCASTER_DATA", str(tmp_path))
    place = {"name": "A", "area": "00001", "profile": "m96x32-1"}
    made = town.client("hoa").post("/v1/screens", place).raise_for_status().json()
    screen, screen_id = Client(town.app, made["key"]), made["screen_id"]
    alert_id = town.issue()
    group_id = run("make-group", "Chợ", *WHO)
    assert run("change-group", group_id, "--add", screen_id, *WHO) == "Chợ: 1 screens"
    assert run("groups") == f"{group_id} {PHUC_XA} 1 Chợ"
    run("set", "--group", group_id, "--brightness", "30", "--quiet", "22:00-05:00", *WHO)
    run("test-pattern", screen_id, "--seconds", "0", *WHO)
    run("exclude", alert_id, "--account", "minh", "--reason", "Đang sửa", "--group", group_id)
    town.catch_up()
    told = screen.get(FEED_PATH).json()
    assert (told["items"], told["display"]["brightness"]) == ([], 30)
    run("readmit", alert_id, "--account", "minh", "--group", group_id)
    town.catch_up()
    assert len(screen.get(FEED_PATH).json()["items"]) == 1
    run("retire-group", group_id, *WHO)
    assert run("groups") == ""
    # Whoever may not, may not here either; and nothing half-said is taken.
    run("exclude", alert_id, "--account", "lan", "--reason", "x", "--screen", screen_id, code=1)
    run("exclude", alert_id, "--account", "minh", "--reason", "x", code=1)
    run("set", "--screen", screen_id, "--quiet", "22:00", *WHO, code=1)
    run("set", *WHO, code=1)
    run("test-pattern", str(uuid4()), *WHO, code=1)
