"""Reports say the same in every form, and can be checked against the log."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from lxml import html

from broadcaster.duty.sheets import COLUMNS, Format
from broadcaster.proof import checkpoint
from broadcaster.runtime import House
from broadcaster.settings import SettingsError
from tests.unit.broadcaster.duty.past import instant, lived, tale

DAY = 24 * 60
SINCE, UNTIL = instant(0), instant(12 * DAY)
FORMS = list(Format)


@pytest.fixture
def told(database: str, tmp_path: Path) -> Iterator[House]:
    with lived(database, tale().log, data=tmp_path) as opened:
        yield opened


def made(told: House, form: Format, **how: Any) -> bytes:
    return told.reports.make(SINCE, UNTIL, form, at=UNTIL, **how)


def figures(told: House) -> dict[str, Any]:
    return json.loads(made(told, Format.JSON))


def test_the_figures(told: House) -> None:
    found = figures(told)
    assert [level["level"] for level in found["levels"]] == [1, 2, 3]
    best, broke, never = found["bodies"]
    assert (best["items"], best["time_rate"], best["window_rate"], best["gaps"]) == (6, 1.0, 1.0, [])
    assert best["streak_seconds"] == 12 * 86400
    # Due on the 5th at midnight, cured on the 9th at 9: four days and nine hours late.
    assert (broke["items"], broke["breaches"], broke["overdue_seconds"]) == (2, 1, (4 * 24 + 9) * 3600)
    assert broke["time_rate"] == round(1 - (4 * 24 + 9) / (12 * 24), 6)
    assert (broke["windows"], broke["windows_covered"]) == (10, 4)
    assert (never["overdue_seconds"], never["windows_covered"]) == (9 * 86400, 0)
    assert never["gaps"][0]["ended_by"] is None


def test_the_trend_is_against_the_period_before(told: House) -> None:
    made_ = told.reports.make(instant(6 * DAY), instant(12 * DAY), Format.JSON, at=UNTIL)
    broke = json.loads(made_)["bodies"][1]
    before, now = 1 - 2 / 6, 1 - (2 * 24 + 9) / (6 * 24)
    assert broke["trend"] == round(now - before, 6)


def test_a_workbook_holds_the_same_figures(told: House) -> None:
    book = openpyxl.load_workbook(io.BytesIO(made(told, Format.XLSX)))
    found = figures(told)
    names = list(COLUMNS)
    for level in (1, 2, 3):
        sheet = book[f"Cấp {level}"]
        assert sheet.freeze_panes == "A2"
        rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
        assert rows == [[b[name] for name in names] for b in found["bodies"] if b["level"] == level]
    gaps = list(book["Quá hạn"].iter_rows(min_row=2, values_only=True))
    assert gaps[0][2] == datetime(2024, 7, 5)  # noqa: DTZ001 (a workbook knows no zones)
    assert book["Quá hạn"]["C2"].is_date


def test_the_sheet_of_commas_holds_the_same_and_no_formula(told: House) -> None:
    lines = made(told, Format.CSV).decode("utf-8-sig").splitlines()
    rows = list(csv.DictReader(lines[:4]))
    assert [row["body"] for row in rows] == [body["body"] for body in figures(told)["bodies"]]
    assert rows[0]["name"] == "'=Sở Y tế"
    assert rows[1]["overdue_seconds"] == str((4 * 24 + 9) * 3600)


def test_paper_is_one_page_without_scripts(told: House) -> None:
    page = html.fromstring(made(told, Format.HTML).decode())
    assert len(page.findall(".//svg")) == 3
    assert [one.get("type") for one in page.findall(".//script")] == ["application/json"]
    bars = [len(svg.findall("rect")) for svg in page.findall(".//svg")]
    assert bars == [1, 2, 2]
    assert b"src=" not in made(told, Format.HTML)


@pytest.mark.parametrize("form", FORMS)
def test_a_report_is_checked_against_the_log(told: House, form: Format) -> None:
    key = checkpoint.make_key(told.settings.checkpoint_key_path)
    file = made(told, form)
    told.log.append([tale(13).log[-1].event.model_copy(update={"originator_version": 9})], at=UNTIL)
    told.follower(told.projection("cadence")).catch_up()
    found = told.reports.check(file, key.public_key())
    assert (found.fault, found.signed) == ("", True)


def tampered(file: bytes, form: Format) -> bytes:
    if form is not Format.XLSX:
        return file.replace(b"UBND-00001", b"UBND-00002", 1)
    book = openpyxl.load_workbook(io.BytesIO(file))
    book["Cấp 1"]["A2"] = 2
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("form", FORMS)
def test_a_changed_report_is_found_out(told: House, form: Format) -> None:
    file = tampered(made(told, form), form)
    assert told.reports.check(file, None).fault == "the file is not what was sealed"


def test_a_report_of_another_log_is_found_out(told: House) -> None:
    file = json.loads(made(told, Format.JSON))
    file["seal"]["chain"] = "0" * 64
    assert "rewritten" in told.reports.check(json.dumps(file).encode(), None).fault
    file["seal"]["position"] = 10**6
    assert "cut" in told.reports.check(json.dumps(file).encode(), None).fault
    for nothing in (b"", b"{}", b"PK", b"a,b\n", b"<!doctype html>", b"\xff"):
        with pytest.raises(SettingsError, match="no seal"):
            told.reports.check(nothing, None)


def test_another_key_is_not_ours(told: House, tmp_path: Path) -> None:
    checkpoint.make_key(told.settings.checkpoint_key_path)
    other = checkpoint.make_key(tmp_path / "other.key")
    assert told.reports.check(made(told, Format.CSV), other.public_key()).signed is False
