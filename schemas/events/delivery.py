"""Events of delivery: audiences, receipts, imports of subscribers."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from schemas.content import Channel, Lane, Mode
from schemas.dispatch import Receipt
from schemas.events.base import Event


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


class ReceiptRecorded(Event, topic="receipt.recorded"):
    """A dispatch ended; the stream is the dispatch's id, so it ends once."""

    receipt: Receipt


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


DeliveryEvent = AudienceFrozen | ReceiptRecorded | SubscribersImported | TestersChanged
