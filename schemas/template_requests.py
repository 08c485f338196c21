"""Request bodies about templates and sets of areas."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from schemas.content import AreaCode, Clean, Headline, Instant, Mode
from schemas.requests import Body, BodyId, Version
from schemas.template import Purpose, TemplateBody

Value = Annotated[str, Clean, StringConstraints(max_length=2000)]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


def _once_each(codes: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(codes)) != len(codes):
        raise ValueError("an area is named twice")
    return codes


Areas = Annotated[tuple[AreaCode, ...], Field(max_length=700), AfterValidator(_once_each)]


class NextTemplate(Body):
    """A version of a template, whole."""

    name: Headline
    purpose: Purpose = "draft"
    body: TemplateBody


class NewTemplate(NextTemplate):
    """A template. Without `issuer` it is of the body that the key speaks for."""

    issuer: BodyId | None = None


class TemplateApproval(Body):
    """Which version was read and is approved: the latest."""

    version: Version


class FilledTemplate(Body):
    """What the author adds to a template. Areas come from here, from the set, or from the template.

    The fields `don_vi`, `ngay` and `gio` are filled with the body's name and the local day and hour
    unless they are given.
    """

    issuer: BodyId | None = None
    values: Annotated[dict[FieldName, Value], Field(max_length=40, default_factory=dict)]
    areas: Areas = ()
    area_set: UUID | None = None
    expires_at: Instant | None = None
    version: Version | None = None
    """Of the template; the latest where none is named."""
    mode: Mode = Mode.ACTUAL


class NothingToReport(Body):
    """Answers a reminder of the cadence: everything else is in the template."""

    issuer: BodyId | None = None
    values: Annotated[dict[FieldName, Value], Field(max_length=40, default_factory=dict)]


class NextAreaSet(Body):
    """A version of a set of areas, whole, in the edition in force."""

    name: Headline
    areas: Annotated[Areas, Field(min_length=1)]


class NewAreaSet(NextAreaSet):
    """A set of areas. Without `issuer` it is of the body that the key speaks for."""

    issuer: BodyId | None = None
