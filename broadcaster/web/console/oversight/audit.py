"""The audit log for auditors: every event in words, and whether the log is still what was written."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.proof import tail
from broadcaster.proof.checkpoint import CheckpointError
from broadcaster.proof.lines import Line, Lines
from broadcaster.web.console.frame import show
from broadcaster.web.console.oversight.audit_asked import GROUPS, Wanted, find, read
from broadcaster.web.console.oversight.audit_export import MOST
from broadcaster.web.console.visitor import WithVisitor
from broadcaster.web.services import Services, WithServices
from projections.audit import view as audit
from schemas.events import TOPICS

router = APIRouter(prefix="/console/audit", include_in_schema=False)

PAGE = 50


@router.get("")
def audit_page(
    request: Request, services: WithServices, visitor: WithVisitor, wanted: Annotated[Wanted, Query()]
) -> Response:
    """The newest first."""
    visitor.require_somewhere(Role.AUDITOR)
    filters = read(wanted)
    found: list[audit.Entry] = [] if filters.faults else find(services, wanted, filters, PAGE + 1)
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
        groups=tuple(GROUPS),
        most=MOST,
        before=page[-1].position if len(found) > PAGE else None,
        chain=_chain(services),
    )


def _told(services: Services, page: Sequence[audit.Entry]) -> dict[int, Line]:
    """The page's lines anew, with names; the view knows codes only."""
    if not page:
        return {}
    with services.reading() as conn:
        lines = Lines(services.ports.office, services.directory.bodies)
        return lines.of(conn, [entry.position for entry in page])


def _chain(services: Services) -> tail.Tail | None:
    """None where the file of checkpoints cannot be read: that is a fault, and shown as one."""
    seals = services.ports.seals
    try:
        newest = seals.newest() if seals else None
    except CheckpointError:
        return None
    return tail.look(services.ports.log, newest)
