"""Writing an alert: a form that is saved as it stands, with previews, until it is put up for approval."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.drafting.drafts import Draft, DraftConflictError, DraftsFullError
from broadcaster.web.console.alerts.composing import conflict as conflict_page
from broadcaster.web.console.alerts.composing import gone, page, shown
from broadcaster.web.console.alerts.putting_up import submit
from broadcaster.web.console.alerts.sheets import Sheet, own
from broadcaster.web.console.alerts.sheets import sheet as sheet_of
from broadcaster.web.console.form import BoundForm, Form
from broadcaster.web.console.frame import fragment, go
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault, Typed
from broadcaster.web.services import Services, WithServices

router = APIRouter(prefix="/console", include_in_schema=False)

DraftId = Annotated[UUID, Path()]


@router.get("/compose")
def compose_page(request: Request, services: WithServices, visitor: WithVisitor) -> Response:
    """An empty form. Nothing is kept until something is saved."""
    bodies = visitor.require_somewhere(Role.AUTHOR)
    draft = Draft(uuid4(), bodies[0], None, None, {}, 0, visitor.name, services.now())
    return page(request, services, visitor, Sheet(draft, Typed({}), bodies[0]))


@router.get("/drafts/{draft_id}")
def draft_page(
    request: Request, services: WithServices, visitor: WithVisitor, draft_id: DraftId
) -> Response:
    """The form as it was left."""
    if services.ports.drafts.get(draft_id) is None:
        visitor.require_somewhere(Role.AUTHOR)
        return gone(request, services, visitor, draft_id, Typed({}))
    draft = own(services, visitor, draft_id)
    return page(request, services, visitor, Sheet(draft, Typed(draft.fields), draft.body))


@router.post("/drafts/{draft_id}")
def save_draft(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, draft_id: DraftId
) -> Response:
    """Keeps the form; with `do=submit` puts it up for approval, if nothing is wrong with it."""
    sheet = sheet_of(services, visitor, form, draft_id)
    try:
        saved = _save(services, visitor, form, sheet)
    except DraftConflictError as conflict:
        return conflict_page(request, services, visitor, sheet, conflict.current)
    except DraftsFullError:
        # As of the version it was typed over: what others saved since is not overwritten by the next press.
        draft = replace(sheet.draft, version=form.number("version"))
        sheet = Sheet(draft, sheet.typed, sheet.body, (Fault("", "full"),), sheet.paste)
        return page(request, services, visitor, sheet, status=422)
    except LookupError:
        return gone(request, services, visitor, draft_id, sheet.typed)
    if form.one("do") != "submit":
        if sheet.paste:
            faults = (Fault("areas", "paste"),)
            return page(
                request,
                services,
                visitor,
                Sheet(saved, sheet.typed, sheet.body, faults, sheet.paste),
                status=422,
            )
        return go(f"/console/drafts/{saved.id}{_place(form)}")
    return submit(request, services, visitor, Sheet(saved, sheet.typed, sheet.body, paste=sheet.paste))


@router.post("/drafts/{draft_id}/autosave")
def autosave(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, draft_id: DraftId
) -> Response:
    """Keeps the form while it is typed, and answers the previews. If-Match says what it was typed over."""
    sheet = sheet_of(services, visitor, form, draft_id)
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
    answer = fragment(request, "previews.html", **shown(services, sheet))
    answer.headers["ETag"] = f'"{version}"'
    return answer


@router.post("/drafts/{draft_id}/discard")
def discard(services: WithServices, visitor: WithVisitor, form: BoundForm, draft_id: DraftId) -> Response:
    """Throws a draft away, as it was seen."""
    draft = own(services, visitor, draft_id)
    if not services.ports.drafts.drop(draft.id, form.number("version"), services.now()):
        return go(f"/console/drafts/{draft.id}")
    return go(f"/console/alerts/{draft.alert_id}" if draft.alert_id else "/console")


def shown_again(
    request: Request, services: Services, visitor: Visitor, form: Form, draft_id: UUID
) -> Response:
    """The form with what was typed when the session had ended; where others saved meanwhile, both texts."""
    sheet, version = sheet_of(services, visitor, form, draft_id), form.number("version")
    draft = sheet.draft
    if not draft.version and (version or services.ports.drafts.alert_of_gone(draft_id)):
        return gone(request, services, visitor, draft_id, sheet.typed)
    if draft.version != version and (draft.body, draft.fields) != (sheet.body, sheet.typed.fields):
        return conflict_page(request, services, visitor, sheet, draft)
    return page(request, services, visitor, sheet)


def _save(services: Services, visitor: Visitor, form: Form, sheet: Sheet) -> Draft:
    drafts, draft_id, at = services.ports.drafts, sheet.draft.id, services.now()
    fields, by = sheet.typed.fields, visitor.name
    if form.ticked("overwrite"):
        over = form.number("overwrite")
        return drafts.overwrite(draft_id, sheet.body, fields, over=over, by=by, at=at)
    return drafts.save(draft_id, sheet.body, fields, expected=form.number("version"), by=by, at=at)


def _place(form: Form) -> str:
    """Back to the part of the page where the button was."""
    return {"preview": "#previews", "areas": "#areas", "clear-areas": "#areas"}.get(form.one("do"), "")
