"""Lines of the audit log as a file, as they were filtered. That it was taken is a line of it, too."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import RedirectResponse, Response

from broadcaster.account import Role
from broadcaster.proof import exports
from broadcaster.proof.chain import instant
from broadcaster.proof.exports import Export
from broadcaster.proof.lines import Line, Lines
from broadcaster.web.console.oversight.audit_asked import Wanted, find, read
from broadcaster.web.console.visitor import WithVisitor
from broadcaster.web.services import Services, WithServices
from projections.audit import view as audit

router = APIRouter(prefix="/console/audit", include_in_schema=False)

MOST = 20_000
"""Lines in one file, the newest; for the older ones ask until the last of these."""
_PAGE = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    "position",
    "recorded_at",
    "topic",
    "account",
    "body",
    "body_name",
    "alert_id",
    "headline",
    "subject",
    "summary",
    "summary_en",
)


class Form(StrEnum):
    """Of the file."""

    CSV = "csv"
    JSON = "json"


_TYPES = {Form.CSV: "text/csv; charset=utf-8", Form.JSON: "application/json"}


@router.get("/export.{form}")
def export(
    services: WithServices,
    visitor: WithVisitor,
    form: Annotated[Form, Path()],
    wanted: Annotated[Wanted, Query()],
) -> Response:
    """What the page shows by the same filters, every page of it; the newest MOST lines."""
    bodies = visitor.require_somewhere(Role.AUDITOR)
    filters = read(wanted)
    if filters.faults:
        return RedirectResponse(f"/console/audit?{wanted.query}", 303)
    head = services.ports.log.head()
    found = find(services, wanted, filters, MOST + 1)
    rows = list(_rows(services, found[:MOST]))
    whole = len(found) <= MOST
    data = _csv(rows) if form is Form.CSV else _json(rows, wanted.given, head, whole=whole)
    taken = Export("audit", form.value, wanted.given, head)
    exports.record(services.ports.log, taken, data, by=visitor.by(bodies[0]), at=services.now())
    named = {"Content-Disposition": f'attachment; filename="audit-{head}.{form.value}"'}
    return Response(data, media_type=_TYPES[form], headers=named | {"Cache-Control": "no-store"})


def _rows(services: Services, found: Sequence[audit.Entry]) -> Iterator[dict[str, Any]]:
    lines = Lines(services.ports.office, services.directory.bodies)
    for start in range(0, len(found), _PAGE):
        page = found[start : start + _PAGE]
        with services.reading() as conn:
            told = lines.of(conn, [entry.position for entry in page])
        for entry in page:
            yield _row(entry, told.get(entry.position))


def _row(entry: audit.Entry, line: Line | None) -> dict[str, Any]:
    told = (
        entry.position,
        instant(entry.recorded_at),
        entry.topic,
        entry.account,
        entry.body,
        line and line.body,
        entry.alert_id and str(entry.alert_id),
        line and line.headline,
        line and line.subject,
        line.words.vi if line else entry.summary,
        line.words.en if line else entry.summary_en,
    )
    return dict(zip(_COLUMNS, told, strict=True))


def _csv(rows: Sequence[dict[str, Any]]) -> bytes:
    file = io.StringIO()
    # A mark of order at the start: without it a spreadsheet takes the names for another encoding.
    file.write("\ufeff")
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    writer.writerows([_cell(value) for value in row.values()] for row in rows)
    return file.getvalue().encode()


def _cell(value: object) -> object:
    # What someone wrote must not become a formula of whoever opens the file.
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _json(rows: Sequence[dict[str, Any]], filters: dict[str, str], upto: int, *, whole: bool) -> bytes:
    told = {"upto": upto, "filters": filters, "whole": whole, "lines": rows}
    return json.dumps(told, ensure_ascii=False, indent=1).encode()
