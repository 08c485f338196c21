"""Saved sets of areas: kept under a name, replaced, taken out of use."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broadcaster.area_set import AreaSet
from broadcaster.commands.area_sets import KEEPERS, AreaSetCommands
from broadcaster.log import ConflictError, Once
from broadcaster.rules import RefusedError
from broadcaster.web.console import writing
from broadcaster.web.console.form import BoundForm, Form
from broadcaster.web.console.frame import go
from broadcaster.web.console.shelf.templates import list_page, sets
from broadcaster.web.console.visitor import Visitor, WithVisitor
from broadcaster.web.console.writing import Fault
from broadcaster.web.services import Services, WithServices

router = APIRouter(prefix="/console/area-sets", include_in_schema=False)

AreaSetId = Annotated[UUID, Path()]
_LONGEST_NAME = 120


@router.post("")
def begin(request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm) -> Response:
    """Saves a new set from a list of names."""
    body = form.one("body")
    visitor.require(body, *KEEPERS)
    codes, faults = _read(services, form)
    if not faults:
        try:
            once = Once(visitor.name, f"console area set {form.mark().hex()[:40]}", form.mark())
            _commands(services).begin(
                visitor.by(body), body, form.one("name"), codes, at=services.now(), once=once
            )
            return go("/console/templates#sets")
        except RefusedError as refusal:
            faults = [Fault("areas", refusal.rule.value)]
    return list_page(request, services, visitor, tuple(faults), form)


@router.post("/{area_set_id}")
def change(
    request: Request, services: WithServices, visitor: WithVisitor, form: BoundForm, area_set_id: AreaSetId
) -> Response:
    """Replaces its areas, in the edition in force; with `do=retire` takes it out of use."""
    known = _found(services, visitor, area_set_id)
    visitor.require(known.issuer_id, *KEEPERS)
    by, at, expected = visitor.by(known.issuer_id), services.now(), form.number("version")
    codes, faults = ([], []) if form.one("do") == "retire" else _read(services, form)
    if not faults:
        try:
            if form.one("do") == "retire":
                _commands(services).retire(by, area_set_id, at=at, expected=expected)
            else:
                _commands(services).save(by, area_set_id, form.one("name"), codes, at=at, expected=expected)
            return go("/console/templates#sets")
        except RefusedError as refusal:
            faults = [Fault("areas", refusal.rule.value)]
        except ConflictError:
            faults = [Fault("", "moved-on")]
    return list_page(request, services, visitor, tuple(faults), form, changed=area_set_id)


def shown_again(
    request: Request, services: Services, visitor: Visitor, form: Form, area_set_id: UUID | None = None
) -> Response:
    """The form of a new set, or of one there is, with what was typed when the session had ended."""
    visitor.require_somewhere(*KEEPERS)
    known = _found(services, visitor, area_set_id) if area_set_id else None
    moved = known is not None and form.number("version") != known.version
    faults = (Fault("", "moved-on"),) if moved else ()
    return list_page(request, services, visitor, faults, form, changed=area_set_id)


def _found(services: Services, visitor: Visitor, area_set_id: UUID) -> AreaSet:
    for each in sets(services, visitor):
        if each.id == area_set_id:
            return each
    raise HTTPException(404)


def _read(services: Services, form: Form) -> tuple[list[str], list[Fault]]:
    tree, name = services.tree(), form.one("name")
    found, strange = writing.named_areas(tree, form.one("areas"), [tree.root])
    faults: list[Fault] = []
    if not name:
        faults.append(Fault("name", "missing"))
    elif len(name) > _LONGEST_NAME or not name.isprintable():
        faults.append(Fault("name", "long", _LONGEST_NAME))
    if strange:
        faults.append(Fault("areas", "paste"))
    elif not found:
        faults.append(Fault("areas", "missing"))
    return writing.tidy_areas(tree, found), faults


def _commands(services: Services) -> AreaSetCommands:
    return AreaSetCommands(services.ports.office)
