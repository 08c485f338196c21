"""The terms of the duty to inform regularly: who owes an item, how often, and what counts as one."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from schemas.content import Instant, Kind

LEVELS = (1, 2, 3, 4)


class Reading(StrEnum):
    """What "3 days" means."""

    CALENDAR = "calendar"
    """Each 3 consecutive whole days of Hanoi's calendar hold at least one item."""
    ROLLING = "rolling"
    """No 72 hours pass without one."""


class Basis(StrEnum):
    """What makes a body owe."""

    REGISTERED = "registered"
    """That it is registered."""
    DELEGATED = "delegated"
    """That another body's rights are delegated to it just then (telegram 05 §8b, "phân cấp quyền")."""


class Owes(BaseModel):
    """Bodies that owe: those of a level, of these kinds (of any where none is named)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: Annotated[int, Field(ge=1, le=4)]
    kinds: Annotated[
        tuple[Annotated[str, StringConstraints(min_length=1, max_length=40)], ...], Field(max_length=40)
    ] = ()
    since: Instant | None = None
    """They owe nothing before; from the beginning of the policy where absent."""
    basis: Basis = Basis.REGISTERED


class CadencePolicy(BaseModel):
    """The terms, whole: a policy replaces the one before it.

    Telegram 05/CĐ-UBND §1d and §8b say "tối thiểu 03 ngày 01 tin" and no more. The rest is the city
    office's to set; what stands here is what holds where it set nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reading: Reading = Reading.CALENDAR
    interval_days: Annotated[int, Field(ge=1, le=31)] = 3
    owes: Annotated[tuple[Owes, ...], Field(max_length=40)] = tuple(Owes(level=level) for level in LEVELS)
    """Every registered body: to be registered as one that may issue is how a commune got the right."""
    counts: Annotated[tuple[Kind, ...], Field(min_length=1, max_length=2)] = (Kind.BULLETIN, Kind.ALERT)
    """The telegram asks for both ("thường xuyên", "đột xuất") and tells them not apart."""
    parent_counts: bool = False
    """An item of the body directly above that names the body's own area counts for the body too."""

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if len(set(self.counts)) != len(self.counts):
            raise ValueError("counts: a kind is named twice")
        return self
