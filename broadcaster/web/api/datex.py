"""What screens show, for other systems of the road: a read-only DATEX II v3 VmsPublication."""

import hashlib
from collections.abc import Iterator
from itertools import groupby
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from broadcaster.screens.datex import MEDIA_TYPE, Message, Page, Sign, publication, statuses
from broadcaster.screens.sightings import Contact
from broadcaster.web import screen_list, showing_now
from broadcaster.web.api.tags import IfNoneMatch
from broadcaster.web.auth import Staff
from broadcaster.web.feeds.polls import matches
from broadcaster.web.openapi import problems_of
from broadcaster.web.screen_list import Listed
from broadcaster.web.services import Services, WithServices
from schemas.content import Mode
from schemas.requests import Body

router = APIRouter(prefix="/v1/datex2", tags=["screens"])

_WORKING = {Contact.ONLINE: True, Contact.OFFLINE: False}


class Wanted(Body):
    """Which page."""

    after: Annotated[UUID | None, Field(description="The screen that the page before ended with.")] = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 500


@router.get(
    "/vms.xml",
    summary="What screens show, as DATEX II",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}}, 204: {"description": "No screen"}}
    | problems_of(304, 401, 404, 422),
)
def read_vms(
    services: WithServices,
    principal: Staff,
    wanted: Annotated[Wanted, Query()],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """For staff: the screens within the area of the key's body, by id; `Link: <...>; rel="next"` goes on.

    What they are served now, by the rules they show it by; exercises and tests are left out. 204 where
    there is no screen, for the model has no publication without one. The ETag is
    weak: the publication time is not in it.
    """
    every = screen_list.within(services, [principal.body] if principal.body else [])
    every.sort(key=lambda one: one.screen.id)
    rest = [one for one in every if wanted.after is None or one.screen.id > wanted.after]
    page = rest[: wanted.limit]
    inner = statuses(_sign(services, one) for one in page)
    tag = f'W/"{hashlib.sha256(inner.encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if len(rest) > len(page):
        following = f"/v1/datex2/vms.xml?limit={wanted.limit}&after={page[-1].screen.id}"
        headers["Link"] = f'<{services.ports.base_url}{following}>; rel="next"'
    if matches((if_none_match or "").encode("latin-1", "replace"), tag.removeprefix("W/").encode()):
        return Response(status_code=304, headers=headers)
    if not page:
        return Response(status_code=204, headers=headers)
    publisher = services.directory.body_name(principal.body) if principal.body else "-"
    body = publication(inner, country="VN", publisher=publisher, published_at=services.now())
    return Response(body, headers=headers, media_type=MEDIA_TYPE)


def _sign(services: Services, listed: Listed) -> Sign:
    shown = showing_now.now_of(services, listed.screen)
    silent = listed.sighting.offline_since if listed.contact is Contact.OFFLINE else None
    return Sign(
        listed.screen.id,
        _WORKING.get(listed.contact),
        silent,
        tuple(_messages(services, shown)),
    )


def _messages(services: Services, shown: showing_now.Now) -> Iterator[Message]:
    for (alert_id, version), shots in groupby(shown.shots, key=lambda one: (one.alert_id, one.version)):
        pages = list(shots)
        first = pages[0]
        if alert_id is None or version is None or first.status != Mode.ACTUAL or first.since is None:
            continue
        yield Message(
            alert_id=alert_id,
            version=version,
            set_at=first.since,
            pages=tuple(Page(one.lines, f"{services.ports.base_url}{one.src}") for one in pages),
            seconds=max(1, first.ms // 1000),
        )
