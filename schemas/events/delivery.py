"""Events of delivery: audiences, receipts, imports of subscribers."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.content import Channel, Lane, Mode
from schemas.dispatch import Dispatch, Receipt, TopicShare
from schemas.events.base import Event


class HomeGroup(BaseModel):
    """The recipients whose home is one area."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    area: str
    bitmap: str
    """Base64 of a portable 64-bit roaring bitmap of opaque subscriber ids."""


class Spared(BaseModel):
    """Those left out because a live alert of the same incident is theirs already."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    alert_id: UUID
    version: int
    count: Annotated[int, Field(ge=1)]


class AudienceFrozen(Event, topic="audience.frozen"):
    """Who one version of an alert is for on one channel, fixed once; the stream is the audience id."""

    alert_id: UUID
    version: int
    channel: Channel
    lane: Lane
    count: Annotated[int, Field(ge=0)]
    sha256: str
    """Of the bitmap's bytes."""
    bitmap: str
    """Base64 of a portable 64-bit roaring bitmap of opaque subscriber ids."""
    by_area: dict[str, int]
    """How many of them have their home in each area that has any."""
    slice_size: Annotated[int, Field(ge=1)]
    expires_at: AwareDatetime
    mode: Annotated[Mode, Field(exclude_if=lambda mode: mode is Mode.ACTUAL)] = Mode.ACTUAL
    spared: Annotated[tuple[Spared, ...], Field(exclude_if=lambda spared: not spared)] = ()
    """By which alert, each recipient once. They are not in `count`."""
    wave: Annotated[int, Field(ge=0, exclude_if=lambda wave: not wave)] = 0
    """From 1: a further audience of the version, of people that the ones before left out."""
    first: Annotated[int, Field(ge=0, exclude_if=lambda first: not first)] = 0
    """The rank of its first recipient: ranks go on through the waves of a version."""
    relieves: Annotated[UUID | None, Field(exclude_if=lambda relieves: relieves is None)] = None
    """The graver alert that is so no more; as long as it was, they were spared this one."""
    relieves_version: Annotated[int | None, Field(exclude_if=lambda version: version is None)] = None
    """Its version that had spared them. Absent in older events: its last, for it was withdrawn."""
    groups: Annotated[tuple[HomeGroup, ...], Field(exclude_if=lambda groups: not groups)] = ()
    """The same recipients by home, in the order of ranks: those of the alert's own areas first, then
    who follows them from elsewhere; within a group by ascending id. Absent: rank n is the n-th smallest
    id of all."""
    topics: Annotated[tuple[TopicShare, ...], Field(exclude_if=lambda topics: not topics)] = ()
    """These recipients are reached by messages to these topics, each of them by one; nobody by a token.
    Rank n, counted from `first`, is the n-th topic, not a person."""
    topic_bitmaps: Annotated[tuple[str, ...], Field(exclude_if=lambda bitmaps: not bitmaps)] = ()
    """Whom each of them reaches, as `bitmap`."""
    instead_of: Annotated[str, Field(exclude_if=lambda topic: not topic)] = ""
    """A topic of the version whose message was given up: its people get theirs by token after all."""

    @property
    def added(self) -> int:
        """How many it adds to the version's recipients: none who were among them already."""
        return 0 if self.instead_of else self.count


class ReceiptRecorded(Event, topic="receipt.recorded"):
    """A dispatch ended; the stream is the dispatch's id, so it ends once."""

    receipt: Receipt


class DeadLetterReplayed(Event, topic="dead_letter.replayed"):
    """Those a dispatch gave up are tried once more; the stream is that dispatch's."""

    dispatch: Dispatch
    """The new order, for just them."""
    reason: str


class DeadLetterWrittenOff(Event, topic="dead_letter.written_off"):
    """Those a dispatch gave up stay without the message; the stream is that dispatch's."""

    alert_id: UUID
    version: int
    channel: Channel
    count: Annotated[int, Field(ge=1)]
    reason: str


class CanarySent(Event, topic="canary.sent"):
    """A test item goes to a phone of the operator's own. The stream is the lane's, its version a number."""

    lane: Lane
    channels: tuple[Channel, ...]
    expires_at: AwareDatetime


class CanaryLate(Event, topic="canary.late"):
    """A test item took too long or was lost: something on the road is broken. One event, one stream."""

    lane: Lane
    channel: Channel
    number: int
    sent_at: AwareDatetime


class SubscribersImported(Event, topic="subscribers.imported"):
    """A file of subscribers was read to its end; counts only, no one is named."""

    file_sha256: str
    accepted: int
    rejected: int


class TestersChanged(Event, topic="testers.changed"):
    """Subscribers joined or left those who get exercises and tests; counts only, no one is named."""

    area: str
    edition: str
    added: Annotated[int, Field(ge=0)]
    removed: Annotated[int, Field(ge=0)]


class HouseRestored(Event, topic="house.restored"):
    """An older copy of the database took a newer one's place: what came between is not in the log.

    Whoever had an order by SMS open in the copy may have had the message: they are dead letters now.
    """

    known_until: AwareDatetime
    """When the newest event of the copy was recorded."""
    orders: Annotated[int, Field(ge=0)]
    recipients: Annotated[int, Field(ge=0)]
    """Set aside as dead letters, with these orders."""
    reason: Annotated[str, Field(min_length=1, max_length=500)]


DeliveryEvent = (
    AudienceFrozen
    | ReceiptRecorded
    | DeadLetterReplayed
    | DeadLetterWrittenOff
    | CanarySent
    | CanaryLate
    | SubscribersImported
    | TestersChanged
    | HouseRestored
)
