"""The areas that a template names, brought to another edition of the register. Pure.

As saved sets are (area_set_moving.py): its latest version is saved again in the new codes. That version
is approved by nobody; a correction goes on with the words that were approved before, for it goes where
the error went and never to the template's areas.
"""

from dataclasses import dataclass

from broadcaster.atlas import Atlas
from broadcaster.reorganisation.area_set_moving import Brought, brought
from broadcaster.template import Template
from schemas.events import Actor, TemplateSaved


@dataclass(frozen=True)
class TemplateCarried:
    """What a template's areas are in another edition."""

    known: Template
    areas: Brought
    edition: str

    def save(self, by: Actor) -> TemplateSaved:
        """Its next version."""
        latest = self.known.latest
        codes = tuple(area.code for area in self.areas.new)
        body = latest.body.model_copy(update={"areas": codes, "edition": self.edition})
        return self.known.save(by, latest.name, latest.purpose, body)


def behind(known: Template, edition: str) -> bool:
    """Whether it is in use and names areas of another edition."""
    return not known.retired and known.latest.body.edition not in {None, edition}


def carried(atlas: Atlas, known: Template, edition: str) -> TemplateCarried | None:
    """The template in that edition; None where nothing is to do, or nobody knows what it became."""
    body = known.latest.body
    if body.edition is None or not behind(known, edition):
        return None
    areas = brought(atlas, body.areas, body.edition, edition)
    return None if areas is None else TemplateCarried(known, areas, edition)
