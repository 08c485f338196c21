"""The first page: what needs the visitor, what is live, how the bodies stand with their cadence."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.drafting.drafts import Draft
from broadcaster.web import i18n
from broadcaster.web.console.alerts.cards import cards
from broadcaster.web.console.frame import fragment, show
from broadcaster.web.console.people.access import waiting
from broadcaster.web.console.stream import WatchingVisitor
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.live.beside import marks
from broadcaster.web.live.sight import home_mark, scope_of
from broadcaster.web.services import Services, WithServices
from projections.board import view as board

router = APIRouter(prefix="/console", include_in_schema=False)

_MOST = 20
_LIVE = 12


@dataclass(frozen=True)
class DraftLine:
    """A draft in a list."""

    draft: Draft
    headline: str
    body: str


@router.get("")
def home_page(request: Request, services: WithServices, visitor: WithVisitor) -> Response:
    """What needs me first."""
    return show(request, visitor, "home.html", here="home", **_needed(request, services, visitor))


@router.get("/part")
def home_part(request: Request, services: WithServices, visitor: WatchingVisitor) -> Response:
    """The same without the page around it, for one that is open."""
    values = _needed(request, services, visitor)
    return fragment(request, "home-part.html", visitor=visitor, **values)


def _needed(request: Request, services: Services, visitor: Visitor) -> dict[str, Any]:
    lang, now = i18n.chosen(request), services.now()
    writes, approves = visitor.bodies(Role.AUTHOR), visitor.bodies(Role.APPROVER)
    mine = visitor.bodies()
    requests = services.hub.requested.get(now)
    with services.reading() as conn:
        # The mark first: what changes meanwhile is then drawn once more, and never overlooked.
        mark = home_mark(conn, scope_of(visitor.account), now, marks(conn, requests))
        to_approve = board.find(conn, stage="submitted", issuers=approves, mode=None, limit=_MOST)
        to_issue = board.find(
            conn,
            stage="approved",
            issuers=visitor.bodies(Role.AUTHOR, Role.APPROVER),
            mode=None,
            limit=_MOST,
        )
        returned = board.find(conn, stage="draft", issuers=writes, mode=None, limit=_MOST)
        live = board.find(conn, status="live", mode=None, limit=_LIVE)
        standing = [found for body in mine if (found := services.ports.cadence.one(conn, body, now))]
    drafts = [
        DraftLine(draft, draft.one("headline"), services.directory.body_name(draft.body))
        for draft in services.ports.drafts.of(writes)[:_MOST]
    ]
    # Who has begun to rewrite it goes on in the draft; it is one thing to do, not two.
    rewritten = {line.draft.alert_id for line in drafts}
    returned = [row for row in returned if row.alert_id not in rewritten]
    listed = {card.id: card for card in cards(services, lang, [*to_approve, *to_issue, *returned, *live])}
    return {
        "mark": mark,
        "to_approve": [listed[row.alert_id] for row in to_approve],
        "to_issue": [listed[row.alert_id] for row in to_issue],
        "returned": [listed[row.alert_id] for row in returned],
        "live": [card for row in live if (card := listed[row.alert_id]).status == "live"],
        "drafts": drafts,
        "standing": standing,
        "writes": writes,
        "to_confirm": [line for line in waiting(services, visitor) if line.can_confirm],
    }
