"""A template: an alert with named gaps, which an author in a hurry fills."""

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from schemas.content import (
    AreaCode,
    Certainty,
    Channel,
    Clean,
    Headline,
    Kind,
    Language,
    RiskLevel,
    Severity,
    Urgency,
)

Purpose = Literal["draft", "correction", "nothing_to_report"]
"""What for: any alert; putting a wrong one right; a bulletin that answers a reminder of the cadence."""
GAP = re.compile(r"\{([a-z][a-z0-9_]{0,39})\}")
"""A gap in a text: {name}."""


class TemplateField(BaseModel):
    """A gap: its name in the texts, and what the author is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    label: Headline
    example: Annotated[str, Clean, StringConstraints(max_length=200)] = ""
    longest: Annotated[int, Field(ge=1, le=500)] = 80
    """Characters."""


class TemplateText(BaseModel):
    """One language of a template; each part may hold gaps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    headline: Annotated[str, Clean, StringConstraints(min_length=1, max_length=200)]
    description: Annotated[str, Clean, StringConstraints(min_length=1, max_length=2000)]
    instruction: Annotated[str, Clean, StringConstraints(max_length=1000)] | None = None
    sign_text: Annotated[str, Clean, StringConstraints(max_length=120)] | None = None
    sms_text: Annotated[str, Clean, StringConstraints(max_length=459)] | None = None

    @property
    def gaps(self) -> frozenset[str]:
        """The names of its gaps."""
        parts = (self.headline, self.description, self.instruction, self.sign_text, self.sms_text)
        return frozenset(name for part in parts if part for name in GAP.findall(part))


class TemplateBody(BaseModel):
    """Everything a template fixes or suggests. `areas` may be left to the author."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    category: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")]
    severity: Severity
    urgency: Urgency
    certainty: Certainty
    risk_level: RiskLevel | None = None
    fields: Annotated[tuple[TemplateField, ...], Field(max_length=20)] = ()
    texts: Annotated[dict[Language, TemplateText], Field(min_length=1, max_length=8)]
    areas: Annotated[tuple[AreaCode, ...], Field(max_length=700)] = ()
    edition: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z.-]{1,40}$")] | None = None
    """The edition of the area register that `areas` belong to."""
    channels: tuple[Channel, ...] = ()
    lifetime_hours: Annotated[int, Field(ge=1, le=720)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if "vi" not in self.texts:
            raise ValueError("texts: Vietnamese (vi) is required")
        names = [each.name for each in self.fields]
        if len(set(names)) != len(names):
            raise ValueError("fields: a field is named twice")
        used = frozenset[str]().union(*(text.gaps for text in self.texts.values()))
        if missing := sorted(used - set(names)):
            raise ValueError(f"texts: {{{missing[0]}}} is not among the fields")
        if unused := sorted(set(names) - used):
            raise ValueError(f"fields: no text uses {{{unused[0]}}}")
        if bool(self.areas) != (self.edition is not None):
            raise ValueError("edition: goes with areas")
        return self
