"""Issuing bodies: who may speak about what, and where ("theo thẩm quyền, lĩnh vực quản lý").

A body has a seat, its area, under each edition of the area register, for codes are used again for
other places; under an edition in which it has none it speaks nowhere. What it is at an instant says
`as_of`: moves take effect with their edition, fields of a predecessor when it is succeeded.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from broadcaster.issuer_policy import Policy
from broadcaster.issuer_seat import Inheritance, Seat, Seats
from broadcaster.rules import Refusal, Rule
from schemas.areas import FIRST_EDITION, AreaTree, UnknownAreaError
from schemas.content import Content
from schemas.events import (
    Actor,
    IssuerClosed,
    IssuerContact,
    IssuerContactsSet,
    IssuerEvent,
    IssuerMoved,
    IssuerPolicySet,
    IssuerRegistered,
    IssuerSucceeded,
)
from schemas.ids import issuer_stream

EVERY_FIELD = "*"


@dataclass(frozen=True)
class Issuer:
    """One issuing body: its jurisdiction is an area and all below it, in its fields."""

    issuer_id: str
    version: int
    name: str
    kind: str
    level: int
    area: str
    fields: frozenset[str]
    parent: str | None
    seats: Seats = field(default_factory=dict[str, Seat])
    """Empty for a body of the first edition that was never moved."""
    contacts: tuple[IssuerContact, ...] = ()
    policy: Policy = field(default_factory=Policy)
    closed_at: datetime | None = None
    successors: tuple[str, ...] = ()
    """Who answers for it from `closed_at` on."""
    succeeded: tuple[Inheritance, ...] = ()
    """The bodies it answers for."""

    @staticmethod
    def fold(state: "Issuer | None", event: IssuerEvent) -> "Issuer":
        """The body after the event."""
        if isinstance(event, IssuerRegistered):
            seat = Seat(event.area, event.level, event.name, event.parent)
            return Issuer(
                event.issuer_id,
                event.originator_version,
                event.name,
                event.kind,
                event.level,
                event.area,
                frozenset(event.fields),
                event.parent,
                {event.edition or FIRST_EDITION: seat},
            )
        assert state is not None, "a body begins with its registration"
        return replace(state.after(event), version=event.originator_version)

    def after(self, event: IssuerEvent) -> "Issuer":
        """The body after any event but its first."""
        match event:
            case IssuerContactsSet(contacts=contacts):
                return replace(self, contacts=contacts)
            case IssuerPolicySet():
                return replace(self, policy=Policy.of(event))
            case IssuerMoved(edition=edition, area=area, level=level, name=name, parent=parent):
                return replace(self, seats={**self.every_seat, edition: Seat(area, level, name, parent)})
            case IssuerClosed(successors=successors, effective_at=closed_at):
                return replace(self, successors=successors, closed_at=closed_at)
            case IssuerSucceeded(predecessor=predecessor, effective_at=since, fields=fields):
                heritage = Inheritance(predecessor, since, frozenset(fields))
                return replace(self, succeeded=(*self.succeeded, heritage))
            case IssuerRegistered():
                raise AssertionError("a body is registered once")

    @property
    def every_seat(self) -> Seats:
        """Its seats, that of its registration among them."""
        return self.seats or {FIRST_EDITION: Seat(self.area, self.level, self.name, self.parent)}

    def seat(self, edition: str) -> str | None:
        """Its area under the edition; None where it has none."""
        found = self.every_seat.get(edition)
        return None if found is None else found.area

    def closed(self, at: datetime) -> bool:
        """Whether it is no more."""
        return self.closed_at is not None and self.closed_at <= at

    def as_of(self, at: datetime, edition: str) -> "Issuer":
        """What it is at an instant at which that edition is in force.

        One without a seat there keeps the name, level and parent that it had last.
        """
        seats = self.every_seat
        seat = seats.get(edition) or list(seats.values())[-1]
        gained = [one.fields for one in self.succeeded if one.since <= at]
        return replace(
            self,
            seats=seats,
            area=seat.area,
            level=seat.level,
            name=seat.name,
            parent=seat.parent,
            fields=self.fields.union(*gained),
        )

    @staticmethod
    def register(
        by: Actor,
        issuer_id: str,
        *,
        name: str,
        kind: str,
        level: int,
        area: str,
        fields: tuple[str, ...],
        parent: str | None,
        edition: str | None = None,
    ) -> IssuerRegistered:
        """A new body. That its id is free is held by the stream's version."""
        return IssuerRegistered(
            originator_id=issuer_stream(issuer_id),
            originator_version=1,
            by=by,
            issuer_id=issuer_id,
            name=name,
            kind=kind,
            level=level,
            area=area,
            fields=fields,
            parent=parent,
            edition=edition,
        )

    def has_field(self, category: str) -> bool:
        """Whether the category is among its own fields."""
        return EVERY_FIELD in self.fields or category in self.fields

    def may(self, content: Content, tree: AreaTree) -> Refusal | None:
        """What its own rights say against the content: its fields, its area (telegram 05 §1d, §8b)."""
        if not self.has_field(content.category):
            return Refusal(
                Rule.FIELD, f"category {content.category} is not among the fields of {self.issuer_id}"
            )
        area = self.seat(tree.edition)
        for code in content.areas:
            if code not in tree:
                return Refusal(Rule.UNKNOWN_AREA, f"areas: {UnknownAreaError(tree.edition, code)}")
            if area is None or area not in tree:
                return Refusal(Rule.AREA, f"{self.issuer_id} has no area in edition {tree.edition}")
            if not tree.covers(area, code):
                return Refusal(Rule.AREA, f"area {code} lies outside {area}, the area of {self.issuer_id}")
        return None

    def reaches(self, code: str, tree: AreaTree) -> bool:
        """Whether the area is its own or lies below its own."""
        area = self.seat(tree.edition)
        return area is not None and area in tree and code in tree and tree.covers(area, code)
