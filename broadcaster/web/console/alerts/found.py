"""The list of alerts, with filters."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from broadcaster.web import i18n
from broadcaster.web.console.alerts.cards import cards
from broadcaster.web.console.frame import show
from broadcaster.web.console.visitor import WithVisitor
from broadcaster.web.services import WithServices
from broadcaster.web.subjects import subjects
from projections.board import view as board

router = APIRouter(prefix="/console/alerts", include_in_schema=False)

PAGE = 40
Standing = Literal[
    "", "draft", "submitted", "approved", "scheduled", "live", "cancelled", "expired", "rejected"
]
STANDINGS = ("draft", "submitted", "approved", "scheduled", "live", "cancelled", "expired", "rejected")
_STAGES = ("draft", "submitted", "approved", "scheduled")
_UNSEEN = ("draft", "submitted", "approved", "scheduled", "rejected")


class Wanted(BaseModel):
    """The filters; an empty one filters nothing."""

    model_config = ConfigDict(extra="ignore")

    standing: Standing = ""
    body: Annotated[str, Field(max_length=80)] = ""
    category: Annotated[str, Field(max_length=40)] = ""
    words: Annotated[str, Field(max_length=100)] = ""
    before: Annotated[int | None, Field(ge=1, le=2**62)] = None


@router.get("")
def alerts_page(
    request: Request, services: WithServices, visitor: WithVisitor, wanted: Annotated[Wanted, Query()]
) -> Response:
    """Everything that went out, and the work of the visitor's own bodies; the latest changed first."""
    mine = visitor.bodies()
    rows: list[board.BoardRow] = []
    with services.reading() as conn:
        for standing in (
            (wanted.standing,) if wanted.standing else ("live", "cancelled", "expired", *_UNSEEN)
        ):
            issuers = None
            if standing in _UNSEEN:
                issuers = mine
            if wanted.body:
                issuers = [wanted.body] if issuers is None or wanted.body in issuers else []
            is_stage = standing in _STAGES
            rows += board.find(
                conn,
                status=None if is_stage else standing,  # type: ignore[arg-type]  # the literals agree
                stage=standing if is_stage else None,  # type: ignore[arg-type]
                issuers=issuers,
                mode=None,
                category=wanted.category.replace("\x00", "") or None,
                words=" ".join(wanted.words.replace("\x00", "").split()) or None,
                limit=PAGE + 1,
                before=wanted.before,
            )
    # A live alert with a version in work was found twice.
    found = sorted({row.alert_id: row for row in rows}.values(), key=lambda row: -row.position)
    page = found[:PAGE]
    name = services.directory.body_name
    return show(
        request,
        visitor,
        "alerts.html",
        here="alerts",
        wanted=wanted,
        standings=STANDINGS,
        bodies=sorted(((body, name(body)) for body in mine), key=lambda each: each[1]),
        categories=subjects(services.ports.office.categories.values(), i18n.chosen(request)),
        cards=cards(services, i18n.chosen(request), page),
        mine=mine,
        before=page[-1].position if len(found) > PAGE else None,
    )
