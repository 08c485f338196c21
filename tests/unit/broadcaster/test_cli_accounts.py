"""`broadcaster accounts managers`: how a new house gets the two people who let in all others."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from broadcaster.account import Role
from broadcaster.accounts.codes import new_secret
from broadcaster.cli.app import app
from broadcaster.runtime import clock
from schemas.events import RoleGranted
from tests.house import house


def run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["accounts", *words])
    said = result.stderr or (str(result.exception) if result.exception else "")
    return result.exit_code, result.stdout, said


def test_the_first_two_managers(
    city_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROADCASTER_DATABASE_URL", city_database)
    monkeypatch.setenv("BROADCASTER_DATA", str(tmp_path))
    for wrong in (["an"], ["an", "an"], ["an", "binh", "chi"], ["an", "x:y"]):
        code, told, said = run("managers", *wrong)
        assert (code != 0, told) == (True, ""), wrong
        assert said
    code, told, _ = run("managers", "an", "binh")
    assert code == 0
    lines = [line.split() for line in told.splitlines()]
    assert [name for name, _ in lines] == ["an", "binh"]
    assert all("/console/welcome/" in link for _, link in lines)
    # A link that was lost is made anew; a third manager is for these two to let in.
    assert run("managers", "an", "binh")[0] == 0
    assert run("managers", "chi", "dung")[0] != 0
    with house(city_database) as opened:
        assert set(opened.access.index.managers("ubnd-tp")) == {"an", "binh"}
        told_events = [each.event for each in opened.log.everything()]
        granted = [each for each in told_events if isinstance(each, RoleGranted) and each.body == "ubnd-tp"]
        assert {(each.by.account, each.role) for each in granted} == {("system:setup", Role.MANAGER)}
        assert len(granted) == 2


def test_a_key_ends_with_the_account_that_is_closed(
    city_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROADCASTER_DATABASE_URL", city_database)
    monkeypatch.setenv("BROADCASTER_DATA", str(tmp_path))
    with house(city_database) as opened:
        opened.desk.accounts.create("lan", "correct horse battery", new_secret(), "system:setup", clock())
    make = ["keys", "create", "--account", "lan", "--body", "ubnd-00001", "--role", "author"]
    key = CliRunner().invoke(app, make).stdout.strip()
    assert run("close", "lan")[1] == "lan is closed; 0 sessions and 1 keys ended\n"
    with house(city_database) as opened:
        assert opened.keys.find(key, clock()) is None
    assert "was closed" in str(CliRunner().invoke(app, make).exception)
