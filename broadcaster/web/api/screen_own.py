"""What a screen polls by its own key, and what it reports."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Path, Response

from broadcaster.screens.tailoring import tailored
from broadcaster.web.api.pairing_models import PlaysTaken
from broadcaster.web.api.place_models import ScreenReported
from broadcaster.web.auth import ScreenId
from broadcaster.web.feeds.forms import NotOneBitError
from broadcaster.web.feeds.polls import matches, note, server_time
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from projections.feeds import view as feeds
from projections.feeds.render import etag
from schemas.requests import ScreenReport
from schemas.screen_requests import PlayBatch

router = APIRouter(prefix="/v1/screens", tags=["screens"])

State = Annotated[
    str | None,
    Header(
        alias="X-Screen-State",
        description="How the screen is, with any poll: `seq=1841;show=<alert>/<version>;err=0;up=3600`.",
    ),
]


@router.head("/me/feed", include_in_schema=False)
@router.get(
    "/me/feed",
    summary="The feed a screen polls",
    responses={200: {"content": {"application/json": {}}}} | problems_of(304, 401, 403, 503),
    response_class=Response,
)
def read_feed(
    services: WithServices,
    screen_id: ScreenId,
    if_none_match: Annotated[str | None, Header(alias="If-None-Match")] = None,
    state: State = None,
) -> Response:
    """What to show, for the screen's area and display. Poll it with the ETag you have.

    `Prefer: wait=50` with `If-None-Match` keeps the poll open until the feed changes, at most 55 seconds.
    A body is signed: `X-Feed-Signature: ed25519=<base64>;key=<key id>`, by the key of `/v1/feed-key`.
    Refuse a body whose (epoch, seq) is lower than your last. Every answer carries `X-Server-Time`,
    milliseconds since 1970. On any error keep what you have and let it expire by
    your own clock. HEAD is answered too.
    """
    # front.py answers from memory before this is reached; here is what it does not know yet.
    placed = services.directory.screens().get(screen_id)
    with services.reading() as conn:
        feed = feeds.feed(conn, placed.area, placed.profile, drills=placed.drills) if placed else None
    if feed is None:
        raise _being_made()
    now = services.now()
    services.book.refresh()
    overlay = services.book.overlay(screen_id, now)
    body = tailored(feed.body, overlay) if overlay else feed.body
    tag = feed.etag if body is feed.body else etag(body)
    unchanged = _polled(services, screen_id, now, tag.encode(), (if_none_match, state))
    headers = {
        "ETag": tag,
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization, Prefer",
        "X-Server-Time": server_time(now),
    }
    if placed is not None and placed.identify_until is not None and now < placed.identify_until:
        headers["X-Screen-Identify"] = server_time(placed.identify_until)
    if unchanged:
        return Response(status_code=304, headers=headers)
    headers["X-Feed-Signature"] = services.ports.feed_key.sign(body)
    return Response(body, headers=headers, media_type="application/json")


@router.head("/me/feed.{form}", include_in_schema=False)
@router.get(
    "/me/feed.{form}",
    summary="The feed as plain text, NTCIP 1203 MULTI or raw bits",
    responses={
        200: {
            "content": {
                "text/plain": {"schema": {"type": "string"}},
                "application/json": {},
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            }
        }
    }
    | problems_of(304, 401, 403, 404, 422, 503),
    response_class=Response,
)
def read_form(
    services: WithServices,
    screen_id: ScreenId,
    form: Annotated[Literal["txt", "multi", "bin"], Path()],
    if_none_match: Annotated[str | None, Header(alias="If-None-Match")] = None,
    state: State = None,
) -> Response:
    """The same alerts, with an ETag of its own. Raw bits are for displays of one bit a pixel only.

    The layouts are in docs/screens.md. Made when first asked for after a change, then served from memory.
    """
    placed = services.directory.screens().get(screen_id)
    feed = services.cache.feed_for(placed.id, placed.pair) if placed else None
    if feed is None:
        raise _being_made()
    try:
        made = services.forms.form(feed, form)
    except NotOneBitError as error:
        raise ProblemError("not-found", str(error)) from None
    if made is None:
        raise _being_made()
    now = services.now()
    unchanged = _polled(services, screen_id, now, made.etag, (if_none_match, state))
    headers = {
        name.decode(): value.decode() for name, value in (made.unchanged if unchanged else made.whole)
    }
    headers["x-server-time"] = server_time(now)
    return Response(b"" if unchanged else made.body, 304 if unchanged else 200, headers=headers)


def _polled(
    services: Services, screen_id: UUID, now: datetime, tag: bytes, sent: tuple[str | None, str | None]
) -> bool:
    """Notes the poll, with its If-None-Match and its state; whether the screen has these bytes already."""
    if_none_match, state = ((each or "").encode("latin-1", "replace") for each in sent)
    unchanged = matches(if_none_match, tag)
    note(services.served, screen_id, now, unchanged=unchanged, state=state)
    return unchanged


@router.get(
    "/me/events",
    summary="Hints that the feed has changed",
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}
    | problems_of(401, 403, 503),
    response_class=Response,
)
def read_hints(services: WithServices, _: ScreenId) -> Response:
    """Server-sent events for the screen's area and display: `event: feed`, `id` and `seq` its number.

    The first says the present number, each next that the feed has changed: poll it. A hint carries no
    alert and no signature; what is missed is not repeated. `: alive` comes every 20 seconds; a stream ends
    after an hour, with its key, or when the same screen opens another. 5,000 in a process at most; beyond
    that, 503: poll with `Prefer: wait=`.
    """
    # front.py streams from memory before this is reached; who comes here cannot be served now.
    services.refused["hints_full"] += 1
    raise _being_made()


def _being_made() -> ProblemError:
    return ProblemError("unavailable", "The feed is being made.", headers={"Retry-After": "1"})


@router.post("/me/reports", summary="Report what is on", responses=problems_of(401, 403, 409, 422))
def report(services: WithServices, screen_id: ScreenId, request: ScreenReport) -> ScreenReported:
    """What a screen shows. Only what it shows for the first time is kept, so reporting often is free."""
    return ScreenReported(
        new=services.ports.setup.screen_showed(screen_id, request.facts, at=services.now())
    )


@router.post("/me/plays", summary="Report plays", responses=problems_of(401, 403, 422))
def plays(services: WithServices, screen_id: ScreenId, request: PlayBatch) -> PlaysTaken:
    """How often each version was on since the last batch: every hour is often enough.

    A batch that is sent again counts once. Lines of alerts that are not known are passed over.
    """
    taken = services.plays.take(screen_id, request.batch, request.plays, services.now())
    return PlaysTaken(taken=taken or 0, repeated=taken is None)
