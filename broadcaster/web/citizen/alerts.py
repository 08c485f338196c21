"""All alerts that went out, by area and words: what is in force, and what was."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from broadcaster.drafting.area_names import AreaNames
from broadcaster.web import i18n
from broadcaster.web.citizen import choice
from broadcaster.web.copies.terms import while_it_may_change
from broadcaster.web.home import Eye
from broadcaster.web.services import Services, WithServices
from broadcaster.web.sights import AlertSight
from broadcaster.web.templating import public_page, render
from projections.board import view as board
from projections.board.view import BoardRow
from schemas.areas import Area, AreaTree

router = APIRouter(include_in_schema=False)

PAGE = 20
_MOST_PLACES = 20
"""Places offered where the words fit several."""
_LIVE_READ = 200
When = Literal["live", "past"]
Ended = Literal["live", "cancelled", "expired"]


class Wanted(BaseModel):
    """What is asked for; what makes no sense is left out, for an address may come from anywhere."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    when: When = "live"
    area: Annotated[str, Field(max_length=20, pattern=r"^[0-9A-Za-z-]*$")] = ""
    place: Annotated[str, Field(max_length=100)] = ""
    words: Annotated[str, Field(max_length=100)] = ""
    before: Annotated[int | None, Field(ge=1, le=2**62)] = None

    @classmethod
    def of(cls, request: Request) -> "Wanted":
        """Of the address."""
        given = {name: text.replace("\x00", "") for name, text in request.query_params.items()}
        while True:
            try:
                return cls.model_validate(given)
            except ValidationError as error:
                for each in error.errors(include_url=False, include_input=False):
                    given.pop(str(each["loc"][0]), None)

    def href(self, **changes: object) -> str:
        """The address of the list with these changes, on its first page unless they say otherwise."""
        told = self.model_dump(exclude={"before", "place"}) | changes
        said = {name: value for name, value in told.items() if value and (name, value) != ("when", "live")}
        return "/alerts" + (f"?{urlencode(said)}" if said else "")


@dataclass(frozen=True)
class Place:
    """An area, and the ones it lies in."""

    code: str
    name: str
    inside: tuple[str, ...]


@dataclass(frozen=True)
class Listed:
    """An alert of the list, and how it ended."""

    sight: AlertSight
    ended: Ended


@dataclass(frozen=True)
class ListSight:
    """The page."""

    area: Place | None
    choices: tuple[Place, ...]
    unknown: bool
    """Words were given for a place, and no place is called so."""
    alerts: tuple[Listed, ...]
    before: int | None


@router.api_route("/alerts", methods=["GET", "HEAD"])
def alerts_page(services: WithServices, request: Request) -> Response:
    """A page of the list, the latest changed first. Exercises and tests are not in it."""
    lang, wanted = i18n.chosen(request), Wanted.of(request)
    sight = look(services, lang, wanted)
    html = render(
        "alerts.html",
        lang,
        path="/alerts",
        here="alerts",
        wanted=wanted,
        sight=sight,
        whens=get_args(When),
        at=services.now(),
    )
    return public_page(request, html, while_it_may_change())


def look(services: Services, lang: i18n.Lang, wanted: Wanted) -> ListSight:
    """What the page shows."""
    eye, tree = Eye.of(services, lang), services.tree()
    named = choice.today(services, wanted.area) if wanted.area else ()
    choices = tuple(place(tree[each], tree) for each in named) or places(tree, wanted.place)
    code = choices[0].code if len(choices) == 1 else ""
    rows, more = _rows(services, wanted, code, eye.now)
    return ListSight(
        area=place(tree[code], tree) if code else None,
        choices=choices if len(choices) > 1 else (),
        unknown=bool((wanted.place or wanted.area) and not choices),
        alerts=tuple(listed for row in rows if (listed := _listed(eye, row)) is not None),
        before=rows[-1].position if more and rows else None,
    )


def _rows(services: Services, wanted: Wanted, code: str, now: datetime) -> tuple[list[BoardRow], bool]:
    areas = services.covering(code) if code else None
    found: list[BoardRow] = []
    with services.reading() as conn:
        for status in ("live",) if wanted.when == "live" else ("live", "cancelled", "expired"):
            rows = board.find(
                conn,
                status=status,
                areas=areas,
                plain_words=" ".join(wanted.words.split()) or None,
                # What is over by the clock is not in force, though the log may not say so yet.
                limit=_LIVE_READ if status == "live" else PAGE + 1,
                before=wanted.before,
            )
            wants_over = wanted.when == "past"
            found += [row for row in rows if (status != "live" or _is_over(row, now)) == wants_over]
    found.sort(key=lambda row: -row.position)
    return found[:PAGE], len(found) > PAGE


def _is_over(row: BoardRow, now: datetime) -> bool:
    return row.expires_at is None or row.expires_at <= now


def _listed(eye: Eye, row: BoardRow) -> Listed | None:
    if row.edition is None or row.sent is None or row.expires_at is None:
        return None
    times = (row.sent, row.expires_at)
    sight = eye.see(row.alert_id, row.issuer_id, row.content, row.edition, times)
    if row.status == "cancelled":
        return Listed(sight, "cancelled")
    return Listed(sight, "expired" if _is_over(row, eye.now) else "live")


def place(area: Area, tree: AreaTree) -> Place:
    """An area as it is named to people: the city itself goes without saying."""
    above = tuple(tree[code].name for code in tree.ancestors(area.code) if code != tree.root)
    return Place(area.code, area.name, above)


def places(tree: AreaTree, words: str) -> tuple[Place, ...]:
    """Areas of that name, written as people write them; else all whose name holds the words."""
    if not words:
        return ()
    exact = [area for named in AreaNames(tree).match(words)[:1] for area in named.areas]
    found = exact or list(tree.search(words))
    return tuple(place(area, tree) for area in found[:_MOST_PLACES])
