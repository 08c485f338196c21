"""Events of the area register, the issuing bodies, their people and their rights."""

from datetime import date, time
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.areas import Area, Succession
from schemas.events.base import Event


class AreaRegisterAdopted(Event, topic="area_register.adopted"):
    """An edition of the official register takes effect, whole."""

    edition: str
    effective_on: date
    areas: tuple[Area, ...]
    successions: Annotated[
        tuple[Succession, ...], Field(exclude_if=lambda successions: not successions)
    ] = ()
    """What became of the areas of the edition before; a code not named stayed as it was."""


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
    edition: Annotated[str | None, Field(exclude_if=lambda edition: edition is None)] = None
    """The edition of the area register that `area` belongs to; the first one where absent."""


class IssuerContact(BaseModel):
    """A way to reach the office of a body. Offices, not persons: the log cannot forget."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["email", "phone", "web"]
    value: Annotated[str, Field(min_length=3, max_length=200)]


class IssuerContactsSet(Event, topic="issuer.contacts_set"):
    """How the body is reached from now on."""

    issuer_id: str
    contacts: tuple[IssuerContact, ...]


class IssuerPolicySet(Event, topic="issuer.policy_set"):
    """What the body decided for itself about bulletins; alerts are never subject to it."""

    issuer_id: str
    one_person_bulletins: bool
    """Whoever wrote a bulletin may also approve it."""
    quiet_from: time | None
    """Local. Bulletins issued from then on wait until `quiet_until`; both absent: no quiet hours."""
    quiet_until: time | None


class IssuerMoved(Event, topic="issuer.moved"):
    """The body has this area and parent under an edition of the register, and perhaps another name."""

    issuer_id: str
    edition: str
    area: str
    level: Annotated[int, Field(ge=1, le=4)]
    name: str
    parent: str | None


class IssuerClosed(Event, topic="issuer.closed"):
    """From `effective_at` the body is no more; its work passes to `successors`, if there are any."""

    issuer_id: str
    successors: tuple[str, ...]
    effective_at: AwareDatetime


class IssuerSucceeded(Event, topic="issuer.succeeded"):
    """From `effective_at` the body answers for what `predecessor` was and left open."""

    issuer_id: str
    predecessor: str
    effective_at: AwareDatetime
    fields: tuple[str, ...]
    """Those of the predecessor, which become its own."""


class RoleGranted(Event, topic="role.granted"):
    """An account may act in a role for a body; `key_id` names the key given, never its secret."""

    account: str
    body: str
    role: str
    key_id: str | None = None
    request_id: Annotated[UUID | None, Field(exclude_if=lambda request_id: request_id is None)] = None
    """The request that a second manager confirmed; absent where the operator granted it."""


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


RegisterEvent = AreaRegisterAdopted
IssuerEvent = (
    IssuerRegistered | IssuerContactsSet | IssuerPolicySet | IssuerMoved | IssuerClosed | IssuerSucceeded
)
RoleEvent = RoleGranted | RoleRevoked
DelegationEvent = DelegationGranted | DelegationRevoked
BodyEvent = RegisterEvent | IssuerEvent | RoleEvent | DelegationEvent
