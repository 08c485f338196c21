"""The version in work: everything it says and changes, and what the visitor may do with it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.alert import Alert
from broadcaster.lifecycle import TABLE, Command, Stage
from broadcaster.log import ConflictError
from broadcaster.rules import RefusedError, Rule
from broadcaster.web import i18n
from broadcaster.web.console import second_factor, writing
from broadcaster.web.console.alerts import already, changes, foretold, previews
from broadcaster.web.console.alerts.already import Already
from broadcaster.web.console.alerts.asked import AskedAlert, asked
from broadcaster.web.console.alerts.cards import category_lasts
from broadcaster.web.console.alerts.composing import census
from broadcaster.web.console.form import BoundForm, Form
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.services import Services, WithServices
from broadcaster.web.sights import places
from broadcaster.web.story import Story
from broadcaster.web.subjects import by_code, subject
from schemas.content import Channel, MsgType

router = APIRouter(prefix="/console/alerts/{alert_id}", include_in_schema=False)

Step = Literal["approve", "approve-issue", "issue", "schedule", "unschedule", "return", "reject"]

_NEEDS_REASON = {"return", "reject"}
LONGEST_REASON = 500

counts = foretold.Counts()


@dataclass(frozen=True)
class Told:
    """What the visitor posted, shown again with what is wrong with it."""

    faults: tuple[Fault, ...] = ()
    step: str = ""
    reason: str = ""
    due: str = ""
    already: Already | None = None
    """What others, or an earlier press, did meanwhile."""


@router.get("")
def review_page(
    request: Request,
    services: WithServices,
    visitor: WithVisitor,
    found: AskedAlert,
    count: Annotated[Literal["", "1"], Query()] = "",
    step: already.Step = "",
    seen: already.Seen = 0,
) -> Response:
    """The version in work; without one, the alert as it is out. `count` asks for the exact count."""
    if found.alert.work is None or not visitor.may(found.alert.issuer_id):
        return go(f"/console/alerts/{found.alert.id}/live{already.query(step, seen)}")
    told = Told(already=already.found(services, visitor, found.alert.id, step, seen))
    return _page(request, services, visitor, found, told, count=bool(count))


@router.post("/do/{step}")
def take_step(
    request: Request,
    services: WithServices,
    visitor: WithVisitor,
    found: AskedAlert,
    form: BoundForm,
    step: Annotated[Step, Path()],
) -> Response:
    """Approve, issue, schedule, return or reject the version that was read, and no later one."""
    alert, seen = found.alert, form.number("expected")
    told = Told((), step, form.one("reason"), form.one("due"))
    if alert.version != seen and (done := _done(services, visitor, alert, step, seen)):
        return done
    faults = _faults(services, visitor, form, step)
    if faults:
        return _again(request, services, visitor, alert, seen, replace(told, faults=faults))
    try:
        after = _run(services, visitor, alert, told, seen)
    except RefusedError as refusal:
        told = replace(told, faults=(replace(writing.refused(refusal), field=step),))
        return _again(request, services, visitor, alert, seen, told)
    except ConflictError:
        told = replace(told, faults=(Fault(step, "moved"),))
        return _again(request, services, visitor, alert, seen, told)
    # A bulletin that was to be issued at night has not gone out: it waits, and the page says so.
    return go(f"/console/alerts/{after.id}" if after.work else f"/console/alerts/{after.id}/live")


@router.post("/edit")
def edit(services: WithServices, visitor: WithVisitor, found: AskedAlert, form: BoundForm) -> Response:
    """Opens the form on a draft, or on the next version of a live alert."""
    del form
    alert = found.alert
    visitor.require(alert.issuer_id, Role.AUTHOR)
    content = alert.work.content if alert.work else alert.issued and alert.issued.content
    command = Command.REVISE if alert.work else Command.UPDATE
    alert.check(command)
    assert content is not None, "what may be updated was issued"
    draft = services.ports.drafts.begin(
        alert.id,
        alert.version,
        alert.issuer_id,
        writing.fields_of(content, alert.issuer_id),
        by=visitor.name,
        at=services.now(),
    )
    return go(f"/console/drafts/{draft.id}")


def shown_again(
    request: Request, services: Services, visitor: Visitor, form: Form, alert_id: UUID, step: str
) -> Response | None:
    """The page with the reason or the time that was typed when the session had ended."""
    found = asked(services, visitor, alert_id)
    if found.alert.work is None or not visitor.may(found.alert.issuer_id):
        return None
    told = Told((), step, form.one("reason"), form.one("due"))
    return _page(request, services, visitor, found, told)


def _faults(services: Services, visitor: Visitor, form: Form, step: str) -> tuple[Fault, ...]:
    if step in _NEEDS_REASON:
        reason = form.one("reason")
        if not reason:
            return (Fault(f"{step}-reason", "missing"),)
        return (Fault(f"{step}-reason", "long", LONGEST_REASON),) if len(reason) > LONGEST_REASON else ()
    if step == "unschedule":
        return ()  # What is held back needs no second factor.
    faults = [] if form.ticked("sure") else [Fault(f"{step}-sure", "unticked")]
    if step == "schedule" and writing.instant(form.one("due")) is None:
        faults.append(Fault("schedule-due", "date" if form.one("due") else "missing"))
    if not faults:
        wrong = second_factor.fault(services, visitor, form)
        faults = [Fault(f"{step}-code", f"code-{wrong}")] if wrong else []
    return tuple(faults)


def _run(services: Services, visitor: Visitor, alert: Alert, told: Told, seen: int) -> Alert:
    step, reason, due = told.step, told.reason, writing.instant(told.due)
    alerts, by, at = services.ports.alerts, visitor.by(alert.issuer_id), services.now()
    steps: dict[str, Callable[..., Alert]] = {
        "approve": partial(alerts.approve, by, alert.id),
        "approve-issue": partial(alerts.approve, by, alert.id),
        "issue": partial(alerts.issue, by, alert.id),
        "schedule": partial(alerts.schedule, by, alert.id, due or at),
        "unschedule": partial(alerts.unschedule, by, alert.id),
        "return": partial(alerts.send_back, by, alert.id, reason),
        "reject": partial(alerts.reject, by, alert.id, reason),
    }
    after = steps[step](at=at, expected=seen)
    if step == "approve-issue":
        # Nobody came between: what goes out is what was approved a moment ago.
        after = alerts.issue(by, alert.id, at=at, expected=after.version)
    return after


def _done(services: Services, visitor: Visitor, alert: Alert, step: str, seen: int) -> Response | None:
    """The page that says so, where just that was done to what was seen."""
    meanwhile = already.found(services, visitor, alert.id, step, seen)
    if meanwhile is None or not meanwhile.is_done:
        return None
    return go(f"/console/alerts/{alert.id}{already.query(step, seen)}")


def _again(
    request: Request, services: Services, visitor: Visitor, alert: Alert, seen: int, told: Told
) -> Response:
    # Read anew: another press of the same button may have been quicker.
    found = asked(services, visitor, alert.id)
    if done := _done(services, visitor, alert, told.step, seen):
        return done
    if found.alert.work is None:
        if told.reason:
            raise RefusedError(Rule.STATE, f"cannot {told.step}: no version is in work")
        return go(f"/console/alerts/{alert.id}/live{already.query(told.step, seen)}")
    meanwhile = already.found(services, visitor, alert.id, told.step, seen)
    return _page(request, services, visitor, found, replace(told, already=meanwhile), status=422)


def _page(
    request: Request,
    services: Services,
    visitor: Visitor,
    found: Story,
    told: Told,
    *,
    status: int = 200,
    count: bool = False,
) -> Response:
    alert, tree = found.alert, services.tree()
    work = alert.work
    assert work is not None
    content = work.content
    body = alert.issuer_id
    issued = alert.issued
    approves, writes = visitor.may(body, Role.APPROVER), visitor.may(body, Role.AUTHOR)
    name = services.directory.body_name(body)
    estimate = census.estimate(services, tree, content.areas)
    people = sum(estimate.of(channel) for channel in content.reaches if channel is not Channel.LED)
    now = services.now()
    counted = counts.of(services, alert, wait=count or people <= foretold.SMALL)
    if counted is not None and counted.channels:
        # One figure for one thing: the sentence that is ticked says what was counted.
        told_of = {line.told.channel: line.told.recipients for line in counted.channels}
        people = sum(told_of.values())
        estimate = replace(
            estimate,
            push=told_of.get(Channel.PUSH, estimate.push),
            sms=told_of.get(Channel.SMS, estimate.sms),
            by_home=False,
        )

    def open_to(command: Command) -> bool:
        return (alert.life, alert.stage) in TABLE[command]

    return show(
        request,
        visitor,
        "review.html",
        here="alerts",
        status=status,
        path=f"/console/alerts/{alert.id}",
        mode=content.mode,
        alert=alert,
        work=work,
        content=content,
        issuer=name,
        category=subject(services, content.category, i18n.chosen(request)),
        lasts=category_lasts(services, content.category),
        places=places(tree, content.areas),
        changes=changes.changes(issued.content, content, tree) if issued else None,
        subjects=by_code(services, i18n.chosen(request)),
        previews=previews.of_content(content, name, MsgType.UPDATE if issued else MsgType.ALERT, now),
        estimate=estimate,
        people=people,
        foretold=counted,
        alike=foretold.alike(services, alert, content),
        held=foretold.held_until(services, alert, content, now),
        had_hand=visitor.name in work.contributors,
        may_approve=approves and open_to(Command.APPROVE),
        may_issue=(approves or writes) and open_to(Command.ISSUE),
        may_schedule=(approves or writes) and open_to(Command.SCHEDULE),
        may_unschedule=(approves or writes) and open_to(Command.UNSCHEDULE),
        body_name=services.directory.body_name,
        may_return=approves and open_to(Command.RETURN),
        may_edit=writes and alert.stage is Stage.DRAFT,
        told=told,
        faults=told.faults,
        already=told.already,
        left_out=len(services.book.left_out(alert.id)),
    )
