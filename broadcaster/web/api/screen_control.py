"""What a screen shows now and what is set of it; groups; the screens an alert leaves out."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from broadcaster.account import Role
from broadcaster.screen_control import Spot
from broadcaster.web import screen_list, showing_now
from broadcaster.web.api.screen_control_models import (
    AlertScreensAnswer,
    FirstShown,
    FramePage,
    Play,
    ScreenControlAnswer,
    ScreenGroupAnswer,
    ScreenGroupPage,
    ScreenNow,
    control_answer,
    exclusions_answer,
    group_answer,
)
from broadcaster.web.api.templates import own_body
from broadcaster.web.auth import Staff, WithOnce, actor
from broadcaster.web.directory import PlacedScreen
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from projections.reach import view as reach
from schemas.requests import BodyId
from schemas.screen_control_requests import (
    NewScreenGroup,
    ScreenDisplay,
    ScreenGroupChange,
    ScreenPlace,
    ScreensExcluded,
    ScreensNamed,
    TestPattern,
)

router = APIRouter(prefix="/v1", tags=["screens"])

_PROBLEMS = problems_of(401, 403, 404, 409, 422, command=True)


@router.get(
    "/screens/{screen_id}", summary="What a screen shows now", responses=problems_of(401, 403, 404, 422)
)
def read_screen(services: WithServices, principal: Staff, screen_id: UUID) -> ScreenNow:
    """For managers, within the area of the key's body: what we serve it, beside what it says itself."""
    services.require(principal.account, principal.body, Role.MANAGER)
    screen = _found(services, principal.body, screen_id)
    seen, now = screen_list.one(services, screen), showing_now.now_of(services, screen)
    says = seen.sighting.showing
    with services.reading() as conn:
        shown = reach.shown_on(conn, screen_id)
    return ScreenNow(
        screen_id=screen.id,
        name=screen.name,
        area=screen.area,
        profile=screen.profile,
        contact=seen.contact,
        last_seen=seen.sighting.last_seen,
        offline_since=seen.sighting.offline_since,
        opens=screen.hours.opens,
        closes=screen.hours.closes,
        serves=[
            FramePage(
                alert_id=one.alert_id,
                version=one.version,
                lines=list(one.lines),
                frame=one.frame,
                ms=one.ms,
            )
            for one in now.shots
        ],
        says_alert=says and says[0],
        says_version=says and says[1],
        agrees=None if says is None else says in now.versions,
        faults=seen.sighting.faults,
        plays=[Play.model_validate(one._asdict()) for one in services.plays.of_screen(screen_id)],
        first_shown=[
            FirstShown(alert_id=alert_id, version=version, shown_at=at) for alert_id, version, at in shown
        ],
        control=_control(services, screen_id),
    )


@router.put("/screens/{screen_id}/place", summary="Say where a screen is", responses=_PROBLEMS)
def set_place(
    services: WithServices, principal: Staff, screen_id: UUID, request: ScreenPlace
) -> ScreenControlAnswer:
    """For managers: the kind of place and the point, for the map. It replaces what was said before."""
    spot = None
    if request.latitude is not None and request.longitude is not None:
        spot = Spot(request.latitude, request.longitude)
    by = actor(principal)
    services.screen_desk.describe(by, screen_id, request.kind, spot, at=services.now())
    return _changed(services, screen_id)


@router.put("/screens/{screen_id}/display", summary="Set brightness and quiet hours", responses=_PROBLEMS)
def set_display(
    services: WithServices, principal: Staff, screen_id: UUID, request: ScreenDisplay
) -> ScreenControlAnswer:
    """For managers. Its feed tells them in `display`; what is left out is left to its groups.

    In quiet hours only what has the screen for itself is shown, unless `hides_emergencies` says otherwise.
    """
    services.screen_desk.set_display(actor(principal), screen_id, request.setting, at=services.now())
    return _changed(services, screen_id)


@router.post(
    "/screens/{screen_id}/test-pattern", summary="Show a screen's test pattern", responses=_PROBLEMS
)
def ask_pattern(
    services: WithServices, principal: Staff, screen_id: UUID, request: TestPattern
) -> ScreenControlAnswer:
    """For managers: an item of status `test` in this screen's feed alone, at most ten minutes.

    It has the screen for itself only while nothing that is meant is in the feed; then it takes its turn.
    """
    length = timedelta(seconds=request.seconds)
    services.screen_desk.ask_pattern(actor(principal), screen_id, length, at=services.now())
    return _changed(services, screen_id)


@router.post("/screen-groups", status_code=201, summary="Make a group of screens", responses=_PROBLEMS)
def make_group(
    services: WithServices, principal: Staff, once: WithOnce, request: NewScreenGroup
) -> ScreenGroupAnswer:
    """For managers of the body that owns it."""
    made = services.screen_desk.make_group(
        actor(principal), own_body(principal, request.issuer), request.name, at=services.now(), once=once
    )
    services.cache.refresh()
    return group_answer(made)


