"""From a draft to an alert that waits for approval."""

import hashlib
from functools import partial

from fastapi import Request
from starlette.responses import Response

from broadcaster.alert import Alert
from broadcaster.drafting.drafts import Draft
from broadcaster.lifecycle import Stage
from broadcaster.log import ConflictError, Once
from broadcaster.rules import RefusedError
from broadcaster.web.console import writing
from broadcaster.web.console.alerts.composing import again
from broadcaster.web.console.alerts.sheets import Sheet
from broadcaster.web.console.frame import go
from broadcaster.web.console.visitor import Visitor
from broadcaster.web.console.writing import Fault, Typed
from broadcaster.web.services import Services
from schemas.content import Content


def submit(request: Request, services: Services, visitor: Visitor, sheet: Sheet) -> Response:
    """Claims the draft first, so that of two presses one counts; what is wrong is shown on the form."""
    draft = sheet.draft
    before = _before(services, draft)
    read = writing.read(sheet.typed, before)
    faults = [Fault("areas", "paste")] if sheet.paste else []
    if isinstance(read, list) or faults:
        faults += read if isinstance(read, list) else []
        return again(request, services, visitor, sheet, faults)
    drafts = services.ports.drafts
    if not drafts.claim(draft.id, draft.version, services.now()):
        return go("/console/alerts")
    try:
        alert = _put_up(services, visitor, draft, read)
    except RefusedError as refusal:
        drafts.release(draft.id)
        return again(request, services, visitor, sheet, [writing.refused(refusal)])
    except ConflictError:
        drafts.release(draft.id)
        return again(request, services, visitor, sheet, [Fault("", "moved")])
    services.ports.drafts.drop(draft.id, draft.version, services.now())
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
    services.ports.drafts.follow(draft.id, alert.id, alert.version)
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
