"""A report as a file: JSON, CSV, a workbook. The bytes are a function of the figures and the seal."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

import xlsxwriter
from lxml import etree
from pydantic import ValidationError
from xlsxwriter.worksheet import Worksheet

from broadcaster.duty.paper import paper, seal_of_paper
from broadcaster.duty.seal import Seal
from broadcaster.settings import SettingsError
from schemas.local_time import HANOI

Figures = dict[str, Any]
SEAL = "# seal "
COLUMNS = {
    "rank": "Hạng",
    "body": "Mã",
    "name": "Cơ quan",
    "parent": "Cấp trên",
    "items": "Số tin",
    "obliged_seconds": "Thời gian có nghĩa vụ (s)",
    "overdue_seconds": "Thời gian quá hạn (s)",
    "exempt_seconds": "Thời gian được miễn (s)",
    "time_rate": "Tỷ lệ thời gian",
    "windows": "Số kỳ",
    "windows_covered": "Số kỳ có tin",
    "window_rate": "Tỷ lệ kỳ",
    "breaches": "Số lần quá hạn",
    "longest_breach_seconds": "Quá hạn dài nhất (s)",
    "streak_seconds": "Đúng nhịp liên tục (s)",
    "trend": "Thay đổi",
}
_GAP_COLUMNS = ("body", "name", "since", "until", "seconds", "ended_by", "cure")
_RATES = {"time_rate", "window_rate", "trend"}


class Format(StrEnum):
    """What a report can be."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    HTML = "html"


MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.HTML: "text/html; charset=utf-8",
}


def render(figures: Figures, seal: Seal, form: Format) -> bytes:
    """The file."""
    match form:
        case Format.JSON:
            whole = figures | {"seal": seal.model_dump(mode="json")}
            return (json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode()
        case Format.CSV:
            return _csv(figures, seal)
        case Format.XLSX:
            return _xlsx(figures, seal)
        case Format.HTML:
            return paper(figures, seal).encode()


def form_of(file: bytes) -> Format:
    """Which of them the bytes are."""
    if file.startswith(b"PK"):
        return Format.XLSX
    if file.startswith(b"{"):
        return Format.JSON
    return Format.HTML if file.lstrip().lower().startswith(b"<!doctype") else Format.CSV


def seal_of(file: bytes) -> Seal:
    """The seal that a file bears. Raises SettingsError where there is none that can be read."""
    try:
        text = _seal_text(file)
        return Seal.model_validate_json(text)
    except (ValueError, KeyError, ValidationError, zipfile.BadZipFile, etree.XMLSyntaxError):
        raise SettingsError("the file bears no seal of a cadence report") from None


def _seal_text(file: bytes) -> str:
    match form_of(file):
        case Format.JSON:
            return json.dumps(json.loads(file)["seal"])
        case Format.HTML:
            return seal_of_paper(file.decode())
        case Format.XLSX:
            with zipfile.ZipFile(io.BytesIO(file)) as book:
                core = etree.fromstring(book.read(_SEAL_PART), etree.XMLParser(resolve_entities=False))
            return core.findtext(_DESCRIPTION) or ""
        case Format.CSV:
            lines = file.decode("utf-8-sig").splitlines()
            marked = (line for line in reversed(lines) if line.startswith(SEAL))
            return next(marked, "").removeprefix(SEAL)


_SEAL_PART, _DESCRIPTION = "docProps/core.xml", "{http://purl.org/dc/elements/1.1/}description"


def _csv(figures: Figures, seal: Seal) -> bytes:
    out = io.StringIO(newline="")
    # A byte order mark, or Excel takes the words for Latin-1.
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(["level", *COLUMNS])
    for body in figures["bodies"]:
        writer.writerow([body["level"], *(_safe(body[name]) for name in COLUMNS)])
    writer.writerow([])
    writer.writerow(_GAP_COLUMNS)
    for row in _gaps(figures["bodies"]):
        writer.writerow([_safe(value) for value in row])
    out.write(SEAL + seal.model_dump_json() + "\r\n")
    return out.getvalue().encode()


def _safe(value: object) -> object:
    # A name that begins like a formula must not become one in a spreadsheet.
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value


def _gaps(bodies: list[Figures]) -> Iterator[tuple[Any, ...]]:
    for body in bodies:
        for gap in body["gaps"]:
            yield (body["body"], body["name"], *(gap[name] for name in _GAP_COLUMNS[2:]))


def _xlsx(figures: Figures, seal: Seal) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    made = datetime.fromisoformat(seal.at).replace(tzinfo=None)
    book.set_properties({"title": "Nhịp đưa tin", "comments": seal.model_dump_json(), "created": made})
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    rate, day = (
        book.add_format({"num_format": "0.00%"}),
        book.add_format({"num_format": "dd/mm/yyyy hh:mm"}),
    )
    for level in figures["levels"]:
        bodies = [body for body in figures["bodies"] if body["level"] == level["level"]]
        sheet = _sheet(book.add_worksheet(f"Cấp {level['level']}"), list(COLUMNS.values()), head)
        for row, body in enumerate(bodies, 1):
            for column, name in enumerate(COLUMNS):
                sheet.write(row, column, body[name], rate if name in _RATES else None)
        sheet.autofilter(0, 0, max(1, len(bodies)), len(COLUMNS) - 1)
    gaps = _sheet(book.add_worksheet("Quá hạn"), list(_GAP_COLUMNS), head)
    for row, values in enumerate(_gaps(figures["bodies"]), 1):
        for column, (name, value) in enumerate(zip(_GAP_COLUMNS, values, strict=True)):
            if name in {"since", "until"}:
                gaps.write_datetime(row, column, _local(value), day)
            else:
                gaps.write(row, column, value)
    note = book.add_worksheet("Kiểm chứng")
    note.set_column(0, 0, 16)
    note.set_column(1, 1, 90)
    for row, (name, value) in enumerate(seal.model_dump(mode="json").items()):
        note.write_row(row, 0, [name, json.dumps(value) if isinstance(value, list) else value])
    book.close()
    return out.getvalue()


def _sheet(sheet: Worksheet, columns: list[str], head: Any) -> Worksheet:
    sheet.write_row(0, 0, columns, head)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(columns) - 1, 14)
    sheet.set_column(2, 2, 38)
    return sheet


def _local(value: str) -> datetime:
    # A workbook knows no zones: what stands there is the city's own clock.
    return datetime.fromisoformat(value).astimezone(HANOI).replace(tzinfo=None)
