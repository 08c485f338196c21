"""Groups of screens: made by a body's managers, filled, set and ended."""

import hashlib
from collections.abc import Callable
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Path, Query, Request
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.log import ConflictError, Once, UnknownStreamError
from broadcaster.rules import RefusedError
from broadcaster.screen_group import ScreenGroup
from broadcaster.web import screen_list
from broadcaster.web.console import second_factor
from broadcaster.web.console.form import BoundForm, Form
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.screens.setting_form import setting_of
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.services import Services, WithServices
from schemas.areas import unaccented
from schemas.requests import ScreenName
from schemas.screen_control_requests import MOST_NAMED

router = APIRouter(prefix="/console/screen-groups", include_in_schema=False)

GroupId = Annotated[UUID, Path()]
OFFERED = 50
"""Screens that are offered at once; words narrow them down."""
_NAME: TypeAdapter[str] = TypeAdapter(ScreenName)


@router.get("")
def groups_page(request: Request, services: WithServices, visitor: WithVisitor) -> Response:
    """Every group, by name."""
    visitor.require_somewhere(*Role)
    return _list(request, services, visitor)


@router.post("")
def make(request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm) -> Response:
    """A new group. A form that comes twice makes one."""
    body = form.one("body")
    visitor.require(body, Role.MANAGER)
    try:
        name = _NAME.validate_python(form.one("name"))
    except ValidationError:
        return _list(
            request, services, visitor, (Fault("name", "invalid" if form.one("name") else "missing"),)
        )
    digest = hashlib.sha256(f"{body}\n{name}".encode()).digest()
    once = Once(visitor.name, f"console group {form.one('nonce')[:60]}", digest)
    made = services.screen_desk.make_group(visitor.by(body), body, name, at=services.now(), once=once)
    services.cache.refresh()
    return go(f"/console/screen-groups/{made.id}")


@router.get("/{group_id}")
def group_page(
    request: Request,
    services: WithServices,
    visitor: WithVisitor,
    group_id: GroupId,
    words: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Its screens, and those that may join it."""
    visitor.require_somewhere(*Role)
    return _one(request, services, visitor, _found(services, group_id), words=words)


@router.post("/{group_id}/screens")
def change(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, group_id: GroupId
) -> Response:
    """Puts the ticked ones in, takes the ticked ones out."""
    added, removed = _ids(form, "add"), _ids(form, "remove")
    now = services.now()
    return _done(
        request,
        services,
        visitor,
        group_id,
        lambda group: services.screen_desk.change_group(
            visitor.by(group.issuer_id), group_id, added, removed, at=now
        ),
    )


@router.post("/{group_id}/display")
def display(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, group_id: GroupId
) -> Response:
    """Brightness and quiet hours of those that have none of their own."""
    group = _found(services, group_id)
    visitor.require(group.issuer_id, Role.MANAGER)
    setting = setting_of(form)
    if isinstance(setting, Fault):
        return _one(request, services, visitor, group, (setting,))
    if wrong := second_factor.fault(services, visitor, form):
        return _one(request, services, visitor, group, (Fault("code", f"code-{wrong}"),))
    now = services.now()
    return _done(
        request,
        services,
        visitor,
        group_id,
        lambda one: services.screen_desk.set_group_display(
            visitor.by(one.issuer_id), group_id, setting, at=now
        ),
    )


@router.post("/{group_id}/retire")
def retire(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, group_id: GroupId
) -> Response:
    """Ends it."""
    group = _found(services, group_id)
    visitor.require(group.issuer_id, Role.MANAGER)
    if wrong := second_factor.fault(services, visitor, form):
        return _one(request, services, visitor, group, (Fault("code", f"code-{wrong}"),))
    now = services.now()
    return _done(
        request,
        services,
        visitor,
        group_id,
        lambda one: services.screen_desk.retire_group(visitor.by(one.issuer_id), group_id, at=now),
        to="/console/screen-groups",
    )


def _ids(form: Form, name: str) -> list[UUID]:
    try:
        return [UUID(value) for value in form.all(name)[:MOST_NAMED]]
    except ValueError:
        raise HTTPException(422) from None


def _found(services: Services, group_id: UUID) -> ScreenGroup:
    try:
        group = services.screen_desk.group(group_id)
    except UnknownStreamError:
        raise HTTPException(404) from None
    if group.retired:
        raise HTTPException(404)
    return group


def _done(
    request: Request,
    services: Services,
    visitor: Visitor,
    group_id: UUID,
    command: Callable[[ScreenGroup], object],
    *,
    to: str = "",
) -> Response:
    group = _found(services, group_id)
    visitor.require(group.issuer_id, Role.MANAGER)
    try:
        command(group)
    except RefusedError as refusal:
        return _one(request, services, visitor, group, (Fault("", refusal.rule.value),))
    except (ConflictError, UnknownStreamError):
        return _one(request, services, visitor, group, (Fault("", "moved-on"),))
    services.cache.refresh()
    return go(to or f"/console/screen-groups/{group_id}")


def _list(
    request: Request, services: Services, visitor: Visitor, faults: tuple[Fault, ...] = ()
) -> Response:
    services.book.refresh()
    kept = [group for group in services.book.groups().values() if not group.retired]
    managed = visitor.bodies(Role.MANAGER)
    return show(
        request,
        visitor,
        "screen-groups.html",
        here="screens",
        status=422 if faults else 200,
        path="/console/screen-groups",
        faults=faults,
        groups=[
            (group, services.directory.body_name(group.issuer_id))
            for group in sorted(kept, key=lambda one: (unaccented(one.name), one.id))
        ],
        bodies=[(body, services.directory.body_name(body)) for body in managed],
        nonce=uuid4(),
    )


def _one(
    request: Request,
    services: Services,
    visitor: Visitor,
    group: ScreenGroup,
    faults: tuple[Fault, ...] = (),
    *,
    words: str = "",
) -> Response:
    every = screen_list.within(services, [group.issuer_id])
    inside = [one for one in every if one.screen.id in group.screens]
    wanted = screen_list.matching(services, every, screen_list.Wanted(words=words))
    outside = [one for one in wanted if one.screen.id not in group.screens]
    return show(
        request,
        visitor,
        "screen-group.html",
        here="screens",
        status=422 if faults else 200,
        path=f"/console/screen-groups/{group.id}",
        faults=faults,
        group=group,
        owner=services.directory.body_name(group.issuer_id),
        inside=inside[:MOST_NAMED],
        offered=outside[:OFFERED],
        more=max(0, len(outside) - OFFERED),
        words=words,
        may_manage=visitor.may(group.issuer_id, Role.MANAGER),
    )
