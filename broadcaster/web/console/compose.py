"""Writing an alert: a form that is saved as it stands, with previews, until it is put up for approval."""

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Path, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.alert import Alert
from broadcaster.drafts import Draft, DraftConflictError, DraftsFullError
from broadcaster.lifecycle import Stage
from broadcaster.log import ConflictError, Once
from broadcaster.rules import RefusedError
from broadcaster.web.console import areas, previews, reaching, writing
from broadcaster.web.console.form import BoundForm, Form
from broadcaster.web.console.frame import fragment, go, show
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault, Typed
from broadcaster.web.services import Services, WithServices
from schemas.content import Channel, Content, Mode, MsgType

router = APIRouter(prefix="/console", include_in_schema=False)

DraftId = Annotated[UUID, Path()]

census = reaching.Census()


@dataclass(frozen=True)
class Sheet:
    """The form as it is shown."""

    draft: Draft
    """As saved last; version 0 where it never was."""
    typed: Typed
    body: str
    faults: tuple[Fault, ...] = ()
    paste: str = ""
    """Names of a pasted list that are no area, or several."""


@router.get("/compose")
def compose_page(request: Request, services: WithServices, visitor: WithVisitor) -> Response:
    """An empty form. Nothing is kept until something is saved."""
    bodies = visitor.require_somewhere(Role.AUTHOR)
    draft = Draft(uuid4(), bodies[0], None, None, {}, 0, visitor.name, services.now())
    return _page(request, services, visitor, Sheet(draft, Typed({}), bodies[0]))


@router.get("/drafts/{draft_id}")
def draft_page(
    request: Request, services: WithServices, visitor: WithVisitor, draft_id: DraftId
) -> Response:
    """The form as it was left."""
    draft = _own(services, visitor, draft_id)
    return _page(request, services, visitor, Sheet(draft, Typed(draft.fields), draft.body))


@router.post("/drafts/{draft_id}")
def save_draft(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, draft_id: DraftId
) -> Response:
    """Keeps the form; with `do=submit` puts it up for approval, if nothing is wrong with it."""
    sheet = _sheet(services, visitor, form, draft_id)
    try:
        saved = services.ports.drafts.save(
            draft_id,
            sheet.body,
            sheet.typed.fields,
            expected=form.number("version"),
            by=visitor.name,
            at=services.now(),
        )
    except DraftConflictError as conflict:
        if form.ticked("overwrite") and form.number("overwrite") == conflict.current.version:
            services.ports.drafts.copy(conflict.current, services.now())
            saved = services.ports.drafts.save(
                draft_id,
                sheet.body,
                sheet.typed.fields,
                expected=conflict.current.version,
                by=visitor.name,
                at=services.now(),
            )
        else:
            return _conflict(request, visitor, sheet, conflict.current)
    except DraftsFullError:
        sheet = Sheet(sheet.draft, sheet.typed, sheet.body, (Fault("", "full"),), sheet.paste)
        return _page(request, services, visitor, sheet, status=422)
    except LookupError:
        raise HTTPException(404) from None
    if form.one("do") != "submit":
        if sheet.paste:
            faults = (Fault("areas", "paste"),)
            return _page(
                request,
                services,
                visitor,
                Sheet(saved, sheet.typed, sheet.body, faults, sheet.paste),
                status=422,
            )
        return go(f"/console/drafts/{saved.id}{_place(form)}")
    return _submit(request, services, visitor, Sheet(saved, sheet.typed, sheet.body, paste=sheet.paste))


@router.post("/drafts/{draft_id}/autosave")
def autosave(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, draft_id: DraftId
) -> Response:
    """Keeps the form while it is typed, and answers the previews. If-Match says what it was typed over."""
    sheet = _sheet(services, visitor, form, draft_id)
    tag = request.headers.get("if-match", "").strip('"')
    if not (tag.isascii() and tag.isdigit() and len(tag) < 10):  # noqa: PLR2004
        return Response(status_code=428)
    at = services.now()
    version = int(tag)
    if version or not sheet.typed.is_empty:
        try:
            version = services.ports.drafts.save(
                draft_id, sheet.body, sheet.typed.fields, expected=version, by=visitor.name, at=at
            ).version
        except DraftConflictError as conflict:
            answer = fragment(request, "autosave-conflict.html", by=conflict.current.changed_by)
            answer.status_code = 412
            return answer
        except DraftsFullError:
            return Response(status_code=422)
        except LookupError:
            return Response(status_code=404)
    answer = fragment(request, "previews.html", **_shown(services, sheet))
    answer.headers["ETag"] = f'"{version}"'
    return answer


@router.post("/drafts/{draft_id}/discard")
def discard(services: WithServices, visitor: WithVisitor, form: BoundForm, draft_id: DraftId) -> Response:
    """Throws a draft away, as it was seen."""
    draft = _own(services, visitor, draft_id)
    if not services.ports.drafts.drop(draft.id, form.number("version")):
        return go(f"/console/drafts/{draft.id}")
    return go(f"/console/alerts/{draft.alert_id}" if draft.alert_id else "/console")


def _own(services: Services, visitor: Visitor, draft_id: UUID) -> Draft:
    draft = services.ports.drafts.get(draft_id)
    if draft is None:
        raise HTTPException(404)
    visitor.require(draft.body, Role.AUTHOR)
    return draft


