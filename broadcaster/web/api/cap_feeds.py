"""Feeds of live alerts, for other systems and for readers."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response

from broadcaster.cap import feeds
from broadcaster.cap.feeds import CAP_TYPE, Entry, Page
from broadcaster.cap.geojson import GEOJSON_TYPE, geojson
from broadcaster.cap.render import area_name
from broadcaster.cap.xibo import NO_ALERTS, NO_ALERTS_TYPE, condensed
from broadcaster.office import LONGEST_LIFE
from broadcaster.web.api.cap import message, tagged
from broadcaster.web.api.cap_models import FeedWanted
from broadcaster.web.api.tags import IfNoneMatch
from broadcaster.web.copies.terms import while_it_may_change
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from projections.board import view as board
from projections.board.fold import BoardRow, Status
from projections.feeds.notice import priority

router = APIRouter(prefix="/v1/feeds", tags=["alerts"])

_CHUNK = 200
_CACHE = while_it_may_change()
"""A shared cache takes the load, and neither an emergency nor a withdrawal waits."""
_ANSWERS = problems_of(304, 404, 422)
_ATOM, _RSS, _JSON = "application/atom+xml", "application/rss+xml", "application/feed+json"

Wanted = Annotated[FeedWanted, Query()]


@router.head("/cap.atom", include_in_schema=False)
@router.get(
    "/cap.atom",
    summary="Atom feed of CAP messages",
    response_class=Response,
    responses={200: {"content": {_ATOM: {}}}} | _ANSWERS,
)
def cap_atom(services: WithServices, wanted: Wanted, if_none_match: IfNoneMatch = None) -> Response:
    """Every alert that holds, with a link to its CAP message, the latest changed first.

    A withdrawal stays in it until the alert would have ended, so that whoever follows it learns of it.
    """
    page = _page(services, wanted, "cap.atom", ("live", "cancelled"))
    return tagged(feeds.atom(page), _ATOM, if_none_match, _CACHE)


@router.head("/alerts.rss", include_in_schema=False)
@router.get(
    "/alerts.rss",
    summary="RSS feed of live alerts",
    response_class=Response,
    responses={200: {"content": {_RSS: {}}}} | _ANSWERS,
)
def alerts_rss(services: WithServices, wanted: Wanted, if_none_match: IfNoneMatch = None) -> Response:
    """What holds now, the latest changed first."""
    page = _page(services, wanted, "alerts.rss", ("live",))
    return tagged(feeds.rss(page), _RSS, if_none_match, _CACHE)


@router.head("/alerts.json", include_in_schema=False)
@router.get(
    "/alerts.json",
    summary="JSON feed of live alerts",
    response_class=Response,
    responses={200: {"content": {_JSON: {}}}} | _ANSWERS,
)
def alerts_json(services: WithServices, wanted: Wanted, if_none_match: IfNoneMatch = None) -> Response:
    """JSON Feed 1.1 of what holds now, the latest changed first."""
    page = _page(services, wanted, "alerts.json", ("live",))
    return tagged(feeds.json_feed(page), _JSON, if_none_match, _CACHE)


@router.head("/alerts.geojson", include_in_schema=False)
@router.get(
    "/alerts.geojson",
    summary="GeoJSON of live alerts",
    response_class=Response,
    responses={200: {"content": {GEOJSON_TYPE: {}}}} | _ANSWERS,
)
def alerts_geojson(services: WithServices, wanted: Wanted, if_none_match: IfNoneMatch = None) -> Response:
    """RFC 7946: each alert at the places of its areas, or at none where none is known."""
    page = _page(services, wanted, "alerts.geojson", ("live",))
    return tagged(geojson(page), GEOJSON_TYPE, if_none_match, _CACHE)


@router.head("/xibo.cap", include_in_schema=False)
@router.get(
    "/xibo.cap",
    summary="The gravest live alert, for Xibo's CAP connector",
    response_class=Response,
    responses={200: {"content": {CAP_TYPE: {}, NO_ALERTS_TYPE: {}}}} | _ANSWERS,
)
def xibo_cap(services: WithServices, wanted: Wanted, if_none_match: IfNoneMatch = None) -> Response:
    """One CAP message: that connector reads one an address. Where nothing holds, its own word for that.

    Give each group of displays the address of its own area. Of equally grave ones the latest changed. Each
    `info` has one area, which names them all; the message as it was sent is at `/v1/alerts/{id}.cap`.
    """
    areas = _covering(services, wanted.area) if wanted.area else None
    with services.reading() as conn:

        def find(status: Status, limit: int, before: int | None) -> list[BoardRow]:
            return board.find(
                conn, status=status, areas=areas, mode=wanted.mode, limit=limit, before=before
            )

        live = list(_holding(find, "live", FeedWanted(category=wanted.category, limit=200), services.now()))
    if not live:
        return tagged(NO_ALERTS, NO_ALERTS_TYPE, if_none_match, _CACHE)
    gravest = max(live, key=lambda row: (priority(row.content), row.position))
    _, data = message(services, gravest.alert_id)
    return tagged(condensed(data), CAP_TYPE, if_none_match, _CACHE)


def _page(services: Services, wanted: FeedWanted, name: str, statuses: Sequence[Status]) -> Page:
    areas = _covering(services, wanted.area) if wanted.area else None
    now = services.now()
    rows: list[BoardRow] = []
    with services.reading() as conn:

        def find(status: Status, limit: int, before: int | None) -> list[BoardRow]:
            return board.find(
                conn, status=status, areas=areas, mode=wanted.mode, limit=limit, before=before
            )

        for status in statuses:
            rows += _holding(find, status, wanted, now)
        ended = [
            row.changed_at
            for status in _ENDED
            for row in board.find(conn, status=status, mode=wanted.mode, limit=1)
        ]
    rows.sort(key=lambda row: -row.position)
    shown = [_entry(services, row) for row in rows[: wanted.limit]]
    more = rows[wanted.limit - 1].position if len(rows) > wanted.limit else None
    url = f"{services.ports.base_url}/v1/feeds/{name}"
    return Page(
        url=_address(url, wanted, wanted.before),
        home=services.ports.base_url,
        next_url=_address(url, wanted, more) if more else None,
        updated=max([*(entry.sent for entry in shown), *ended], default=feeds.NEVER),
        entries=shown,
    )


_ENDED: tuple[Status, ...] = ("cancelled", "expired")


def _holding(
    find: Callable[[Status, int, int | None], list[BoardRow]],
    status: Status,
    wanted: FeedWanted,
    now: datetime,
) -> Iterable[BoardRow]:
    """Rows whose time is not up, one more than the page holds where there is one."""
    found: list[BoardRow] = []
    before = wanted.before
    while len(found) <= wanted.limit:
        chunk = find(status, _CHUNK, before)
        found += [
            row
            for row in chunk
            if row.expires_at is not None
            and row.expires_at > now
            and wanted.category in {None, row.content.category}
        ]
        # Who was withdrawn longer ago than anything may live does not hold; the rest is older still.
        if len(chunk) < _CHUNK or (status == "cancelled" and chunk[-1].changed_at < now - LONGEST_LIFE):
            break
        before = chunk[-1].position
    return found[: wanted.limit + 1]


def _covering(services: Services, area: str) -> dict[str, list[str]]:
    tree = services.tree()
    if area not in tree:
        raise ProblemError("not-found", f"Edition {tree.edition} has no area {area}.")
    return services.covering(area)


def _entry(services: Services, row: BoardRow) -> Entry:
    assert row.edition is not None, "it went out"
    assert row.sent is not None, "it went out"
    assert row.expires_at is not None, "it went out"
    tree = services.tree(row.edition)
    category = services.ports.office.categories.get(row.content.category)
    return Entry(
        alert_id=row.alert_id,
        version=row.version,
        withdrawn=row.status == "cancelled",
        content=row.content,
        category=category.name if category else row.content.category,
        body=services.directory.body_name(row.issuer_id),
        areas=tuple(area_name(tree, code) for code in row.content.areas),
        places=tuple(tree[code] for code in row.content.areas if code in tree),
        edition=row.edition,
        sent=row.sent,
        expires_at=row.expires_at,
        base_url=services.ports.base_url,
    )


def _address(url: str, wanted: FeedWanted, before: int | None) -> str:
    asked = wanted.model_dump(exclude_defaults=True, exclude_none=True) | {"before": before}
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    return f"{url}?{query}" if query else url
