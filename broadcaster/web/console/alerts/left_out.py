"""The screens that an alert leaves out: chosen while it is written, and while it is live."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.lifecycle import Life
from broadcaster.log import ConflictError, UnknownStreamError
from broadcaster.rules import RefusedError
from broadcaster.screens.leaving_out import deciders
from broadcaster.web import screen_list
from broadcaster.web.console import second_factor
from broadcaster.web.console.alerts.asked import AskedAlert, asked
from broadcaster.web.console.form import BoundForm, Form
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.services import Services, WithServices
from broadcaster.web.story import Story
from schemas.areas import unaccented
from schemas.content import Mode
from schemas.requests import Reason

router = APIRouter(prefix="/console/alerts/{alert_id}/screens", include_in_schema=False)

OFFERED = 50
"""Screens that are offered at once; words narrow them down."""
_EMPTY = Form({})
_REASON: TypeAdapter[str] = TypeAdapter(Reason)


@router.get("")
def left_out_page(
    request: Request,
    services: WithServices,
    visitor: WithVisitor,
    found: AskedAlert,
    words: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """What it leaves out, and what it may leave out."""
    return _page(request, services, visitor, found, words=words)


@router.post("")
def leave_out(
    request: Request, services: WithServices, visitor: WithVisitor, found: AskedAlert, form: BoundForm
) -> Response:
    """Leaves the ticked ones out."""
    screens, groups = _ids(form, "screen"), _ids(form, "group")
    try:
        reason = _REASON.validate_python(form.one("reason"))
    except ValidationError:
        return _page(request, services, visitor, found, (Fault("reason", "missing"),), typed=form)
    if not screens and not groups:
        return _page(request, services, visitor, found, (Fault("screen", "missing"),), typed=form)
    if wrong := second_factor.fault(services, visitor, form):
        return _page(request, services, visitor, found, (Fault("code", f"code-{wrong}"),), typed=form)
    alert, now = found.alert, services.now()
    try:
        services.screen_desk.exclude(visitor.by(alert.issuer_id), alert.id, screens, groups, reason, at=now)
    except RefusedError as refusal:
        return _page(request, services, visitor, found, (Fault("", refusal.rule.value),), typed=form)
    except (ConflictError, UnknownStreamError):
        return _page(request, services, visitor, found, (Fault("", "moved-on"),), typed=form)
    services.cache.refresh()
    return go(f"/console/alerts/{alert.id}/screens")


def shown_again(
    request: Request, services: Services, visitor: Visitor, form: Form, alert_id: UUID
) -> Response:
    """The page with the ticks and the reason of when the session had ended."""
    return _page(request, services, visitor, asked(services, visitor, alert_id), typed=form)


@router.post("/readmit")
def readmit(
    request: Request, services: WithServices, visitor: WithVisitor, found: AskedAlert, form: BoundForm
) -> Response:
    """Has them show it again: the second factor is not asked, for it is no less than was approved."""
    alert, now = found.alert, services.now()
    screens, groups = _ids(form, "screen"), _ids(form, "group")
    try:
        services.screen_desk.readmit(visitor.by(alert.issuer_id), alert.id, screens, groups, at=now)
    except RefusedError as refusal:
        return _page(request, services, visitor, found, (Fault("", refusal.rule.value),))
    except ConflictError:
        return _page(request, services, visitor, found, (Fault("", "moved-on"),))
    services.cache.refresh()
    return go(f"/console/alerts/{alert.id}/screens")


def _ids(form: Form, name: str) -> list[UUID]:
    try:
        return [UUID(value) for value in form.all(name)]
    except ValueError:
        raise HTTPException(422) from None


def _page(
    request: Request,
    services: Services,
    visitor: Visitor,
    found: Story,
    faults: tuple[Fault, ...] = (),
    *,
    words: str = "",
    typed: Form = _EMPTY,
) -> Response:
    services.book.refresh()
    alert, book = found.alert, services.book
    content = alert.work.content if alert.work else alert.issued.content if alert.issued else None
    edition = alert.work.edition if alert.work else alert.issued.edition if alert.issued else None
    tree = services.tree(edition)
    said, out = book.exclusions(alert.id), book.left_out(alert.id)
    areas = content.areas if content else ()
    # Those that it is for, whoever's they are: the city speaks on the screens of its wards.
    told = [
        one
        for one in screen_list.within(services, None)
        if one.screen.edition == tree.edition
        and one.screen.area in tree
        and any(code in tree and tree.covers(code, one.screen.area) for code in areas)
    ]
    names = {one.screen.id: one for one in told}
    wanted = screen_list.matching(services, told, screen_list.Wanted(words=words))
    ticked = {*typed.all("screen"), *typed.all("group")}
    offered = [one for one in wanted if one.screen.id not in out]
    # What was ticked is offered again, whatever words had found it.
    offered.sort(key=lambda one: str(one.screen.id) not in ticked)
    most = max(OFFERED, len(ticked))
    groups = [group for group in book.groups().values() if not group.retired]
    here = {one.screen.id for one in told}
    return show(
        request,
        visitor,
        "left-out.html",
        here="alerts",
        mode=content.mode if content else Mode.ACTUAL,
        status=422 if faults else 200,
        path=f"/console/alerts/{alert.id}/screens",
        alert=alert,
        headline=content.text("vi").headline if content else "",
        faults=faults,
        total=len(told),
        out=len(out & here),
        out_screens=[(one, names.get(one)) for one in sorted(said.screens)],
        out_groups=[group for group in groups if group.id in said.groups],
        offered=offered[:most],
        more=max(0, len(offered) - most),
        offered_groups=sorted(
            (group for group in groups if group.id not in said.groups and group.screens & here),
            key=lambda group: unaccented(group.name),
        ),
        words=words,
        reason=typed.one("reason"),
        ticked=ticked,
        may_change=alert.life in (Life.NEW, Life.LIVE) and visitor.may(alert.issuer_id, *deciders(alert)),
    )
