"""An alert that went out: how far it is on each channel, what was said, and the way to stop it."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.lifecycle import Life, Stage
from broadcaster.web import i18n, sights
from broadcaster.web.api import accounting
from broadcaster.web.console.asked import AskedAlert
from broadcaster.web.console.cards import category_name
from broadcaster.web.console.frame import go, show
from broadcaster.web.console.visitor import WithVisitor
from broadcaster.web.services import WithServices
from projections.reach import view as reach
from projections.reach.view import AreaReach, Totals
from schemas.areas import AreaTree
from schemas.content import Channel, Mode

router = APIRouter(prefix="/console/alerts/{alert_id}", include_in_schema=False)


@dataclass(frozen=True)
class AreaLine:
    """One commune on one channel."""

    name: str
    channel: Channel
    totals: Totals

    @property
    def missed(self) -> int:
        """Whom it did not reach, for good."""
        return self.totals.final - self.totals.accepted


@router.get("/accounting.csv")
def accounting_csv(services: WithServices, visitor: WithVisitor, found: AskedAlert) -> Response:
    """By version, channel and commune, for a spreadsheet."""
    del visitor  # That someone is signed in is all that is asked.
    answer = accounting.table(services, found.alert.id)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.get("/live")
def live_page(
    request: Request, services: WithServices, visitor: WithVisitor, found: AskedAlert
) -> Response:
    """Progress on each channel, with the providers' reasons."""
    alert = found.alert
    content = alert.issued.content if alert.issued else alert.work.content if alert.work else None
    if alert.issued is None and alert.work is not None:
        return go(f"/console/alerts/{alert.id}")
    with services.reading() as conn:
        reached = reach.of_alert(conn, alert.id)
        showings = reach.showings(conn, alert.id)
        areas = reach.areas_of_alert(conn, alert.id)
    text = None
    if content is not None:
        text, text_lang = sights.text_of(content, i18n.chosen(request))
    else:
        text_lang = "vi"
    is_live = alert.life is Life.LIVE and not found.is_over(services.now())
    body = alert.issuer_id
    tree = services.tree(alert.issued.edition if alert.issued else None)
    return show(
        request,
        visitor,
        "live.html",
        here="alerts",
        mode=content.mode if content else Mode.ACTUAL,
        story=found,
        alert=alert,
        content=content,
        text=text,
        text_lang=text_lang,
        category=category_name(services, content.category) if content else "",
        issuer=services.directory.body_name(body),
        places=sights.places(tree, content.areas) if content else None,
        is_live=is_live,
        reached=[(each, sights.bar(each.totals)) for each in reached],
        screens=len({showing.screen_id for showing in showings}),
        areas=_lines(areas, tree),
        at=services.now(),
        may_stop=is_live and visitor.may(body, Role.AUTHOR, Role.APPROVER),
        may_update=is_live and alert.stage is Stage.NONE and visitor.may(body, Role.AUTHOR),
        may_see_work=alert.work is not None and visitor.may(body),
    )


def _lines(areas: Sequence[AreaReach], tree: AreaTree) -> list[AreaLine]:
    """The communes of the last version that was counted; where most were missed first."""
    last = max((each.version for each in areas), default=0)
    lines = (
        AreaLine(tree[each.area].name if each.area in tree else each.area, each.channel, each.totals)
        for each in areas
        if each.version == last
    )
    return sorted(lines, key=lambda line: (-line.missed, -line.totals.in_flight, line.name, line.channel))
