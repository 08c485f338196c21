"""An order to a channel: for whom it is, and what is ordered after it."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from schemas.absent import absent
from schemas.content import Channel, Lane, Language
from schemas.ids import dispatch_id, part_id, replay_id

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
    bound: Ranks = Field(default_factory=dict, exclude_if=absent)
    """By provider, the ranks that it may have taken at an earlier try: they go through no other."""
    areas: Annotated[tuple[tuple[str, int], ...], Field(exclude_if=absent)] = ()
    replay_of: Annotated[UUID | None, Field(exclude_if=absent)] = None
    """The dispatch whose dead letter this tries again; attempts count anew."""
    part: Annotated[bool, Field(exclude_if=absent)] = False
    """A follow-up beside the slice's own, and all that follow it: their ids are by their lowest rank."""
    topic: Annotated[TopicShare | None, Field(exclude_if=absent)] = None
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
        found = {via: tuple(rank for rank in tied if rank in dead) for via, tied in self.bound.items()}
        return self.model_copy(
            update={
                "id": replay_id(self.id, 1),
                "attempt": 1,
                "only": dead,
                "not_before": None,
                "bound": {via: tied for via, tied in found.items() if tied},
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
        if self.only is None or not found:
            return found
        return {rank: found[rank] for rank in self.only}


def dispatch_subject(lane: Lane, channel: Channel) -> str:
    """The transport subject of a lane and channel."""
    return f"dispatch.{lane}.{channel}"
