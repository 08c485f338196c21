"""An alert that went out: how far it is on each channel, what was said, and the way to stop it."""

from typing import Any, get_args

from fastapi import APIRouter, Request
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.lifecycle import Life, Stage
from broadcaster.web import i18n, sights
from broadcaster.web.api import accounting
from broadcaster.web.console.alerts import already
from broadcaster.web.console.alerts.asked import AskedAlert, WatchedAlert
from broadcaster.web.console.alerts.cards import category_lasts
from broadcaster.web.console.alerts.live_areas import SHOWN, lines, tree_of
from broadcaster.web.console.form import masked
from broadcaster.web.console.frame import fragment, go, show
from broadcaster.web.console.stream import WatchingVisitor
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.live.sight import shape_of
from broadcaster.web.services import Services, WithServices
from broadcaster.web.story import Story
from broadcaster.web.subjects import subject
from projections.audit import view as audit
from projections.reach import view as reach
from projections.reach.view import VersionReach
from projections.reach.worst import worst
from schemas.content import Channel, Mode
from schemas.events import AlertCancelled, AlertEvent, AlertExpired, AlertIssued

router = APIRouter(prefix="/console/alerts/{alert_id}", include_in_schema=False)

_COURSE = 30
_ALL = tuple(event.TOPIC for event in get_args(AlertEvent))
_PUBLIC = (AlertIssued.TOPIC, AlertCancelled.TOPIC, AlertExpired.TOPIC)
"""What everyone of the house may know; how it was written is for the staff of the body."""


@router.get("/accounting.csv")
def accounting_csv(services: WithServices, visitor: WithVisitor, found: AskedAlert) -> Response:
    """By version, channel and commune, for a spreadsheet."""
    # That someone is signed in is all that is asked.
    answer = accounting.table(services, found.alert.id, visitor.taking(found.alert.issuer_id))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.get("/live")
def live_page(
    request: Request,
    services: WithServices,
    visitor: WithVisitor,
    found: AskedAlert,
    step: already.Step = "",
    seen: already.Seen = 0,
) -> Response:
    """Progress on each channel, with the providers' reasons; and what an earlier `step` came to."""
    if found.alert.issued is None and found.alert.work is not None:
        return go(f"/console/alerts/{found.alert.id}")
    values = _sight(request, services, visitor, found)
    content = values["content"]
    mode = content.mode if content else Mode.ACTUAL
    values["already"] = None
    if step and visitor.may(found.alert.issuer_id):
        values["already"] = already.found(services, visitor, found.alert.id, step, seen)
    return show(request, visitor, "live.html", here="alerts", mode=mode, **values)


@router.get("/live/part")
def live_part(
    request: Request, services: WithServices, visitor: WatchingVisitor, found: WatchedAlert
) -> Response:
    """The same without the page around it, for one that is open."""
    values = _sight(request, services, visitor, found)
    return fragment(request, "live-part.html", csrf=masked(services, visitor), **values)


def _sight(request: Request, services: Services, visitor: Visitor, found: Story) -> dict[str, Any]:
    alert = found.alert
    content = alert.issued.content if alert.issued else alert.work.content if alert.work else None
    body = alert.issuer_id
    with services.reading() as conn:
        # The mark first: what changes meanwhile is then drawn once more, and never overlooked.
        shape = shape_of(conn, alert.id)
        reached = reach.of_alert(conn, alert.id)
        seen = worst(conn, alert.id, limit=SHOWN)
        topics = _ALL if visitor.may(body) else _PUBLIC
        course = audit.entries(conn, alert_id=alert.id, topics=topics, limit=_COURSE)
    lang = i18n.chosen(request)
    text, text_lang = sights.text_of(content, lang) if content else (None, "vi")
    is_live = alert.life is Life.LIVE and not found.is_over(services.now())
    tree = tree_of(services, found)
    return {
        "story": found,
        "alert": alert,
        "content": content,
        "text": text,
        "text_lang": text_lang,
        "shape": shape,
        "category": subject(services, content.category, lang) if content else None,
        "issuer": services.directory.body_name(body),
        "places": sights.places(tree, content.areas) if content else None,
        "is_live": is_live,
        "ends": alert.issued.expires_at if alert.issued else None,
        "lasts": category_lasts(services, content.category) if content else None,
        "reached": [(each, sights.bar(each.totals)) for each in sorted(reached, key=_newest)],
        "areas": lines(seen.rows, tree),
        "seen": seen,
        "course": course,
        "at": services.now(),
        "may_stop": is_live and visitor.may(body, Role.AUTHOR, Role.APPROVER),
        "may_update": is_live and alert.stage is Stage.NONE and visitor.may(body, Role.AUTHOR),
        "may_see_work": alert.work is not None and visitor.may(body),
        "may_retry": visitor.may(body, Role.MANAGER),
    }


def _newest(each: VersionReach) -> tuple[int, int]:
    """The last version first, and its channels in the order of every other page."""
    return -each.version, list(Channel).index(each.channel)
