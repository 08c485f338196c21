"""The page that an alert is written on, with what citizens will see beside it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.drafting.drafts import Draft
from broadcaster.web import i18n
from broadcaster.web.console import areas, writing
from broadcaster.web.console.alerts import previews, reaching
from broadcaster.web.console.alerts.sheets import Sheet
from broadcaster.web.console.frame import show
from broadcaster.web.console.visitor import Visitor
from broadcaster.web.console.writing import Fault, Typed
from broadcaster.web.services import Services
from broadcaster.web.subjects import by_code, subjects
from schemas.content import Channel, Mode, MsgType

census = reaching.Census()


def page(
    request: Request, services: Services, visitor: Visitor, sheet: Sheet, *, status: int = 200
) -> Response:
    """The form with its previews."""
    tree = services.tree()
    chosen = sheet.typed.all("areas")
    office = services.ports.office
    issuer = office.issuer(sheet.body)
    delegated = {
        field
        for each in office.delegations(sheet.body).given
        if each.in_force(services.now())
        for field in each.fields
    }
    categories = [
        each for each in office.categories.values() if issuer.has_field(each.code) or each.code in delegated
    ]
    name = services.directory.body_name
    within = areas.within(services, sheet.body)
    return show(
        request,
        visitor,
        "compose.html",
        here="compose",
        status=status,
        path=f"/console/drafts/{sheet.draft.id}" if sheet.draft.version else "/console/compose",
        mode=Mode.EXERCISE if sheet.typed["mode"] == Mode.EXERCISE else Mode.ACTUAL,
        draft=sheet.draft,
        typed=sheet.typed,
        faults=sheet.faults,
        fills_in=True,
        paste=sheet.paste,
        bodies=[(body, name(body)) for body in visitor.bodies(Role.AUTHOR)],
        body=sheet.body,
        categories=subjects(categories, i18n.chosen(request)),
        edition=tree.edition,
        branches=areas.branches(tree, within),
        map_path=areas.map_path(services, tree, within),
        chosen=frozenset(chosen),
        chosen_names=areas.names(tree, chosen),
        channels=list(Channel),
        **shown(services, sheet),
    )


def again(
    request: Request, services: Services, visitor: Visitor, sheet: Sheet, faults: list[Fault]
) -> Response:
    """The form once more, with what is wrong with it."""
    once = tuple(dict.fromkeys(faults))
    again = Sheet(sheet.draft, sheet.typed, sheet.body, once, sheet.paste)
    return page(request, services, visitor, again, status=422)


def conflict(
    request: Request, services: Services, visitor: Visitor, mine: Sheet, theirs: Draft
) -> Response:
    """Both texts, where someone else saved meanwhile."""
    names = (*writing.LINES, *writing.PARAGRAPHS, *writing.CHOICES, *writing.TICKS, *writing.SETS)
    their = Typed(theirs.fields)
    rows = [(name, mine.typed.all(name), their.all(name)) for name in names]
    return show(
        request,
        visitor,
        "conflict.html",
        here="compose",
        fills_in=True,
        status=409,
        path=f"/console/drafts/{theirs.id}",
        theirs=theirs,
        rows=[
            (name, _told(services, name, yours), _told(services, name, other))
            for name, yours, other in rows
            if yours != other
        ],
        subjects=by_code(services, i18n.chosen(request)),
        fields=mine.typed.fields,
    )


def _told(services: Services, name: str, values: Sequence[str]) -> list[str | datetime]:
    """What stands in a field, by name and as an instant where that is known; other codes as they are."""
    if name == "areas":
        return [*areas.names(services.tree(), values)]
    if name == "body":
        return [services.directory.body_name(value) for value in values]
    if name == "expires":
        return [writing.instant(value) or value for value in values]
    return [*values]


def gone(request: Request, services: Services, visitor: Visitor, draft_id: UUID, what: Typed) -> Response:
    """Of a draft that was put up for approval, or discarded: with what was typed, to be kept."""
    rows = [(name, what[name]) for name in (*writing.LINES, *writing.PARAGRAPHS) if what[name].strip()]
    return show(
        request,
        visitor,
        "draft-gone.html",
        here="compose",
        fills_in=True,
        status=404,
        path=f"/console/drafts/{draft_id}",
        rows=rows,
        alert_id=services.ports.drafts.alert_of_gone(draft_id),
    )


def shown(services: Services, sheet: Sheet) -> dict[str, object]:
    """What the previews show."""
    name = services.directory.body_name(sheet.body)
    draft = sheet.draft
    alert = services.ports.office.alert(draft.alert_id) if draft.alert_id else None
    is_update = alert is not None and alert.issued is not None
    msg_type = MsgType.UPDATE if is_update else MsgType.ALERT
    return {
        "previews": None
        if sheet.typed.is_empty
        else previews.of_typed(sheet.typed, name, msg_type, services.now()),
        "estimate": census.estimate(services, services.tree(), sheet.typed.all("areas")),
        "is_update": is_update,
        # Once the update is begun, what it is for is on record.
        "may_correct": is_update and alert is not None and alert.work is None,
    }
