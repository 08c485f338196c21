"""Every event of the log: a fact, frozen, in the past tense, under a topic that never changes.

An event's payload is its fields as compact JSON without its stream id and version, which are
columns of the log. A golden copy of each is in tests/unit/schemas/golden and must load for ever.
"""

from datetime import date
from typing import Annotated, Any, ClassVar, NamedTuple
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import from_json

from schemas.areas import Area
from schemas.content import Channel, Content, Lane, MsgType
from schemas.dispatch import Receipt

TOPICS: dict[str, "type[Event]"] = {}


class Actor(BaseModel):
    """Who did it: the account, and the body it acted for. The system itself has no body."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: Annotated[str, Field(min_length=1, max_length=120)]
    body: str | None = None


class Event(BaseModel):
    """A fact about one stream. Subclasses name their topic: `class X(Event, topic="thing.done")`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    TOPIC: ClassVar[str]

    originator_id: Annotated[UUID, Field(exclude=True)]
    originator_version: Annotated[int, Field(exclude=True, ge=1)]
    by: Actor

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        topic = kwargs.get("topic")
        if topic is None:
            return
        if topic in TOPICS:
            raise TypeError(f"topic {topic!r} is taken by {TOPICS[topic].__name__}")
        cls.TOPIC = topic
        TOPICS[topic] = cls

    def __init_subclass__(cls, *, topic: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)

    def payload(self) -> bytes:
        """The bytes the log keeps: compact UTF-8 JSON, fields in declared order."""
        return self.model_dump_json().encode()

    @classmethod
    def load(cls, topic: str, originator_id: UUID, originator_version: int, payload: bytes) -> "Event":
        """The event that was stored. Raises KeyError for an unknown topic, ValidationError otherwise."""
        stored = from_json(payload)
        place = {"originator_id": originator_id, "originator_version": originator_version}
        return TOPICS[topic].model_validate(stored | place)


class Recorded(NamedTuple):
    """An event with its place in the log and the instant the log recorded it (UTC)."""

    position: int
    recorded_at: AwareDatetime
    event: "AnyEvent"


# --- areas and bodies ---------------------------------------------------------------------------


class AreaRegisterAdopted(Event, topic="area_register.adopted"):
    """An edition of the official register takes effect, whole."""

    edition: str
    effective_on: date
    areas: tuple[Area, ...]


class IssuerRegistered(Event, topic="issuer.registered"):
    """A body may issue, within its area subtree and fields ("theo thẩm quyền, lĩnh vực quản lý")."""

    issuer_id: str
    name: str
    kind: str
    level: Annotated[int, Field(ge=1, le=4)]
    area: str
    fields: tuple[str, ...]
    """Category codes; "*" stands for every one."""
    parent: str | None = None


class RoleGranted(Event, topic="role.granted"):
    """An account may act in a role for a body; `key_id` names the key given, never its secret."""

    account: str
    body: str
    role: str
    key_id: str | None = None


class RoleRevoked(Event, topic="role.revoked"):
    """The account may no longer act in the role for the body."""

    account: str
    body: str
    role: str


class DelegationGranted(Event, topic="delegation.granted"):
    """A body lets another issue for it (telegram 05 §8b); the stream is the grantee's delegations."""

    delegation_id: UUID
    grantor: str
    grantee: str
    fields: tuple[str, ...]
    """Category codes, each by its name: "*" is not delegated."""
    areas: tuple[str, ...]
    edition: str
    """The edition of the area register the codes belong to."""
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    """The first instant at which it no longer holds."""


class DelegationRevoked(Event, topic="delegation.revoked"):
    """The grantor took a delegation back before its end."""

    delegation_id: UUID
    grantor: str
    grantee: str


# --- alerts -------------------------------------------------------------------------------------


class AlertDrafted(Event, topic="alert.drafted"):
    """A body began an alert: version 1, in work."""

    issuer_id: str
    content: Content


class AlertRevised(Event, topic="alert.revised"):
    """The version in work was rewritten."""

    version: int
    content: Content


class AlertSubmitted(Event, topic="alert.submitted"):
    """The version in work was put up for approval."""

    version: int


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


class AlertUpdateProposed(Event, topic="alert.update_proposed"):
    """A next version of a live alert is in work."""

    version: int
    content: Content


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


class AttemptRefused(Event, topic="attempt.refused"):
    """A command broke a rule and changed nothing. One event, one stream."""

    command: str
    rule: str
    detail: str
    alert_id: UUID | None = None
    issuer_id: str | None = None


# --- delivery -----------------------------------------------------------------------------------


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


class ReceiptRecorded(Event, topic="receipt.recorded"):
    """A dispatch ended; the stream is the dispatch's id, so it ends once."""

    receipt: Receipt


class SubscribersImported(Event, topic="subscribers.imported"):
    """A file of subscribers was read to its end; counts only, no one is named."""

    file_sha256: str
    accepted: int
    rejected: int


# --- proof --------------------------------------------------------------------------------------


class EvidenceExported(Event, topic="evidence.exported"):
    """What the log holds of one alert was handed out, up to a position; one event, one stream."""

    alert_id: UUID
    upto: Annotated[int, Field(ge=1)]
    sha256: str
    """Of the bundle's bytes."""


# --- screens ------------------------------------------------------------------------------------


class ScreenRegistered(Event, topic="screen.registered"):
    """A screen was put at a place; `profile` names its display, for example m96x32-1."""

    screen_id: UUID
    name: str
    area: str
    profile: str


class ScreenRemoved(Event, topic="screen.removed"):
    """The screen is gone and its key refused."""


class ScreenShowed(Event, topic="screen.showed"):
    """The screen reported that it showed these alert versions for the first time."""

    shown: tuple["Shown", ...]


class Shown(BaseModel):
    """A version of an alert on a screen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    alert_id: UUID
    version: Annotated[int, Field(ge=1, le=1_000_000)]


RegisterEvent = AreaRegisterAdopted
IssuerEvent = IssuerRegistered
RoleEvent = RoleGranted | RoleRevoked
DelegationEvent = DelegationGranted | DelegationRevoked
AlertEvent = (
    AlertDrafted
    | AlertRevised
    | AlertSubmitted
    | AlertReturned
    | AlertRejected
    | AlertApproved
    | AlertIssued
    | AlertUpdateProposed
    | AlertCancelled
    | AlertExpired
)
DeliveryEvent = AudienceFrozen | ReceiptRecorded | SubscribersImported
ScreenEvent = ScreenRegistered | ScreenRemoved | ScreenShowed
AnyEvent = (
    RegisterEvent
    | IssuerEvent
    | RoleEvent
    | DelegationEvent
    | AlertEvent
    | AttemptRefused
    | DeliveryEvent
    | EvidenceExported
    | ScreenEvent
)

ScreenShowed.model_rebuild()
