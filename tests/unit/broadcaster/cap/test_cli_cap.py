"""`broadcaster cap`: a file of another's becomes a draft, or says in a line why not."""

from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from broadcaster.cli.app import app
from broadcaster.lifecycle import Life, Stage
from broadcaster.runtime import clock
from tests.house import PHUC_XA, author, house
from tests.unit.broadcaster.cap.told import ALERT

NOW_ISH = ALERT.replace("2024-07-10", f"{clock().year + 1}-01-10")


@pytest.fixture(name="message")
def _message(tmp_path: Path) -> Path:
    file = tmp_path / "alert.cap"
    # It ends long after the longest life, so the category's usual end is taken, and that is told.
    file.write_text(NOW_ISH.replace("-01-10T15", "-12-10T15"), encoding="utf-8")
    return file


def test_a_file_becomes_a_draft(city_database: str, message: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROADCASTER_DATABASE_URL", city_database)
    by = author(PHUC_XA)
    options = ["--body", PHUC_XA, "--account", by.account, "--area", "00001", "--risk-level", "2"]
    result = CliRunner().invoke(app, ["cap", "import", str(message), *options])
    assert result.exit_code == 0, result.output
    assert "W-expires-far" in result.stderr
    with house(city_database) as opened:
        alert = opened.office.alert(UUID(result.stdout.split()[1]))
    assert (alert.life, alert.stage, alert.issuer_id) == (Life.NEW, Stage.DRAFT, PHUC_XA)
    assert alert.work is not None
    assert (alert.work.content.category, alert.work.content.areas) == ("mua_lon", ("00001",))


def test_a_file_that_cannot_be_taken(
    city_database: str, message: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROADCASTER_DATABASE_URL", city_database)
    options = ["--body", PHUC_XA, "--account", author(PHUC_XA).account]
    message.write_text(NOW_ISH.replace("Public", "Private"), encoding="utf-8")
    result = CliRunner().invoke(app, ["cap", "import", str(message), *options])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("broadcaster: scope: ")


def test_a_file_is_checked(message: Path) -> None:
    result = CliRunner().invoke(app, ["cap", "check", str(message)])
    assert (result.exit_code, result.output) == (0, "")
    message.write_text(ALERT.replace("x.1", "x 1"), encoding="utf-8")
    result = CliRunner().invoke(app, ["cap", "check", str(message)])
    assert (result.exit_code, result.stdout.split(":")[0]) == (1, "R-name")
    message.write_text("<!DOCTYPE alert>" + ALERT, encoding="utf-8")
    assert CliRunner().invoke(app, ["cap", "check", str(message)]).exit_code == 2
