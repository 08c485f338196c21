"""The record of what came of an order."""

from collections import Counter
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from schemas.absent import absent
from schemas.dispatch.order import Dispatch, Ranks
from schemas.dispatch.outcome import Outcome


class Later(BaseModel):
    """Deferred ranks that wait longer than the rest, for that is what the provider asked of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    retry_at: AwareDatetime
    ranks: Annotated[tuple[int, ...], Field(min_length=1)]


class Receipt(BaseModel):
    """What came of one dispatch: a count for each outcome, which add up to its recipients.

    `unknown` counts those of whom an earlier try may or may not have been accepted, sent again or not.
    `reasons` names the provider's errors. `deferred` and `retry_at` order the follow-up, `later` parts
    from it those who wait longer, `dead` lists the ranks that were given up, where not all were.
    `by_area` parts the counts by the home areas that the dispatch tells.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dispatch: Dispatch
    counts: dict[Outcome, Annotated[int, Field(ge=1)]]
    deferred: tuple[int, ...] = ()
    retry_at: AwareDatetime | None = None
    unknown: Annotated[int, Field(ge=0)] = 0
    reasons: dict[str, int] = Field(default_factory=dict)
    provider: str = ""
    carried: Ranks = Field(default_factory=dict, exclude_if=absent)
    """The ranks that each provider accepted, where more than `provider` alone did."""
    bound: Ranks = Field(default_factory=dict, exclude_if=absent)
    """As `Dispatch.bound`, of the deferred: for the follow-up."""
    segments: Annotated[int, Field(ge=0, exclude_if=absent)] = 0
    """Short messages that the providers took, those of messages that were not completed included."""
    cost: Annotated[int, Field(ge=0, exclude_if=absent)] = 0
    """What they cost, in VND."""
    dead: Annotated[tuple[int, ...], Field(exclude_if=absent)] = ()
    by_area: dict[str, dict[Outcome, Annotated[int, Field(ge=1)]]] = Field(
        default_factory=dict, exclude_if=absent
    )
    later: Annotated[tuple[Later, ...], Field(exclude_if=absent)] = ()
    """By when, the soonest first; each beyond `retry_at`."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        size = self.dispatch.size
        if sum(self.counts.values()) != size:
            raise ValueError(f"counts: {sum(self.counts.values())} outcomes for {size} recipients")
        if self.counts.get(Outcome.DEFERRED, 0) != len(self.deferred):
            raise ValueError("deferred: must list each deferred rank")
        if bool(self.deferred) != (self.retry_at is not None):
            raise ValueError("retry_at: goes with deferred ranks")
        if self.bound and not {rank for ranks in self.bound.values() for rank in ranks} <= set(
            self.deferred
        ):
            raise ValueError("bound: only deferred ranks are sent again")
        if self.later:
            self._check_later()
        if self.dead and self.counts.get(Outcome.DEAD, 0) != len(self.dead):
            raise ValueError("dead: must list each dead rank, or none")
        if self.by_area:
            summed: Counter[Outcome] = Counter()
            for counts in self.by_area.values():
                summed.update(counts)
            if summed != self.counts:
                raise ValueError("by_area: must add up to counts")
        return self

    @property
    def people(self) -> dict[Outcome, int]:
        """The counts in people. Of a topic that was accepted, it is not known who of them got it."""
        topic = self.dispatch.topic
        return {outcome: count * (topic.people if topic else 1) for outcome, count in self.counts.items()}

    @property
    def people_by_area(self) -> dict[str, dict[Outcome, int]]:
        """The same by home area; empty where the order does not tell."""
        topic = self.dispatch.topic
        if topic is None:
            return self.by_area
        (outcome,) = self.counts
        return {area: {outcome: count} for area, count in topic.areas}

    def _check_later(self) -> None:
        ranks = [rank for one in self.later for rank in one.ranks]
        if len(ranks) != len(set(ranks)) or not set(ranks) < set(self.deferred):
            raise ValueError("later: parts the deferred, and leaves some for retry_at")
        times = [one.retry_at for one in self.later]
        if times != sorted(set(times)) or self.retry_at is None or times[0] <= self.retry_at:
            raise ValueError("later: goes by time, all of it after retry_at")

    def follow_ups(self) -> tuple[Dispatch, ...]:
        """What it orders: an attempt for each time at which some are tried again, the soonest first."""
        if self.retry_at is None:
            return ()
        parted = {rank for one in self.later for rank in one.ranks}
        first = tuple(rank for rank in self.deferred if rank not in parted)
        return (
            self.dispatch.follow_up(first, self.retry_at, self._bound_of(first)),
            *(
                self.dispatch.follow_up(one.ranks, one.retry_at, self._bound_of(one.ranks), part=True)
                for one in self.later
            ),
        )

    def _bound_of(self, ranks: tuple[int, ...]) -> Ranks:
        wanted = frozenset(ranks)
        found = {via: tuple(rank for rank in tied if rank in wanted) for via, tied in self.bound.items()}
        return {via: tied for via, tied in found.items() if tied}

    @property
    def dead_ranks(self) -> tuple[int, ...] | None:
        """Whom it gave up; None where that is not known: receipts did not always list them."""
        if self.dead:
            return self.dead
        return self.dispatch.ranks if self.counts.get(Outcome.DEAD) == self.dispatch.size else None
