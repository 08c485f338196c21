"""A body's budget for SMS on a day: a bulletin over it stops, an alert over it is only noted.

Pure. A day is one of Hanoi's calendar. An order counts with what was set aside for it or what it has
taken, whichever is more: two orders at once cannot both take what is left, and one dearer than foreseen
counts in full.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from schemas.events import (
    Actor,
    SmsBudgetEvent,
    SmsBudgetExceeded,
    SmsBudgetReserved,
    SmsBudgetSet,
    SmsBudgetStopped,
)
from schemas.ids import stream_id
from schemas.local_time import HANOI

Key = tuple[UUID, int]
"""An alert and its version."""


class Usage(NamedTuple):
    """Short messages, and what they cost in VND."""

    segments: int = 0
    vnd: int = 0

    def most(self, other: "Usage") -> "Usage":
        """The larger of both, each by itself."""
        return Usage(max(self.segments, other.segments), max(self.vnd, other.vnd))

    def plus(self, other: "Usage") -> "Usage":
        """The sum."""
        return Usage(self.segments + other.segments, self.vnd + other.vnd)


class Order(NamedTuple):
    """A version about to go out by SMS, and what it takes at the most."""

    alert_id: UUID
    version: int
    is_bulletin: bool
    recipients: int
    need: Usage


@dataclass(frozen=True)
class SmsBudget:
    """One body's. `segments` and `vnd` are of each day; None: no bound."""

    issuer_id: str
    version: int = 0
    segments: int | None = None
    vnd: int | None = None
    reserved: Mapping[date, Mapping[Key, Usage]] = field(default_factory=dict[date, Mapping[Key, Usage]])
    stopped: frozenset[Key] = frozenset()
    decided: frozenset[Key] = frozenset()

    @property
    def is_set(self) -> bool:
        """Whether there is any bound."""
        return self.segments is not None or self.vnd is not None

    def after(self, event: SmsBudgetEvent) -> "SmsBudget":
        """The budget after the event."""
        known = replace(self, version=event.originator_version)
        if isinstance(event, SmsBudgetSet):
            return replace(known, segments=event.segments, vnd=event.vnd)
        key = (event.alert_id, event.version)
        known = replace(known, decided=known.decided | {key})
        if isinstance(event, SmsBudgetStopped):
            return replace(known, stopped=known.stopped | {key})
        # Only the last day's are needed.
        of_day = {**self.reserved.get(event.day, {}), key: Usage(event.segments, event.vnd)}
        return replace(known, reserved={event.day: of_day})

    def silenced(self, alert_id: UUID, versions: Collection[int]) -> bool:
        """Whether there are any, and each of these versions was stopped."""
        return bool(versions) and all((alert_id, version) in self.stopped for version in versions)

    def set(self, by: Actor, segments: int | None, vnd: int | None) -> SmsBudgetSet:
        """Bounds from now on."""
        return SmsBudgetSet(
            originator_id=budget_stream(self.issuer_id),
            originator_version=self.version + 1,
            by=by,
            issuer_id=self.issuer_id,
            segments=segments,
            vnd=vnd,
        )

    def used(self, day: date, spent: Mapping[Key, Usage]) -> Usage:
        """What the day comes to so far: `spent` is what receipts say, by version."""
        reserved = self.reserved.get(day, {})
        total = Usage()
        for key in reserved.keys() | spent.keys():
            total = total.plus(reserved.get(key, Usage()).most(spent.get(key, Usage())))
        return total

    def fits(self, used: Usage) -> bool:
        """Whether a day that comes to this keeps the bounds."""
        within = self.segments is None or used.segments <= self.segments
        return within and (self.vnd is None or used.vnd <= self.vnd)

    def decide(
        self, by: Actor, order: Order, spent: Mapping[Key, Usage], at: datetime
    ) -> SmsBudgetReserved | SmsBudgetExceeded | SmsBudgetStopped | None:
        """What to record of an order; None where there is no bound, or it was decided before."""
        key = (order.alert_id, order.version)
        if not self.is_set or key in self.decided:
            return None
        day = day_of(at)
        # What this very order has taken already (its budget was set meanwhile) is part of its need.
        others = {other: usage for other, usage in spent.items() if other != key}
        if self.fits(self.used(day, others).plus(order.need)):
            kind = SmsBudgetReserved
        else:
            kind = SmsBudgetStopped if order.is_bulletin else SmsBudgetExceeded
        return kind(
            originator_id=budget_stream(self.issuer_id),
            originator_version=self.version + 1,
            by=by,
            issuer_id=self.issuer_id,
            alert_id=order.alert_id,
            version=order.version,
            day=day,
            recipients=order.recipients,
            segments=order.need.segments,
            vnd=order.need.vnd,
        )


def budget_stream(issuer_id: str) -> UUID:
    """The stream of a body's budget."""
    return stream_id("sms-budget", issuer_id)


def day_of(at: datetime) -> date:
    """The day of Hanoi's calendar."""
    return at.astimezone(HANOI).date()
