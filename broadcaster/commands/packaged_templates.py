"""Templates that ship with the package, for the city's shelf: every body below finds them there."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, TypeAdapter

from broadcaster.office import Office
from broadcaster.template import Template
from schemas.events import Actor
from schemas.ids import stream_id
from schemas.template import Purpose, TemplateBody

CITY = "ubnd-tp"


class PackagedTemplate(BaseModel):
    """A template as data/hanoi/templates.json has it; `slug` never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slug: str
    name: str
    purpose: Purpose
    body: TemplateBody


@cache
def packaged_templates() -> tuple[PackagedTemplate, ...]:
    """All of them."""
    data = (files("broadcaster") / "data" / "hanoi" / "templates.json").read_bytes()
    return TypeAdapter(tuple[PackagedTemplate, ...]).validate_json(data)


def register(
    office: Office,
    by: Actor,
    records: Iterable[PackagedTemplate],
    *,
    issuer_id: str = CITY,
    at: datetime,
) -> int:
    """Saves those that the log does not hold yet, all or none, and answers how many.

    One that the body wrote anew or retired is left alone. None is approved: a person does that.
    """
    events = [
        Template.begin(by, template_id, issuer_id, each.name, purpose=each.purpose, body=each.body)
        for each in records
        if not office.log.has(template_id := stream_id("template", issuer_id, each.slug))
    ]
    if events:
        office.log.append(events, at=at)
    return len(events)
