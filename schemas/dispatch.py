"""Orders to a channel, and the records of what came of them."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from schemas.content import Channel, Lane
from schemas.ids import dispatch_id

Ranks = dict[str, tuple[int, ...]]
"""Ranks in an audience, by provider."""


def _empty(value: object) -> bool:
    return not value


class Dispatch(BaseModel):
    """An order to one channel for one slice of one frozen audience: a reference, never addresses.

    `first` and `last` are ranks in the audience, last excluded. `only` narrows a follow-up to the
    ranks that were deferred. The id is a function of the rest, so a replay orders nothing new.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: UUID
    alert_id: UUID
    version: Annotated[int, Field(ge=1)]
    channel: Channel
    lane: Lane
    audience_id: UUID
    first: Annotated[int, Field(ge=0)]
    last: Annotated[int, Field(ge=1)]
    attempt: Annotated[int, Field(ge=1)] = 1
    only: tuple[int, ...] | None = None
    not_before: AwareDatetime | None = None
    expires_at: AwareDatetime
    bound: Ranks = Field(default_factory=dict, exclude_if=_empty)
    """By provider, the ranks that it may have taken at an earlier try: they go through no other."""

    @property
    def ranks(self) -> tuple[int, ...]:
        """The ranks in the audience this dispatch is for."""
        return self.only if self.only is not None else tuple(range(self.first, self.last))

    @property
    def subject(self) -> str:
        """Where it travels on the transport."""
        return dispatch_subject(self.lane, self.channel)

    def follow_up(
        self, deferred: tuple[int, ...], not_before: AwareDatetime, bound: Ranks | None = None
    ) -> Self:
        """The next attempt, for the ranks that were deferred."""
        attempt = self.attempt + 1
        return self.model_copy(
            update={
                "id": dispatch_id(self.alert_id, self.version, self.channel, self.first, attempt),
                "attempt": attempt,
                "only": deferred,
                "not_before": not_before,
                "bound": bound or {},
            }
        )


def dispatch_subject(lane: Lane, channel: Channel) -> str:
    """The transport subject of a lane and channel."""
    return f"dispatch.{lane}.{channel}"


class Outcome(StrEnum):
    """What became of one recipient in one attempt; every recipient ends in one that is final."""

    ACCEPTED = "accepted"
    """The provider took it."""
    GONE = "gone"
    """The address no longer exists, and is erased."""
    REFUSED = "refused"
    """The provider will never take it for this recipient."""
    DEFERRED = "deferred"
    """Not now; a follow-up dispatch tries again. Not final."""
    DEAD = "dead"
    """Out of attempts: a dead letter."""
    EXPIRED = "expired"
    """The alert ended before this was sent."""
    SUPERSEDED = "superseded"
    """A later version made this one moot before it was sent."""


FINAL = tuple(outcome for outcome in Outcome if outcome is not Outcome.DEFERRED)


class Fate(StrEnum):
    """What the network says became of an accepted SMS; of most it says nothing."""

    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"


class Receipt(BaseModel):
    """What came of one dispatch: a count for each outcome, which add up to its recipients.

    `unknown` counts those sent again because an earlier try may or may not have been accepted.
    `reasons` names the provider's errors. `deferred` and `retry_at` order the follow-up.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dispatch: Dispatch
    counts: dict[Outcome, Annotated[int, Field(ge=1)]]
    deferred: tuple[int, ...] = ()
    retry_at: AwareDatetime | None = None
    unknown: Annotated[int, Field(ge=0)] = 0
    reasons: dict[str, int] = Field(default_factory=dict)
    provider: str = ""
    carried: Ranks = Field(default_factory=dict, exclude_if=_empty)
    """The ranks that each provider accepted, where more than `provider` alone did."""
    bound: Ranks = Field(default_factory=dict, exclude_if=_empty)
    """As `Dispatch.bound`, of the deferred: for the follow-up."""
    segments: Annotated[int, Field(ge=0, exclude_if=_empty)] = 0
    """Short messages that the providers took, those of messages that were not completed included."""
    cost: Annotated[int, Field(ge=0, exclude_if=_empty)] = 0
    """What they cost, in VND."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        size = len(self.dispatch.ranks)
        if sum(self.counts.values()) != size:
            raise ValueError(f"counts: {sum(self.counts.values())} outcomes for {size} recipients")
        if self.counts.get(Outcome.DEFERRED, 0) != len(self.deferred):
            raise ValueError("deferred: must list each deferred rank")
        if bool(self.deferred) != (self.retry_at is not None):
            raise ValueError("retry_at: goes with deferred ranks")
        if not {rank for ranks in self.bound.values() for rank in ranks} <= set(self.deferred):
            raise ValueError("bound: only deferred ranks are sent again")
        return self
