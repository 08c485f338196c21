"""How the bodies stand with their duty to inform, and one body's story. For everyone of the house."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.duty.asking import LATE
from broadcaster.web.api.cadence_terms import Wanted as ReportWanted
from broadcaster.web.api.cadence_terms import report_file
from broadcaster.web.console.form import BoundForm
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.overview import Month
from broadcaster.web.services import Services, WithServices
from broadcaster.web.strips import Strip, since_of, strip
from projections.cadence.body import NEVER
from projections.cadence.duty import in_force
from projections.cadence.figures import BodyFigures
from projections.cadence.report import explain
from projections.cadence.rule import DAY, State, local_day
from projections.cadence.standing import Why
from projections.cadence.view import BodyCadence, summarise
from schemas.areas import unaccented

router = APIRouter(prefix="/console/cadence", include_in_schema=False)

PAGE = 50
"""Bodies on a page; the worst are on the first."""
SHOWN = 40
"""Items and windows of one body."""
FORMATS = ("csv", "xlsx", "html")
LEVELS = (1, 2, 3)
"""City, district, commune; a fourth one stands below none that we know of."""
_URGENCY = {State.OVERDUE: 0, State.DUE_SOON: 1, State.OK: 2, State.EXEMPT: 3}


_LIST = "/console/cadence?"
Reminding = Literal["no", "may", "done"]
"""Whether the visitor may have the body reminded, or someone did today."""


class Wanted(BaseModel):
    """The filters; an empty one filters nothing."""

    model_config = ConfigDict(extra="ignore")

    state: Literal["", "ok", "due_soon", "overdue", "exempt"] = ""
    level: Literal["", "1", "2", "3", "4"] = ""
    words: Annotated[str, Field(max_length=80)] = ""
    page: Annotated[int, Field(ge=1, le=1000)] = 1

    def query(self, **changes: object) -> str:
        """The address that asks for the same with these changes; from page 1 unless one is named."""
        asked = {"state": self.state, "level": self.level, "words": self.words} | changes
        return _LIST + urlencode({name: value for name, value in asked.items() if value})


@dataclass(frozen=True)
class Row:
    """A body in the list."""

    body: BodyCadence
    days: int | None
    """Whole days since its last item."""
    month: BodyFigures | None
    strip: Strip | None


@router.get("")
def dashboard(
    request: Request, services: WithServices, visitor: WithVisitor, wanted: Annotated[Wanted, Query()]
) -> Response:
    """The worst first."""
    at = services.now()
    levels = [int(wanted.level)] if wanted.level else None
    standing = [body for body in services.overview.standing(at) if levels is None or body.level in levels]
    key = unaccented(" ".join(wanted.words.split()))
    found = [
        body
        for body in standing
        if wanted.state in {"", body.state} and (not key or key in unaccented(body.name))
    ]
    # The view has them by due date, which an exempt body has none of.
    found.sort(key=lambda body: _URGENCY[body.state])
    month = services.overview.month(at)
    first = (wanted.page - 1) * PAGE
    page = found[first : first + PAGE]
    shown = levels or sorted(month.report.levels)
    return show(
        request,
        visitor,
        "cadence.html",
        here="cadence",
        wanted=wanted,
        levels=LEVELS,
        summary=summarise(standing),
        rows=[_row(body, month, at) for body in page],
        reminding=_reminding(services, visitor, [body for body in page if body.state == State.OVERDUE], at),
        same=wanted.query(page=wanted.page),
        found=len(found),
        more=len(found) > first + PAGE,
        month=month,
        course=_line(month.course(shown)),
        totals=month.total(shown),
        exports=[(form, _export(month.since, form, wanted.level)) for form in FORMATS],
        at=at,
    )


@router.get("/report")
def report(
    services: WithServices, visitor: WithVisitor, wanted: Annotated[ReportWanted, Query()]
) -> Response:
    """A period as a file, sealed. Handing it out is an event."""
    answer = report_file(services, wanted, visitor.taking())
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.post("/{body}/remind")
def remind(
    services: WithServices,
    visitor: WithVisitor,
    form: BoundForm,
    body: Annotated[str, Path(max_length=80)],
) -> Response:
    """Has the body told, once a day at most. A second press changes nothing and says so."""
    asking, at = services.ports.asking, services.now()
    with services.reading() as conn:
        stands = services.ports.cadence.one(conn, body, at)
    if asking is None or stands is None:
        raise HTTPException(404)
    above = visitor.bodies(Role.MANAGER)
    # As the body right above it where it may; else as the first it manages, whom the command may refuse.
    acts = stands.parent if stands.parent in above else next(iter(above), stands.issuer_id)
    if asking.may(visitor.account, stands) and acts not in asking.above(stands):
        acts = asking.office
    asking.ask(visitor.by(acts), stands, at)
    back = form.one("back")
    return go(f"{back}#b-{body}" if back.startswith(_LIST) else f"/console/cadence/{body}")


@router.get("/{body}")
def body_page(
    request: Request,
    services: WithServices,
    visitor: WithVisitor,
    body: Annotated[str, Path(max_length=80)],
) -> Response:
    """Every item and why it counts, every window, every time overdue. 404 for a body that is none."""
    at = services.now()
    with services.reading() as conn:
        told = explain(services.ports.cadence, conn, body, at)
        policies = services.ports.cadence.ledger(conn).policies
        stands = services.ports.cadence.one(conn, body, at)
    if told is None:
        raise HTTPException(404)
    stay = told.body.stay(at)
    counts = [one.send.at for one in told.sent if one.why is Why.COUNTS]
    gaps = [each for each in told.breaches if each.until > since_of(at)]
    return show(
        request,
        visitor,
        "cadence-body.html",
        here="cadence",
        told=told,
        name=stay.name,
        level=stay.level,
        stands=stands,
        policy=in_force(policies, at),
        strip=strip(counts, gaps, at),
        sent=told.sent[: -SHOWN - 1 : -1],
        all_sent=len(told.sent),
        windows=told.windows[: -SHOWN - 1 : -1],
        covered=sum(1 for one in told.windows if one.item),
        breaches=told.breaches[: -SHOWN - 1 : -1],
        never=NEVER,
        reminding=_reminding(services, visitor, [stands] if stands else [], at).get(body, "no"),
        at=at,
    )


def _reminding(
    services: Services, visitor: Visitor, bodies: Iterable[BodyCadence], at: datetime
) -> dict[str, Reminding]:
    """Of those of the bodies that owe something: by their ids."""
    asking = services.ports.asking
    late = [body for body in bodies if body.state in LATE]
    if asking is None or not late:
        return {}
    done = asking.asked_today([body.issuer_id for body in late], at)

    def of(body: BodyCadence) -> Reminding:
        if body.issuer_id in done:
            return "done"
        return "may" if asking.may(visitor.account, body) else "no"

    return {body.issuer_id: of(body) for body in late}


def _row(body: BodyCadence, month: Month, at: datetime) -> Row:
    days = None
    if body.last_item_at is not None:
        days = (local_day(at) - local_day(body.last_item_at)) // DAY
    return Row(body, days, month.bodies.get(body.issuer_id), month.strips.get(body.issuer_id))


def _line(course: tuple[float, ...]) -> str:
    """The points of a line of 100 by 30 units, the share of 1 on top."""
    step = 100 / max(1, len(course) - 1)
    return " ".join(
        f"{number * step:.1f},{1 + 28 * (1 - share):.1f}" for number, share in enumerate(course)
    )


def _export(since: datetime, form: str, level: str) -> str:
    asked = {"from": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "format": form}
    return "/console/cadence/report?" + urlencode(asked | ({"level": level} if level else {}))