@router.get("/screen-groups", summary="List groups of screens", responses=problems_of(401, 422))
def list_groups(
    services: WithServices,
    principal: Staff,
    issuer: Annotated[BodyId | None, Query(description="Only of this body.")] = None,
) -> ScreenGroupPage:
    """For staff."""
    del principal
    services.book.refresh()
    return ScreenGroupPage(
        groups=[
            group_answer(group)
            for group in services.book.groups().values()
            if not group.retired and issuer in (None, group.issuer_id)
        ]
    )


@router.get(
    "/screen-groups/{group_id}", summary="Read a group of screens", responses=problems_of(401, 404, 422)
)
def read_group(services: WithServices, principal: Staff, group_id: UUID) -> ScreenGroupAnswer:
    """For staff."""
    del principal
    return group_answer(services.screen_desk.group(group_id))


@router.post(
    "/screen-groups/{group_id}/screens", summary="Put screens in a group, or out", responses=_PROBLEMS
)
def change_group(
    services: WithServices, principal: Staff, group_id: UUID, request: ScreenGroupChange
) -> ScreenGroupAnswer:
    """For managers of its body: screens within the body's area, at most 1,000 a request."""
    after = services.screen_desk.change_group(
        actor(principal), group_id, request.add, request.remove, at=services.now()
    )
    services.cache.refresh()
    return group_answer(after)


@router.put(
    "/screen-groups/{group_id}/display",
    summary="Set brightness and quiet hours of a group",
    responses=_PROBLEMS,
)
def set_group_display(
    services: WithServices, principal: Staff, group_id: UUID, request: ScreenDisplay
) -> ScreenGroupAnswer:
    """For managers of its body. A screen's own setting goes first; of several groups, the one set last."""
    after = services.screen_desk.set_group_display(
        actor(principal), group_id, request.setting, at=services.now()
    )
    services.cache.refresh()
    return group_answer(after)


@router.post("/screen-groups/{group_id}/retire", summary="End a group of screens", responses=_PROBLEMS)
def retire_group(services: WithServices, principal: Staff, group_id: UUID) -> ScreenGroupAnswer:
    """For managers of its body. Its settings and what it was left out of hold no longer."""
    after = services.screen_desk.retire_group(actor(principal), group_id, at=services.now())
    services.cache.refresh()
    return group_answer(after)


@router.get(
    "/alerts/{alert_id}/screens",
    summary="The screens an alert leaves out",
    responses=problems_of(401, 404, 422),
)
def read_exclusions(services: WithServices, principal: Staff, alert_id: UUID) -> AlertScreensAnswer:
    """For staff: as it was said, and the screens it comes to."""
    del principal
    services.ports.office.alert(alert_id)
    return _exclusions(services, alert_id)


@router.post(
    "/alerts/{alert_id}/screens/exclude", summary="Leave screens out of an alert", responses=_PROBLEMS
)
def exclude(
    services: WithServices, principal: Staff, alert_id: UUID, request: ScreensExcluded
) -> AlertScreensAnswer:
    """For the alert's author while it is a draft, for its approvers from then on, while it is live too.

    Their feeds drop it at once and name it in `excluded`. Reach counts them apart.
    """
    services.screen_desk.exclude(
        actor(principal),
        alert_id,
        request.screens,
        request.groups,
        request.reason,
        at=services.now(),
    )
    return _exclusions(services, alert_id)


@router.post(
    "/alerts/{alert_id}/screens/readmit", summary="Have screens show an alert again", responses=_PROBLEMS
)
def readmit(
    services: WithServices, principal: Staff, alert_id: UUID, request: ScreensNamed
) -> AlertScreensAnswer:
    """The same version comes back to their feeds at once."""
    services.screen_desk.readmit(
        actor(principal), alert_id, request.screens, request.groups, at=services.now()
    )
    return _exclusions(services, alert_id)


def _found(services: Services, body_id: str | None, screen_id: UUID) -> PlacedScreen:
    services.directory.refresh()
    screen, body = services.directory.screens().get(screen_id), services.body(body_id)
    if screen is None or body is None or not body.reaches(screen.area, services.tree(screen.edition)):
        raise ProblemError("not-found", "There is no such screen in service within your area.")
    return screen


def _changed(services: Services, screen_id: UUID) -> ScreenControlAnswer:
    services.cache.refresh()
    return _control(services, screen_id)


def _control(services: Services, screen_id: UUID) -> ScreenControlAnswer:
    book = services.book
    return control_answer(book.control(screen_id), book.setting(screen_id), book.groups_of(screen_id))


def _exclusions(services: Services, alert_id: UUID) -> AlertScreensAnswer:
    services.cache.refresh()
    return exclusions_answer(services.book.exclusions(alert_id), services.book.left_out(alert_id))
