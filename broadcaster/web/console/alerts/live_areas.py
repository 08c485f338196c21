"""The communes that an alert reached and missed: the worst on its page, and all on one of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from broadcaster.web import i18n, sights
from broadcaster.web.console.alerts.asked import AskedAlert, WatchedAlert
from broadcaster.web.console.frame import fragment, go, show
from broadcaster.web.console.visitor import WithVisitor
from broadcaster.web.screen_list import folded
from broadcaster.web.services import Services, WithServices
from broadcaster.web.story import Story
from projections.reach.view import AreaReach, Totals
from projections.reach.worst import worst
from schemas.areas import AreaTree, unaccented
from schemas.content import Channel

router = APIRouter(prefix="/console/alerts/{alert_id}", include_in_schema=False)

SHOWN = 50
"""Lines on the alert's own page."""
PAGE = 100


@dataclass(frozen=True)
class AreaLine:
    """One commune on one channel."""

    name: str
    channel: Channel
    totals: Totals

    @property
    def missed(self) -> int:
        """Whom it did not reach, for good."""
        return self.totals.final - self.totals.sent


class Wanted(BaseModel):
    """Which lines; an empty filter filters nothing."""

    model_config = ConfigDict(extra="ignore")

    words: Annotated[str, Field(max_length=100)] = ""
    channel: Literal["", "push", "sms"] = ""
    missed: Annotated[str, Field(pattern="^1?$")] = ""
    page: Annotated[int, Field(ge=1, le=10_000)] = 1

    def query(self, page: int) -> str:
        """The address of another page of the same."""
        return urlencode(self.model_dump(exclude_defaults=True, exclude={"page"}) | {"page": page})


@router.get("/live/areas")
def areas_part(request: Request, services: WithServices, found: WatchedAlert) -> Response:
    """Those on the alert's page alone, for who is looking at them."""
    with services.reading() as conn:
        seen = worst(conn, found.alert.id, limit=SHOWN)
    areas = lines(seen.rows, tree_of(services, found))
    return fragment(request, "live-areas.html", alert=found.alert, seen=seen, areas=areas)


@router.get("/areas")
def areas_page(
    request: Request,
    services: WithServices,
    visitor: WithVisitor,
    found: AskedAlert,
    wanted: Annotated[Wanted, Query()],
) -> Response:
    """Every commune, most missed first: by words, by channel, or only where anyone was missed."""
    alert, tree = found.alert, tree_of(services, found)
    if alert.issued is None:
        return go(f"/console/alerts/{alert.id}")
    content = alert.issued.content
    with services.reading() as conn:
        seen = worst(
            conn,
            alert.id,
            limit=PAGE,
            offset=PAGE * (wanted.page - 1),
            areas=_named(tree, wanted.words),
            channel=Channel(wanted.channel) if wanted.channel else None,
            missed=bool(wanted.missed),
        )
    text, text_lang = sights.text_of(content, i18n.chosen(request))
    return show(
        request,
        visitor,
        "alert-areas.html",
        here="alerts",
        mode=content.mode,
        faults=(),
        alert=alert,
        text=text,
        text_lang=text_lang,
        wanted=wanted,
        areas=lines(seen.rows, tree),
        seen=seen,
        more=seen.lines > PAGE * wanted.page,
        channels=(Channel.PUSH, Channel.SMS),
        at=services.now(),
    )


def tree_of(services: Services, found: Story) -> AreaTree:
    """The areas as they were when it was issued."""
    issued = found.alert.issued
    return services.tree(issued.edition if issued else None)


def lines(rows: Sequence[AreaReach], tree: AreaTree) -> list[AreaLine]:
    """With the names of their places."""
    return [
        AreaLine(tree[row.area].name if row.area in tree else row.area, row.channel, row.totals)
        for row in rows
    ]


def _named(tree: AreaTree, words: str) -> list[str] | None:
    """The areas of that name, with or without its marks; None where no name is asked for."""
    asked = unaccented(words.strip())
    return [area.code for area in tree if asked in folded(area.name)] if asked else None
