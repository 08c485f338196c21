"""What is known of a body that bears on its duty: when it was what, under whom, and when it was let off."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from schemas.cadence import CadencePolicy
from schemas.content import Kind, Mode

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""An end that is not in sight. Never converted to local time."""


@dataclass(frozen=True, slots=True)
class Stay:
    """What the body is from an instant on."""

    since: datetime
    name: str
    level: int
    area: str
    edition: str | None
    """Of the area register; the first one where absent."""
    parent: str | None


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` until just before `until`."""

    since: datetime
    until: datetime = NEVER

    def holds(self, at: datetime) -> bool:
        """Whether the instant lies in it."""
        return self.since <= at < self.until


@dataclass(frozen=True, slots=True)
class Exemption:
    """The body owes nothing in the span."""

    id: UUID
    reason: str
    span: Span
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Heritage:
    """From `since` the body answers for what the predecessor was: its duty is the heir's."""

    since: datetime
    predecessor: str


@dataclass(frozen=True, slots=True)
class Body:
    """One body's history as far as it is known. A body owes nothing before `since`, nor from `until` on."""

    issuer_id: str
    kind: str
    since: datetime
    stays: tuple[Stay, ...]
    """In order of time; the first begins no later than the body."""
    until: datetime = NEVER
    heritage: tuple[Heritage, ...] = ()
    delegations: Mapping[UUID, Span] = field(default_factory=dict[UUID, Span])
    """Rights of others that were given to it."""
    exemptions: tuple[Exemption, ...] = ()

    def stay(self, at: datetime) -> Stay:
        """What it is at an instant."""
        return next((stay for stay in reversed(self.stays) if stay.since <= at), self.stays[0])


@dataclass(frozen=True, slots=True)
class Item:
    """The first issue of an alert. It counts from the instant the log recorded it."""

    alert_id: UUID
    issuer_id: str
    at: datetime
    kind: Kind
    mode: Mode = Mode.ACTUAL
    taken_back: bool = False
    """Cancelled as issued in error."""
    position: int = field(default=0, compare=False)
    """In the log: of items at one instant, the later is the last."""

    @property
    def place(self) -> tuple[datetime, int]:
        """What items are put in order by."""
        return self.at, self.position


@dataclass(frozen=True, slots=True)
class Dated:
    """A policy, and when it takes effect."""

    since: datetime
    policy: CadencePolicy
