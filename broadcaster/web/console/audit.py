"""The audit log for auditors: every event in words, and whether the log is still what was written."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.proof import as_of, tail
from broadcaster.proof.checkpoint import CheckpointError
from broadcaster.proof.lines import Line, Lines
from broadcaster.web.console.frame import show
from broadcaster.web.console.moments import moment
from broadcaster.web.console.visitor import WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.services import Services, WithServices
from projections.audit import view as audit
from schemas.events import TOPICS

router = APIRouter(prefix="/console/audit", include_in_schema=False)

PAGE = 50
_MINUTE = timedelta(minutes=1)
_MOMENT = timedelta(microseconds=1)


class Wanted(BaseModel):
    """The filters as they were typed; an empty one filters nothing."""

    model_config = ConfigDict(extra="ignore")

    account: Annotated[str, Field(max_length=120)] = ""
    body: Annotated[str, Field(max_length=120)] = ""
    topic: Annotated[str, Field(max_length=80)] = ""
    alert: Annotated[str, Field(max_length=60)] = ""
    since: Annotated[str, Field(max_length=40)] = ""
    until: Annotated[str, Field(max_length=40)] = ""
    before: Annotated[int | None, Field(ge=1, le=2**62)] = None

    @property
    def query(self) -> str:
        """The filters without the page, for links."""
        return urlencode(
            {name: value for name, value in self.model_dump(exclude={"before"}).items() if value}
        )


@dataclass(frozen=True)
class Filters:
    """The filters as the view takes them."""

    alert_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    faults: tuple[Fault, ...] = ()


@router.get("")
def audit_page(
    request: Request, services: WithServices, visitor: WithVisitor, wanted: Annotated[Wanted, Query()]
) -> Response:
    """The newest first."""
    visitor.require_somewhere(Role.AUDITOR)
    filters = _read(wanted)
    found: list[audit.Entry] = [] if filters.faults else _found(services, wanted, filters)
    page = found[:PAGE]
    return show(
        request,
        visitor,
        "audit.html",
        here="audit",
        status=422 if filters.faults else 200,
        wanted=wanted,
        faults=filters.faults,
        entries=page,
        lines=_told(services, page),
        topics=sorted(TOPICS),
        before=page[-1].position if len(found) > PAGE else None,
        chain=_chain(services),
    )


def _read(wanted: Wanted) -> Filters:
    filters = Filters()
    faults: list[Fault] = []
    if wanted.alert.strip():
        try:
            filters = replace(filters, alert_id=UUID(wanted.alert.strip()))
        except ValueError:
            faults.append(Fault("alert", "invalid"))
    for name in ("since", "until"):
        try:
            filters = replace(filters, **{name: moment(getattr(wanted, name).strip())})
        except ValueError:
            faults.append(Fault(name, "date"))
    return replace(filters, faults=tuple(faults))


def _found(services: Services, wanted: Wanted, filters: Filters) -> list[audit.Entry]:
    log = services.ports.log
    # Instants never run back along the log, so a span of time is a span of positions.
    after = as_of.position_at(log, filters.since - _MOMENT)[0] if filters.since else None
    before = wanted.before
    if filters.until:
        last = as_of.position_at(log, filters.until + _MINUTE - _MOMENT)[0] + 1
        before = min(before, last) if before else last
    with services.reading() as conn:
        return audit.entries(
            conn,
            alert_id=filters.alert_id,
            account=_plain(wanted.account),
            body=_plain(wanted.body),
            topic=_plain(wanted.topic),
            after=after,
            before=before,
            limit=PAGE + 1,
        )


def _told(services: Services, page: list[audit.Entry]) -> dict[int, Line]:
    """The page's lines anew, with names; the view knows codes only."""
    lines = Lines(services.ports.office.register, services.directory.bodies)
    with services.reading() as conn:
        return lines.of(conn, [entry.position for entry in page])


def _plain(text: str) -> str | None:
    return text.replace("\x00", "").strip() or None


def _chain(services: Services) -> tail.Tail | None:
    """None where the file of checkpoints cannot be read: that is a fault, and shown as one."""
    seals = services.ports.seals
    try:
        newest = seals.newest() if seals else None
    except CheckpointError:
        return None
    return tail.look(services.ports.log, newest)
