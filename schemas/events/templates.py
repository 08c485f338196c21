"""Events of what a body keeps at hand for its authors: templates and sets of areas."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from schemas.events.base import Event
from schemas.template import Purpose, TemplateBody


class TemplateSaved(Event, topic="template.saved"):
    """A template was written, or written anew: `version` is 1, 2, 3... Older versions stay readable."""

    template_id: UUID
    issuer_id: str
    version: Annotated[int, Field(ge=1)]
    name: str
    purpose: Purpose
    body: TemplateBody


class TemplateApproved(Event, topic="template.approved"):
    """Another than its writers approved this version: a correction of it needs no second person then."""

    template_id: UUID
    version: int


class TemplateRetired(Event, topic="template.retired"):
    """It is offered no more."""

    template_id: UUID


class AreaSetSaved(Event, topic="area_set.saved"):
    """A named set of areas, or a next version of it."""

    area_set_id: UUID
    issuer_id: str
    version: Annotated[int, Field(ge=1)]
    name: str
    edition: str
    areas: tuple[str, ...]


class AreaSetRetired(Event, topic="area_set.retired"):
    """It is offered no more."""

    area_set_id: UUID


TemplateEvent = TemplateSaved | TemplateApproved | TemplateRetired
AreaSetEvent = AreaSetSaved | AreaSetRetired
