"""Recipients that were given up, and why; a manager has them tried once more, or lets them be."""

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.alert import Alert
from broadcaster.commands.dead_letters import DeadLetterCommands
from broadcaster.dead_letter import latest_word
from broadcaster.log import ConflictError, UnknownStreamError
from broadcaster.rules import RefusedError
from broadcaster.web.console import second_factor
from broadcaster.web.console.form import BoundForm
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.services import Services, WithServices
from projections.reach import letters_view
from schemas.content import Channel, Mode
from schemas.requests import Reason

router = APIRouter(prefix="/console/dead-letters", include_in_schema=False)

PAGE = 50
DispatchId = Annotated[UUID, Path()]
_REASON: TypeAdapter[str] = TypeAdapter(Reason)


class Wanted(BaseModel):
    """Which letters; those that nothing was done about, unless asked otherwise."""

    model_config = ConfigDict(extra="ignore")

    state: Literal["", "open", "replayed", "written_off"] = "open"
    channel: Literal["", "push", "sms", "led"] = ""
    before: Annotated[int | None, Field(ge=1, le=2**62)] = None


@dataclass(frozen=True)
class Line:
    """A letter in words, and whether the visitor may settle it."""

    letter: letters_view.DeadLetter
    headline: str
    issuer: str
    mine: bool
    hopeless: str
    """Why another try makes no sense: `untold`, `superseded`, `expired`; empty where it does."""
    mode: Mode


@router.get("")
def letters_page(
    request: Request, services: WithServices, visitor: WithVisitor, wanted: Annotated[Wanted, Query()]
) -> Response:
    """The newest first."""
    visitor.require_somewhere(Role.MANAGER)
    with services.reading() as conn:
        found = letters_view.find(
            conn,
            channel=Channel(wanted.channel) if wanted.channel else None,
            state=wanted.state or None,
            before=wanted.before,
            limit=PAGE + 1,
        )
    page = found[:PAGE]
    alerts = {one: services.ports.office.alert(one) for one in {each.alert_id for each in page}}
    return show(
        request,
        visitor,
        "dead-letters.html",
        here="dead-letters",
        wanted=wanted,
        lines=[_line(services, visitor, each, alerts[each.alert_id]) for each in page],
        before=page[-1].position if len(found) > PAGE else None,
    )


@router.get("/{dispatch_id}")
def letter_page(
    request: Request, services: WithServices, visitor: WithVisitor, dispatch_id: DispatchId
) -> Response:
    """One of them: reasons and places, no addresses."""
    visitor.require_somewhere(Role.MANAGER)
    return _page(request, services, visitor, dispatch_id)


@router.post("/{dispatch_id}")
def settle(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, dispatch_id: DispatchId
) -> Response:
    """`do=replay` orders just these once more, `do=write-off` lets them be."""
    visitor.require_somewhere(Role.MANAGER)
    letter = _line_of(services, visitor, dispatch_id).letter
    body = services.ports.office.alert(letter.alert_id).issuer_id
    visitor.require(body, Role.MANAGER)
    faults: list[Fault] = []
    reason = ""
    try:
        reason = _REASON.validate_python(form.one("reason"))
    except ValidationError:
        faults.append(Fault("reason", "invalid" if form.one("reason") else "missing"))
    if wrong := second_factor.fault(services, visitor, form):
        faults.append(Fault("code", f"code-{wrong}"))
    if not faults:
        commands = DeadLetterCommands(services.ports.office)
        act = commands.replay if form.one("do") == "replay" else commands.write_off
        try:
            act(visitor.by(body), dispatch_id, reason, at=services.now())
            return go(f"/console/dead-letters/{dispatch_id}")
        except RefusedError as refusal:
            faults = [Fault("", "letter" if refusal.rule.value == "state.not-now" else refusal.rule.value)]
        except ConflictError:
            faults = [Fault("", "letter")]
    return _page(request, services, visitor, dispatch_id, tuple(faults), form.one("reason"))


def _line_of(services: Services, visitor: Visitor, dispatch_id: UUID) -> Line:
    with services.reading() as conn:
        letter = letters_view.one(conn, dispatch_id)
    if letter is None:
        raise HTTPException(404)
    try:
        return _line(services, visitor, letter, services.ports.office.alert(letter.alert_id))
    except UnknownStreamError:
        raise HTTPException(404) from None


def _line(services: Services, visitor: Visitor, letter: letters_view.DeadLetter, alert: Alert) -> Line:
    content = alert.issued.content if alert.issued else None
    hopeless = ""
    if not letter.replayable:
        hopeless = "untold"
    elif latest_word(alert) != letter.version:
        hopeless = "superseded"
    elif services.now() >= letter.expires_at:
        hopeless = "expired"
    return Line(
        letter,
        content.text("vi").headline if content else "",
        services.directory.body_name(alert.issuer_id),
        visitor.may(alert.issuer_id, Role.MANAGER),
        hopeless,
        content.mode if content else Mode.ACTUAL,
    )


def _page(
    request: Request,
    services: Services,
    visitor: Visitor,
    dispatch_id: UUID,
    faults: tuple[Fault, ...] = (),
    reason: str = "",
) -> Response:
    line = _line_of(services, visitor, dispatch_id)
    # What was settled a moment ago is in the log, and may not be in the view yet.
    settled = DeadLetterCommands(services.ports.office).letter(dispatch_id).settled
    tree = services.tree()
    return show(
        request,
        visitor,
        "dead-letter.html",
        here="dead-letters",
        status=422 if faults else 200,
        mode=line.mode,
        line=line,
        settled=settled,
        places=[
            (tree[code].name if code in tree else code, count)
            for code, count in sorted(line.letter.areas.items(), key=lambda each: -each[1])
        ],
        faults=faults,
        reason=reason,
    )
