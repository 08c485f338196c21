"""Withdrawing a live alert: one person may, with a reason, after seeing what citizens will see."""

from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.lifecycle import Life
from broadcaster.log import ConflictError
from broadcaster.rules import RefusedError, Rule
from broadcaster.web.console import second_factor
from broadcaster.web.console.alerts import already, previews
from broadcaster.web.console.alerts.asked import AskedAlert, asked
from broadcaster.web.console.form import BoundForm, Form
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.services import Services, WithServices
from broadcaster.web.story import Story
from schemas.content import MsgType
from schemas.requests import Reason

router = APIRouter(prefix="/console/alerts/{alert_id}", include_in_schema=False)

LONGEST_REASON = 500
_REASON: TypeAdapter[str] = TypeAdapter(Reason)


@dataclass(frozen=True)
class Told:
    """What was posted."""

    reason: str = ""
    in_error: bool = False
    sure: bool = False
    faults: tuple[Fault, ...] = ()


@router.get("/cancel")
def cancel_page(
    request: Request, services: WithServices, visitor: WithVisitor, found: AskedAlert
) -> Response:
    """Why, and what citizens will see."""
    visitor.require(found.alert.issuer_id, Role.AUTHOR, Role.APPROVER)
    if found.alert.life is not Life.LIVE:
        return go(f"/console/alerts/{found.alert.id}/live")
    return _page(request, services, visitor, found, Told())


@router.post("/cancel")
def cancel(
    request: Request, services: WithServices, visitor: WithVisitor, found: AskedAlert, form: BoundForm
) -> Response:
    """Withdraws it at once, everywhere it went; with `do=preview` only shows what that looks like."""
    alert, body, seen = found.alert, found.alert.issuer_id, form.number("expected")
    visitor.require(body, Role.AUTHOR, Role.APPROVER)
    told = Told(form.one("reason"), form.ticked("in_error"), form.ticked("sure"))
    if over := _over(services, visitor, found, told, seen):
        return over
    if form.one("do") == "preview":
        return _page(request, services, visitor, found, told)
    faults = _faults(services, visitor, form)
    if not faults:
        try:
            services.ports.alerts.cancel(
                visitor.by(body),
                alert.id,
                told.reason,
                in_error=told.in_error,
                at=services.now(),
                expected=seen,
            )
        except RefusedError as refusal:
            faults = [Fault("", refusal.rule.value)]
        except ConflictError:
            faults = [Fault("", "moved")]
        else:
            return go(f"/console/alerts/{alert.id}/live")
    # Read anew: another press of the same button may have been quicker.
    found = asked(services, visitor, alert.id)
    shown = Told(told.reason, told.in_error, told.sure, tuple(faults))
    over = _over(services, visitor, found, told, seen)
    return over or _page(request, services, visitor, found, shown, status=422)


def _over(services: Services, visitor: Visitor, found: Story, told: Told, seen: int) -> Response | None:
    """What there is to say where it is no longer live: that it was withdrawn, by whom; or all one typed."""
    alert = found.alert
    if alert.life is Life.LIVE:
        return None
    meanwhile = already.found(services, visitor, alert.id, "cancel", seen)
    mine = meanwhile is not None and meanwhile.is_done and meanwhile.acts[0].mine
    if told.reason and not mine:
        raise RefusedError(Rule.STATE, f"cannot cancel an alert that is {alert.life}")
    return go(f"/console/alerts/{alert.id}/live{already.query('cancel', seen)}")


def shown_again(
    request: Request, services: Services, visitor: Visitor, form: Form, alert_id: UUID
) -> Response | None:
    """The page with the reason that was typed when the session had ended; None where it is over."""
    found = asked(services, visitor, alert_id)
    visitor.require(found.alert.issuer_id, Role.AUTHOR, Role.APPROVER)
    if found.alert.life is not Life.LIVE:
        return None
    return _page(request, services, visitor, found, Told(form.one("reason"), form.ticked("in_error")))


def _faults(services: Services, visitor: Visitor, form: Form) -> list[Fault]:
    reason = form.one("reason")
    faults: list[Fault] = []
    if not reason:
        faults.append(Fault("reason", "missing"))
    elif len(reason) > LONGEST_REASON:
        faults.append(Fault("reason", "long", LONGEST_REASON))
    else:
        try:
            _REASON.validate_python(reason)
        except ValidationError:
            faults.append(Fault("reason", "invalid"))
    if not form.ticked("sure"):
        faults.append(Fault("sure", "unticked"))
    if not faults:
        wrong = second_factor.fault(services, visitor, form)
        faults = [Fault("code", f"code-{wrong}")] if wrong else []
    return faults


def _page(
    request: Request, services: Services, visitor: Visitor, found: Story, told: Told, *, status: int = 200
) -> Response:
    alert = found.alert
    assert alert.issued is not None
    content = alert.issued.content
    name = services.directory.body_name(alert.issuer_id)
    return show(
        request,
        visitor,
        "cancel.html",
        here="alerts",
        status=status,
        mode=content.mode,
        alert=alert,
        content=content,
        told=told,
        faults=told.faults,
        previews=previews.of_content(content, name, MsgType.CANCEL, services.now(), told.reason),
        estimate=None,
    )
