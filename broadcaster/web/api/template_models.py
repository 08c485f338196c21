"""What the API answers about templates and sets of areas."""

from typing import Literal
from uuid import UUID

from broadcaster.area_set import AreaSet
from broadcaster.template import Template, TemplateVersion
from broadcaster.web.api.models import Answer
from schemas.template import Purpose, TemplateBody


class TemplateVersionAnswer(Answer):
    """A text that was saved."""

    version: int
    name: str
    purpose: Purpose
    body: TemplateBody
    saved_by: str
    approved_by: str | None
    """Who approved this version; a correction of it needs no second person then."""


class TemplateSummary(Answer):
    """A template in a list: its latest version."""

    id: UUID
    issuer: str
    version: int
    """Of its latest text."""
    name: str
    purpose: Purpose
    category: str
    languages: list[str]
    approved: bool
    retired: bool


class TemplatePage(Answer):
    """Templates, in order of their first version."""

    templates: list[TemplateSummary]


class TemplateAnswer(Answer):
    """A template. Its ETag is what If-Match wants when it is changed."""

    id: UUID
    issuer: str
    retired: bool
    latest: TemplateVersionAnswer
    approved_version: int | None
    """The last that was approved."""
    areas_out_of_date: bool
    """Whether its areas belong to another edition than the one in force: then they are not filled in."""


class TemplateVersions(Answer):
    """Every version, the first one first."""

    versions: list[TemplateVersionAnswer]


class AreaSetAnswer(Answer):
    """A set of areas. Out of date, it is not filled in: save it anew."""

    id: UUID
    issuer: str
    version: int
    name: str
    edition: str
    areas: list[str]
    state: Literal["current", "out_of_date", "retired"]


class AreaSetPage(Answer):
    """Sets of areas, in order of their first version."""

    area_sets: list[AreaSetAnswer]


def version_answer(version: TemplateVersion) -> TemplateVersionAnswer:
    """One version."""
    return TemplateVersionAnswer(
        version=version.number,
        name=version.name,
        purpose=version.purpose,
        body=version.body,
        saved_by=version.saved_by,
        approved_by=version.approved_by,
    )


def template_answer(template: Template, edition: str) -> TemplateAnswer:
    """The template, seen from the edition in force."""
    approved = template.approved
    return TemplateAnswer(
        id=template.id,
        issuer=template.issuer_id,
        retired=template.retired,
        latest=version_answer(template.latest),
        approved_version=approved.number if approved else None,
        areas_out_of_date=template.latest.body.edition not in {None, edition},
    )


def template_summary(template: Template) -> TemplateSummary:
    """A line of the list."""
    latest = template.latest
    return TemplateSummary(
        id=template.id,
        issuer=template.issuer_id,
        version=latest.number,
        name=latest.name,
        purpose=latest.purpose,
        category=latest.body.category,
        languages=list(latest.body.texts),
        approved=latest.approved_by is not None,
        retired=template.retired,
    )


def area_set_answer(found: AreaSet, edition: str) -> AreaSetAnswer:
    """The set, seen from the edition in force."""
    current: Literal["current", "out_of_date"] = "current" if found.edition == edition else "out_of_date"
    return AreaSetAnswer(
        id=found.id,
        issuer=found.issuer_id,
        version=found.number,
        name=found.name,
        edition=found.edition,
        areas=list(found.areas),
        state="retired" if found.retired else current,
    )
