"""What the API answers to a citizen's device."""

from collections.abc import Callable, Sequence
from typing import Literal
from uuid import UUID

from pydantic import Field

from broadcaster.registry.subscribers import Subscriber
from broadcaster.web.api.models import Answer, Instant
from projections.board.view import BoardRow
from schemas.content import Content


class DeviceRegistered(Answer):
    """A device's public id, and the secret that proves it is the one. It is not shown again."""

    device_id: UUID
    secret: str = Field(repr=False)


class DeviceAnswer(Answer):
    """What is held about the device, its token apart."""

    device_id: UUID
    push: bool
    phone: str | None = Field(repr=False)
    platform: Literal["android", "ios", "web"] | None
    locale: str
    """RFC 5646; an alert that is not written in it comes in Vietnamese."""
    edition: str
    home: str
    areas: tuple[str, ...]
    opt_outs: tuple[str, ...]
    created_at: Instant
    updated_at: Instant


class InboxItem(Answer):
    """A live alert for one of the device's areas."""

    id: UUID
    version: int
    issuer: str
    issuer_name: str
    content: Content
    edition: str | None
    sent: Instant | None
    expires_at: Instant | None


class Inbox(Answer):
    """What holds now where the device's areas are, the latest first."""

    alerts: list[InboxItem]


def device_answer(subscriber: Subscriber) -> DeviceAnswer:
    """A device."""
    return DeviceAnswer.model_validate(subscriber)


def inbox_of(rows: Sequence[BoardRow], names: Callable[[str], str]) -> Inbox:
    """The inbox of a device."""
    return Inbox(
        alerts=[
            InboxItem(
                id=row.alert_id,
                version=row.version,
                issuer=row.issuer_id,
                issuer_name=names(row.issuer_id),
                content=row.content,
                edition=row.edition,
                sent=row.sent,
                expires_at=row.expires_at,
            )
            for row in rows
        ]
    )