def _sheet(services: Services, visitor: Visitor, form: Form, draft_id: UUID) -> Sheet:
    """What was posted, by someone who may write it."""
    bodies = visitor.require_somewhere(Role.AUTHOR)
    fields = writing.typed(form)
    draft = services.ports.drafts.get(draft_id)
    body = form.one("body") or bodies[0]
    if draft is None:
        draft = Draft(draft_id, body, None, None, {}, 0, visitor.name, services.now())
    else:
        visitor.require(draft.body, Role.AUTHOR)
        # Whose alert it is does not change with its text.
        body = draft.body if draft.alert_id else body
    visitor.require(body, Role.AUTHOR)
    tree = services.tree()
    found, strange = writing.named_areas(tree, form.one("paste"), areas.within(services, body))
    chosen = writing.tidy_areas(tree, [*form.all("areas"), *found])
    if form.one("do") == "clear-areas":
        chosen = []
    fields.pop("areas", None)
    if chosen:
        fields["areas"] = chosen
    fields["body"] = [body]
    return Sheet(draft, Typed(fields), body, paste="\n".join(strange))


def _place(form: Form) -> str:
    """Back to the part of the page where the button was."""
    return {"preview": "#previews", "areas": "#areas", "clear-areas": "#areas"}.get(form.one("do"), "")


def _submit(request: Request, services: Services, visitor: Visitor, sheet: Sheet) -> Response:
    draft = sheet.draft
    before = _before(services, draft)
    read = writing.read(sheet.typed, before)
    faults = [Fault("areas", "paste")] if sheet.paste else []
    if isinstance(read, list) or faults:
        faults += read if isinstance(read, list) else []
        return _again(request, services, visitor, sheet, faults)
    drafts = services.ports.drafts
    if not drafts.claim(draft.id, draft.version, services.now()):
        return go("/console/alerts")
    try:
        alert = _put_up(services, visitor, draft, read)
    except RefusedError as refusal:
        drafts.release(draft.id)
        return _again(request, services, visitor, sheet, [writing.refused(refusal)])
    except ConflictError:
        drafts.release(draft.id)
        return _again(request, services, visitor, sheet, [Fault("", "moved")])
    services.ports.drafts.drop(draft.id, draft.version)
    return go(f"/console/alerts/{alert.id}")


def _put_up(services: Services, visitor: Visitor, draft: Draft, content: Content) -> Alert:
    alerts, by, at = services.ports.alerts, visitor.by(draft.body), services.now()
    # A second press of the button, or a crash between the two events, begins no second alert.
    digest = hashlib.sha256(content.model_dump_json().encode()).digest()
    once = Once(visitor.name, f"console {draft.id} {draft.version}", digest)
    if draft.alert_id is None:
        alert = alerts.draft(by, draft.body, content, at=at, once=once)
    else:
        now = services.ports.office.alert(draft.alert_id)
        update = partial(alerts.propose_update, corrects=Typed(draft.fields)["corrects"] == "1")
        change = alerts.revise if now.work else update
        alert = change(by, draft.alert_id, content, at=at, expected=draft.base, once=once)
    alert = services.ports.office.alert(alert.id)
    if alert.stage is Stage.DRAFT:
        alert = alerts.submit(by, alert.id, at=at, expected=alert.version)
    return alert


def _before(services: Services, draft: Draft) -> Content | None:
    """The content that the draft rewrites."""
    if draft.alert_id is None:
        return None
    alert = services.ports.office.alert(draft.alert_id)
    if alert.work is not None:
        return alert.work.content
    return alert.issued.content if alert.issued else None


def _again(
    request: Request, services: Services, visitor: Visitor, sheet: Sheet, faults: list[Fault]
) -> Response:
    once = tuple(dict.fromkeys(faults))
    again = Sheet(sheet.draft, sheet.typed, sheet.body, once, sheet.paste)
    return _page(request, services, visitor, again, status=422)


def _conflict(request: Request, visitor: Visitor, mine: Sheet, theirs: Draft) -> Response:
    names = (*writing.LINES, *writing.PARAGRAPHS, *writing.CHOICES, *writing.TICKS, *writing.SETS)
    their = Typed(theirs.fields)
    rows = [(name, mine.typed.all(name), their.all(name)) for name in names]
    return show(
        request,
        visitor,
        "conflict.html",
        here="compose",
        status=409,
        path=f"/console/drafts/{theirs.id}",
        theirs=theirs,
        rows=[row for row in rows if row[1] != row[2]],
        fields=mine.typed.fields,
    )


def _shown(services: Services, sheet: Sheet) -> dict[str, object]:
    """What the previews show."""
    name = services.directory.body_name(sheet.body)
    draft = sheet.draft
    alert = services.ports.office.alert(draft.alert_id) if draft.alert_id else None
    is_update = alert is not None and alert.issued is not None
    msg_type = MsgType.UPDATE if is_update else MsgType.ALERT
    return {
        "previews": previews.of_typed(sheet.typed, name, msg_type, services.now()),
        "estimate": census.estimate(services, services.tree(), sheet.typed.all("areas")),
        "is_update": is_update,
        # Once the update is begun, what it is for is on record.
        "may_correct": is_update and alert is not None and alert.work is None,
    }


def _page(
    request: Request, services: Services, visitor: Visitor, sheet: Sheet, *, status: int = 200
) -> Response:
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
        paste=sheet.paste,
        bodies=[(body, name(body)) for body in visitor.bodies(Role.AUTHOR)],
        body=sheet.body,
        categories=sorted(categories, key=lambda each: (each.group, each.name)),
        edition=tree.edition,
        branches=areas.branches(tree, areas.within(services, sheet.body)),
        chosen=frozenset(chosen),
        chosen_names=areas.names(tree, chosen),
        channels=list(Channel),
        **_shown(services, sheet),
    )
