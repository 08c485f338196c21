"""Events of one alert, from its first draft to its end."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from schemas.content import Content, MsgType
from schemas.events.base import Event


class AlertDrafted(Event, topic="alert.drafted"):
    """A body began an alert: version 1, in work."""

    issuer_id: str
    content: Content
    edition: Annotated[str | None, Field(exclude_if=lambda edition: edition is None)] = None
    """Of the area register, to which the codes belong; the first one where absent."""


class AlertRevised(Event, topic="alert.revised"):
    """The version in work was rewritten."""

    version: int
    content: Content
    edition: Annotated[str | None, Field(exclude_if=lambda edition: edition is None)] = None
    """Of the area register, to which the codes belong; the first one where absent."""


class AlertSubmitted(Event, topic="alert.submitted"):
    """The version in work was put up for approval."""

    version: int
    delegation_id: Annotated[UUID | None, Field(exclude_if=lambda given: given is None)] = None
    """The delegation it stood on; absent where the body's own rights were enough."""


class AlertReturned(Event, topic="alert.returned"):
    """The version in work was sent back to its authors."""

    version: int
    reason: str


class AlertRejected(Event, topic="alert.rejected"):
    """The version in work was turned down for good; a first version ends its alert."""

    version: int
    reason: str


class AlertApproved(Event, topic="alert.approved"):
    """An account that wrote nothing of this version approved it."""

    version: int


class AlertPreApproved(Event, topic="alert.pre_approved"):
    """The version in work is a correcting text that was approved beforehand, word for word."""

    version: int
    template_id: UUID
    template_version: int
    approved_by: str
    """The account that approved the template."""


class AlertScheduled(Event, topic="alert.scheduled"):
    """The approved version will go out at `due_at` by itself."""

    version: int
    due_at: AwareDatetime
    cause: Literal["asked", "quiet_hours"]


class AlertUnscheduled(Event, topic="alert.unscheduled"):
    """The version was taken off the clock; it is approved still."""

    version: int


class AlertIssued(Event, topic="alert.issued"):
    """A version went out. CAP's identifier, sender, sent and references are facts fixed here."""

    issuer_id: str
    version: int
    msg_type: MsgType
    identifier: str
    sender: str
    sent: AwareDatetime
    references: tuple[str, ...]
    content: Content
    edition: str
    """The edition of the area register the codes belong to."""
    effective_at: AwareDatetime
    expires_at: AwareDatetime
    sender_name: Annotated[str | None, Field(exclude_if=lambda name: name is None)] = None
    """Of the body that spoke, as it was called then."""
    page: Annotated[str | None, Field(exclude_if=lambda page: page is None)] = None
    """The public address of the alert, as it was then."""
    delegation_id: Annotated[UUID | None, Field(exclude_if=lambda given: given is None)] = None
    """The delegation it stood on; absent where the body's own rights were enough."""


class AlertUpdateProposed(Event, topic="alert.update_proposed"):
    """A next version of a live alert is in work."""

    version: int
    content: Content
    edition: Annotated[str | None, Field(exclude_if=lambda edition: edition is None)] = None
    """Of the area register, to which the codes belong; the first one where absent."""
    corrects: Annotated[bool, Field(exclude_if=lambda corrects: not corrects)] = False
    """What is out is wrong: the time until this goes out is measured."""


class AlertCancelled(Event, topic="alert.cancelled"):
    """A live alert was withdrawn; `version` is that of the cancelling message."""

    issuer_id: str
    version: int
    identifier: str
    sender: str
    sent: AwareDatetime
    references: tuple[str, ...]
    reason: str
    in_error: bool = False
    """It should never have been issued: it does not count toward the cadence."""


class AlertExpired(Event, topic="alert.expired"):
    """A live alert reached its end."""

    version: int


AlertEvent = (
    AlertDrafted
    | AlertRevised
    | AlertSubmitted
    | AlertReturned
    | AlertRejected
    | AlertApproved
    | AlertPreApproved
    | AlertScheduled
    | AlertUnscheduled
    | AlertIssued
    | AlertUpdateProposed
    | AlertCancelled
    | AlertExpired
)
