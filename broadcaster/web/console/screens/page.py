"""The page of one screen within the areas of the visitor's bodies: what it shows, and who may set it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.web.console.frame import show
from broadcaster.web.console.screens import history as screen_history
from broadcaster.web.console.screens import showing
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.directory import PlacedScreen
from broadcaster.web.services import Services, WithServices
from projections.reach import view as reach
from schemas.events import ScreenKind

router = APIRouter(prefix="/console/screens/{screen_id}", include_in_schema=False)

ScreenId = Annotated[UUID, Path()]


@router.get("")
def screen_page(
    request: Request, services: WithServices, visitor: WithVisitor, screen_id: ScreenId
) -> Response:
    """One screen, and every page that it shows in turn."""
    visitor.require_somewhere(*Role)
    return one(request, services, visitor, found(services, visitor, screen_id))


def managing(services: Services, visitor: Visitor, screen: PlacedScreen) -> list[str]:
    """The bodies for which the visitor may take it down, and set it."""
    tree = services.tree(screen.edition)
    return [
        body
        for body in visitor.bodies(Role.MANAGER)
        if (found := services.body(body)) and found.reaches(screen.area, tree)
    ]


def found(services: Services, visitor: Visitor, screen_id: UUID) -> PlacedScreen:
    """A screen within the areas of the visitor's bodies. Raises HTTPException."""
    services.directory.refresh()
    screen = services.directory.screens().get(screen_id)
    if screen is not None:
        tree = services.tree(screen.edition)
        for name in visitor.bodies():
            body = services.body(name)
            if body is not None and body.reaches(screen.area, tree):
                return screen
    raise HTTPException(404)


def one(
    request: Request,
    services: Services,
    visitor: Visitor,
    screen: PlacedScreen,
    faults: tuple[Fault, ...] = (),
) -> Response:
    """The page of a screen."""
    book = services.book
    with services.reading() as conn:
        shown = reach.shown_on(conn, screen.id)
    return show(
        request,
        visitor,
        "screen.html",
        here="screens",
        status=422 if faults else 200,
        path=f"/console/screens/{screen.id}",
        sight=showing.of(services, screen),
        faults=faults,
        may_manage=bool(managing(services, visitor, screen)),
        own=book.control(screen.id),
        holds=book.setting(screen.id),
        groups=book.groups_of(screen.id),
        kinds=list(ScreenKind),
        plays=services.plays.of_screen(screen.id),
        shown=shown,
        past=screen_history.past(services, screen.id),
        now=services.now(),
    )
