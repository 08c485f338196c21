"""Issuing bodies: who may speak about what, and where ("theo thẩm quyền, lĩnh vực quản lý")."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from broadcaster.issuer_policy import Policy
from broadcaster.rules import Refusal, RefusedError, Rule
from schemas.areas import AreaTree, UnknownAreaError
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
    seats: Mapping[str, str] = field(default_factory=dict[str, str])
    """Its area under each edition of the register it was moved to."""
    contacts: tuple[IssuerContact, ...] = ()
    policy: Policy = field(default_factory=Policy)
    closed_at: datetime | None = None
    successors: tuple[str, ...] = ()
    """Who answers for it from `closed_at` on."""
    succeeded: tuple[tuple[str, datetime], ...] = ()
    """The bodies it answers for, each since when."""

    @staticmethod
    def fold(state: "Issuer | None", event: IssuerEvent) -> "Issuer":
        """The body after the event."""
        if isinstance(event, IssuerRegistered):
            return Issuer(
                event.issuer_id,
                event.originator_version,
                event.name,
                event.kind,
                event.level,
                event.area,
                frozenset(event.fields),
                event.parent,
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
                seats = {**self.seats, edition: area}
                return replace(self, seats=seats, area=area, level=level, name=name, parent=parent)
            case IssuerClosed(successors=successors, effective_at=closed_at):
                return replace(self, successors=successors, closed_at=closed_at)
            case IssuerSucceeded(predecessor=predecessor, effective_at=since, fields=fields):
                succeeded = (*self.succeeded, (predecessor, since))
                return replace(self, fields=self.fields | set(fields), succeeded=succeeded)
            case IssuerRegistered():
                raise AssertionError("a body is registered once")

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
        for code in content.areas:
            try:
                within = tree.covers(self.area, code)
            except UnknownAreaError as error:
                return Refusal(Rule.UNKNOWN_AREA, f"areas: {error}")
            if not within:
                return Refusal(
                    Rule.AREA, f"area {code} lies outside {self.area}, the area of {self.issuer_id}"
                )
        return None

    def check_authority(self, content: Content, tree: AreaTree) -> None:
        """Refuses content outside the body's own rights; what is delegated to it is in delegation.py."""
        refusal = self.may(content, tree)
        if refusal is not None:
            raise RefusedError(*refusal)
