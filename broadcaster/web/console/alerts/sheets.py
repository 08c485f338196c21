"""The form of an alert as it was posted: whose draft it is, what stands in it."""

from dataclasses import dataclass
from uuid import UUID

from starlette.exceptions import HTTPException

from broadcaster.account import Role
from broadcaster.drafting.drafts import Draft
from broadcaster.web.console import areas, writing
from broadcaster.web.console.form import Form
from broadcaster.web.console.visitor import Visitor
from broadcaster.web.console.writing import Fault, Typed
from broadcaster.web.services import Services


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


def own(services: Services, visitor: Visitor, draft_id: UUID) -> Draft:
    """The draft, for an author of its body; 404 where there is none."""
    draft = services.ports.drafts.get(draft_id)
    if draft is None:
        raise HTTPException(404)
    visitor.require(draft.body, Role.AUTHOR)
    return draft


def sheet(services: Services, visitor: Visitor, form: Form, draft_id: UUID) -> Sheet:
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
