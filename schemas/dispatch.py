"""Orders to a channel, and the records of what came of them."""

from collections import Counter
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from schemas.content import Channel, Lane, Language
from schemas.ids import dispatch_id, part_id, replay_id


def _absent(value: object) -> bool:
    # What was added later is written only where it says something, so old receipts keep their bytes.
    return not value


Ranks = dict[str, tuple[int, ...]]
"""Ranks in an audience, by provider."""


class TopicShare(BaseModel):
    """Those of an audience who are reached by one message to an FCM topic, by home area.

    The provider says of nobody whether they got it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    language: Language
    areas: Annotated[tuple[tuple[str, Annotated[int, Field(ge=1)]], ...], Field(min_length=1)]

    @property
    def people(self) -> int:
        """How many they are."""
        return sum(count for _, count in self.areas)


class Dispatch(BaseModel):
    """An order to one channel for one slice of one frozen audience: a reference, never addresses.

    One that names a topic has one rank, the topic's.

    `first` and `last` are ranks in the audience, last excluded. `only` narrows a follow-up to the
    ranks that were deferred. `areas` are the home areas of the ranks from `first` to `last`, in runs:
    an area, and how many ranks in a row. The id is a function of the rest, so a replay orders nothing new.
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
    bound: Ranks = Field(default_factory=dict, exclude_if=_absent)
    """By provider, the ranks that it may have taken at an earlier try: they go through no other."""
    areas: Annotated[tuple[tuple[str, int], ...], Field(exclude_if=_absent)] = ()
    replay_of: Annotated[UUID | None, Field(exclude_if=_absent)] = None
    """The dispatch whose dead letter this tries again; attempts count anew."""
    part: Annotated[bool, Field(exclude_if=_absent)] = False
    """A follow-up beside the slice's own, and all that follow it: their ids are by their lowest rank."""
    topic: Annotated[TopicShare | None, Field(exclude_if=_absent)] = None
    """It goes to a topic: whose message that is, in one."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.areas and sum(count for _, count in self.areas) != self.last - self.first:
            raise ValueError("areas: must tell the home of each rank")
        if self.topic and (self.last - self.first != 1 or self.areas):
            raise ValueError("topic: has one rank, and tells its areas itself")
        return self

    @property
    def people(self) -> int:
        """How many it is meant to reach: a topic is one recipient of a message for many."""
        return self.topic.people if self.topic else self.size

    @property
    def ranks(self) -> tuple[int, ...]:
        """The ranks in the audience this dispatch is for."""
        return self.only if self.only is not None else tuple(range(self.first, self.last))

    @property
    def size(self) -> int:
        """How many recipients it is for."""
        return len(self.only if self.only is not None else range(self.first, self.last))

    @property
    def subject(self) -> str:
        """Where it travels on the transport."""
        return dispatch_subject(self.lane, self.channel)

    def follow_up(
        self,
        deferred: tuple[int, ...],
        not_before: AwareDatetime,
        bound: Ranks | None = None,
        *,
        part: bool = False,
    ) -> Self:
        """The next attempt, for ranks that were deferred; `part` where it is not the first of several."""
        attempt, part = self.attempt + 1, part or self.part
        return self.model_copy(
            update={
                "id": part_id(self._line(1), min(deferred), attempt) if part else self._line(attempt),
                "attempt": attempt,
                "only": deferred,
                "not_before": not_before,
                "bound": bound or {},
                "part": part,
            }
        )

    def _line(self, attempt: int) -> UUID:
        """The id of an attempt at the slice, or at the dead letter that this replays."""
        if self.replay_of is None:
            return dispatch_id(self.alert_id, self.version, self.channel, self.first, attempt)
        return replay_id(self.replay_of, attempt)

    def replay(self, dead: tuple[int, ...]) -> Self:
        """The first attempt of another try at ranks that were given up."""
        return self.model_copy(
            update={
                "id": replay_id(self.id, 1),
                "attempt": 1,
                "only": dead,
                "not_before": None,
                "replay_of": self.id,
                "part": False,
            }
        )

    def homes(self) -> dict[int, str]:
        """The home area of each rank; empty where the order does not tell."""
        found: dict[int, str] = {}
        rank = self.first
        for area, count in self.areas:
            found.update(dict.fromkeys(range(rank, rank + count), area))
            rank += count
        return {rank: found[rank] for rank in self.ranks} if found else {}


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


class Later(BaseModel):
    """Deferred ranks that wait longer than the rest, for that is what the provider asked of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    retry_at: AwareDatetime
    ranks: Annotated[tuple[int, ...], Field(min_length=1)]


class Receipt(BaseModel):
    """What came of one dispatch: a count for each outcome, which add up to its recipients.

    `unknown` counts those sent again because an earlier try may or may not have been accepted.
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
    carried: Ranks = Field(default_factory=dict, exclude_if=_absent)
    """The ranks that each provider accepted, where more than `provider` alone did."""
    bound: Ranks = Field(default_factory=dict, exclude_if=_absent)
    """As `Dispatch.bound`, of the deferred: for the follow-up."""
    segments: Annotated[int, Field(ge=0, exclude_if=_absent)] = 0
    """Short messages that the providers took, those of messages that were not completed included."""
    cost: Annotated[int, Field(ge=0, exclude_if=_absent)] = 0
    """What they cost, in VND."""
    dead: Annotated[tuple[int, ...], Field(exclude_if=_absent)] = ()
    by_area: dict[str, dict[Outcome, Annotated[int, Field(ge=1)]]] = Field(
        default_factory=dict[str, dict[Outcome, int]], exclude_if=_absent
    )
    later: Annotated[tuple[Later, ...], Field(exclude_if=_absent)] = ()
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
