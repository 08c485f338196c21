"""Screens: putting them up and taking them down, and which there are."""

from base64 import b64encode
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Query

from broadcaster.account import Role
from broadcaster.keys.rows import KeyKind
from broadcaster.web import screen_list
from broadcaster.web.api.place_models import (
    ScreenCreated,
    ScreenPage,
    ScreensWanted,
    screen_answer,
)
from broadcaster.web.auth import Staff, WithOnce, actor
from broadcaster.web.feeds.known_screens import ACCOUNT
from broadcaster.web.feeds.polls import FEED_PATH, ServedCount
from broadcaster.web.openapi import SCREEN_EXAMPLE, problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import WithServices
from schemas.requests import NewScreen

router = APIRouter(prefix="/v1/screens", tags=["screens"])


@router.post(
    "",
    status_code=201,
    summary="Put up a screen",
    responses=problems_of(401, 403, 409, 422, command=True),
    openapi_extra=SCREEN_EXAMPLE,
)
def register(services: WithServices, principal: Staff, once: WithOnce, request: NewScreen) -> ScreenCreated:
    """For managers, within the area of the key's body.

    The key is shown this once. A repeat with the same Idempotency-Key answers the same screen with a
    new key and ends the former one, for nobody can show that again.
    """
    ports, now = services.ports, services.now()
    fresh = uuid4()
    screen = ports.setup.register_screen(
        actor(principal),
        fresh,
        name=request.name,
        area=request.area,
        profile=request.profile,
        drills=request.drills,
        at=now,
        once=once,
    )
    account = f"{ACCOUNT}{screen.id}"
    if screen.id != fresh:
        ports.keys.replace_account(account, now, by=actor(principal))
    _, key = ports.keys.create(account, None, KeyKind.SCREEN, now)
    services.cache.refresh()
    return ScreenCreated(
        screen_id=screen.id,
        name=screen.name,
        area=screen.area,
        profile=screen.profile,
        drills=screen.drills,
        key=key,
        feed_url=f"{ports.base_url}{FEED_PATH}",
        feed_key=b64encode(ports.feed_key.public).decode(),
    )


@router.get("", summary="List screens", responses=problems_of(401, 403, 422))
def list_screens(
    services: WithServices, principal: Staff, wanted: Annotated[ScreensWanted, Query()]
) -> ScreenPage:
    """For managers: those within the area of the key's body, by name, with how each was last heard of.

    `next` goes on where there are more: pass it as `after`.
    """
    services.require(principal.account, principal.body, Role.MANAGER)
    every = screen_list.within(services, [principal.body] if principal.body else [])
    found = screen_list.matching(services, every, wanted.asked)
    start = next((i + 1 for i, one in enumerate(found) if one.screen.id == wanted.after), 0)
    page = found[start : start + wanted.limit]
    return ScreenPage(
        screens=[screen_answer(one, services.served.get(one.screen.id, ServedCount())) for one in page],
        found=len(found),
        next=page[-1].screen.id if page and start + wanted.limit < len(found) else None,
    )


@router.delete(
    "/{screen_id}",
    status_code=204,
    summary="Take down a screen",
    responses=problems_of(401, 403, 404, 409, 422),
)
def remove(services: WithServices, principal: Staff, screen_id: UUID) -> None:
    """For managers. Its key is refused from now on."""
    services.directory.refresh()
    if screen_id not in services.directory.screens():
        raise ProblemError("not-found", "There is no such screen in service.")
    now = services.now()
    services.ports.setup.remove_screen(actor(principal), screen_id, at=now)
    services.ports.keys.revoke_account(f"{ACCOUNT}{screen_id}", now)
    services.cache.refresh()
