"""What stood at an instant, and evidence of one alert to take away; for auditors."""

import tempfile
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from broadcaster.account import Role
from broadcaster.log import UnknownStreamError
from broadcaster.proof import as_of
from broadcaster.proof.checkpoint import CheckpointError
from broadcaster.proof.handing_out import hand_out
from broadcaster.web.console import second_factor
from broadcaster.web.console.form import BoundForm
from broadcaster.web.console.frame import show
from broadcaster.web.console.moments import moment
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault, local
from broadcaster.web.services import Services, WithServices

router = APIRouter(prefix="/console/audit", include_in_schema=False)


class Asked(BaseModel):
    """Which instant, and which alert, as they were typed."""

    model_config = ConfigDict(extra="ignore")

    at: Annotated[str, Field(max_length=40)] = ""
    alert: Annotated[str, Field(max_length=60)] = ""


@router.get("/as-of")
def as_of_page(
    request: Request, services: WithServices, visitor: WithVisitor, asked: Annotated[Asked, Query()]
) -> Response:
    """The alerts that were live then, or one alert in whatever state; from the log itself."""
    visitor.require_somewhere(Role.AUDITOR)
    faults: list[Fault] = []
    at, alert_id = _at(services, asked.at.strip(), faults), _alert(asked.alert.strip(), faults)
    return _page(request, services, visitor, asked, faults, at, alert_id)


@router.post("/evidence")
def evidence(request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm) -> Response:
    """A bundle of what the log holds of one alert. Handing it out is an event."""
    bodies = visitor.require_somewhere(Role.AUDITOR)
    asked = Asked(alert=form.one("alert")[:60])
    faults: list[Fault] = []
    alert_id = _alert(asked.alert, faults)
    if alert_id is None and not faults:
        faults.append(Fault("alert", "missing"))
    wrong = second_factor.fault(services, visitor, form)
    if wrong:
        faults.append(Fault("code", f"code-{wrong}"))
    seals, at = services.ports.seals, services.now()
    if seals is None:
        faults.append(Fault("", "proof"))
    if faults or seals is None or alert_id is None:
        return _page(request, services, visitor, asked, faults, None, None)
    with tempfile.TemporaryDirectory(prefix="evidence-") as folder:
        draft = Path(folder) / "bundle.zip"
        try:
            hand_out(services.ports.log, seals, alert_id, draft, by=visitor.by(bodies[0]), at=at)
        except UnknownStreamError:
            return _page(request, services, visitor, asked, [Fault("alert", "none")], None, None)
        except CheckpointError:
            return _page(request, services, visitor, asked, [Fault("", "proof")], None, None)
        body = draft.read_bytes()
    named = {"Content-Disposition": f'attachment; filename="evidence-{alert_id}.zip"'}
    return Response(body, media_type="application/zip", headers=named | {"Cache-Control": "no-store"})


def _at(services: Services, text: str, faults: list[Fault]) -> datetime | None:
    try:
        at = moment(text)
    except ValueError:
        faults.append(Fault("at", "date"))
        return None
    if at is not None and at > services.now():
        faults.append(Fault("at", "future"))
        return None
    return at


def _alert(text: str, faults: list[Fault]) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        faults.append(Fault("alert", "invalid"))
        return None


def _page(
    request: Request,
    services: Services,
    visitor: Visitor,
    asked: Asked,
    faults: list[Fault],
    at: datetime | None,
    alert_id: UUID | None,
) -> Response:
    log = services.ports.log
    stood = as_of.as_of(as_of.recorded(log), at, alert_id) if at and not faults else None
    position, chain = as_of.position_at(log, at) if at and not faults else (0, "")
    return show(
        request,
        visitor,
        "as-of.html",
        here="audit",
        status=422 if faults else 200,
        path="/console/audit/as-of",
        asked=asked,
        now=local(services.now()),
        faults=tuple(faults),
        stood=stood,
        position=position,
        chain=chain,
        body_name=partial(_body_name, services, at),
        area_names=partial(_area_names, services, at),
        delegations=services.ports.office.every_delegation() if stood else {},
        signs=bool(services.ports.seals and services.ports.seals.signs),
    )


def _body_name(services: Services, at: datetime | None, code: str) -> str:
    """As the body was called then; its code where nobody knows."""
    body, at = services.directory.bodies().get(code), at or services.now()
    return body.as_of(at, services.ports.office.edition(at).name).name if body else code


def _area_names(services: Services, at: datetime | None, edition: str | None) -> Mapping[str, str]:
    """Of the edition, or of the one in force then where an old log does not say which."""
    office = services.ports.office
    tree = services.tree(edition) if edition else office.edition(at or services.now()).tree
    return {area.code: area.name for area in tree}
