"""What a manager does with one screen: where it is, how bright, a sign of life, a test, its end."""

from collections.abc import Callable
from datetime import timedelta

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.log import ConflictError
from broadcaster.rules import RefusedError
from broadcaster.screen_control import Spot
from broadcaster.web.console import second_factor
from broadcaster.web.console.form import BoundForm
from broadcaster.web.console.frame import go
from broadcaster.web.console.screens.page import ScreenId, found, managing, one
from broadcaster.web.console.screens.setting_form import setting_of
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.directory import PlacedScreen
from broadcaster.web.feeds.known_screens import ACCOUNT
from broadcaster.web.services import Services, WithServices
from schemas.events import Actor
from schemas.screen_control_requests import ScreenPlace

router = APIRouter(prefix="/console/screens/{screen_id}", include_in_schema=False)

PATTERN = timedelta(minutes=2)


@router.post("/identify")
def identify(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, screen_id: ScreenId
) -> Response:
    """Has it flash, so that someone in the street can tell which it is."""
    del form
    screen = found(services, visitor, screen_id)
    by, now = _manager(services, visitor, screen), services.now()
    return _done(
        request, services, visitor, screen, lambda: services.screens.identify(by, screen_id, at=now)
    )


@router.post("/test-pattern")
def test_pattern(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, screen_id: ScreenId
) -> Response:
    """Two minutes of its test pattern, or an end to it."""
    screen = found(services, visitor, screen_id)
    by, now = _manager(services, visitor, screen), services.now()
    length = timedelta() if form.ticked("stop") else PATTERN
    return _done(
        request,
        services,
        visitor,
        screen,
        lambda: services.screen_desk.ask_pattern(by, screen_id, length, at=now),
    )


@router.post("/place")
def place(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, screen_id: ScreenId
) -> Response:
    """The kind of place, and the point for the map."""
    screen = found(services, visitor, screen_id)
    by, now = _manager(services, visitor, screen), services.now()
    names = ("kind", "latitude", "longitude")
    try:
        said = ScreenPlace.model_validate({name: form.one(name) for name in names if form.one(name)})
    except ValidationError:
        return one(request, services, visitor, screen, (Fault("latitude", "point"),))
    spot = None
    if said.latitude is not None and said.longitude is not None:
        spot = Spot(said.latitude, said.longitude)
    return _done(
        request,
        services,
        visitor,
        screen,
        lambda: services.screen_desk.describe(by, screen_id, said.kind, spot, at=now),
    )


@router.post("/display")
def display(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, screen_id: ScreenId
) -> Response:
    """Its own brightness and quiet hours; with a fresh second factor, for they can keep it dark."""
    screen = found(services, visitor, screen_id)
    by, now = _manager(services, visitor, screen), services.now()
    setting = setting_of(form)
    if isinstance(setting, Fault):
        return one(request, services, visitor, screen, (setting,))
    if wrong := second_factor.fault(services, visitor, form):
        return one(request, services, visitor, screen, (Fault("code", f"code-{wrong}"),))
    return _done(
        request,
        services,
        visitor,
        screen,
        lambda: services.screen_desk.set_display(by, screen_id, setting, at=now),
    )


@router.post("/take-down")
def take_down(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, screen_id: ScreenId
) -> Response:
    """Takes it out of service; its key is refused from now on."""
    screen = found(services, visitor, screen_id)
    by, now = _manager(services, visitor, screen), services.now()
    if wrong := second_factor.fault(services, visitor, form):
        return one(request, services, visitor, screen, (Fault("code", f"code-{wrong}"),))
    try:
        services.ports.setup.remove_screen(by, screen_id, at=now)
    except RefusedError as refusal:
        return one(request, services, visitor, screen, (Fault("", refusal.rule.value),))
    except ConflictError:
        return one(request, services, visitor, screen, (Fault("", "moved-on"),))
    services.ports.keys.revoke_account(f"{ACCOUNT}{screen_id}", now)
    services.cache.refresh()
    return go("/console/screens")


def _manager(services: Services, visitor: Visitor, screen: PlacedScreen) -> Actor:
    bodies = managing(services, visitor, screen)
    if not bodies:
        visitor.require_somewhere(Role.MANAGER)
        raise HTTPException(403)
    return visitor.by(bodies[0])


def _done(
    request: Request,
    services: Services,
    visitor: Visitor,
    screen: PlacedScreen,
    command: Callable[[], object],
) -> Response:
    try:
        command()
    except RefusedError as refusal:
        return one(request, services, visitor, screen, (Fault("", refusal.rule.value),))
    except ConflictError:
        return one(request, services, visitor, screen, (Fault("", "moved-on"),))
    services.cache.refresh()
    return go(f"/console/screens/{screen.id}")
