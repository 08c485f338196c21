"""Delegation of rights ("phân cấp quyền", telegram 05/CĐ-UBND §8b): one body lets another issue for it.

A grantor gives only what is its own: what was delegated to it cannot be delegated on, because its
`Issuer` is all that a grant is measured by. An alert stands on one title, whole: on the body's own
rights, or on one delegation that covers its category and each of its areas. Titles are not added up,
so of every alert it can be said whose right it was issued under.

Area codes are used again for other places by later editions of the register, so a delegation holds
under the edition it was granted in and lapses with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from broadcaster.issuer import Issuer
from broadcaster.rules import Refusal, RefusedError, Rule
from schemas.areas import AreaTree
from schemas.content import Content
from schemas.events import Actor, DelegationEvent, DelegationGranted, DelegationRevoked
from schemas.ids import delegations_stream

FURTHEST = timedelta(days=366)
"""A right that should last longer is given again, by someone who looked at it again."""


@dataclass(frozen=True)
class Delegation:
    """A right given by one body to another, from `starts_at` until just before `ends_at`."""

    id: UUID
    grantor: str
    grantee: str
    fields: frozenset[str]
    areas: tuple[str, ...]
    edition: str
    starts_at: datetime
    ends_at: datetime
    revoked: bool = False

    @staticmethod
    def of(event: DelegationGranted) -> "Delegation":
        """As it was given."""
        return Delegation(
            event.delegation_id,
            event.grantor,
            event.grantee,
            frozenset(event.fields),
            event.areas,
            event.edition,
            event.starts_at,
            event.ends_at,
        )

    def in_force(self, at: datetime) -> bool:
        """Whether it holds. One that was revoked holds at no instant that is still to be asked about."""
        return not self.revoked and self.starts_at <= at < self.ends_at

    def covers(self, content: Content, tree: AreaTree) -> bool:
        """Whether it alone is title enough for the content."""
        return (
            self.edition == tree.edition
            and content.category in self.fields
            and all(self._reaches(code, tree) for code in content.areas)
        )

    def _reaches(self, code: str, tree: AreaTree) -> bool:
        return code in tree and any(tree.covers(outer, code) for outer in self.areas)


@dataclass(frozen=True)
class Delegations:
    """All that was ever delegated to one body, in order of grant."""

    grantee: str
    version: int = 0
    given: tuple[Delegation, ...] = field(default=())

    def after(self, event: DelegationEvent) -> "Delegations":
        """Them after the event."""
        match event:
            case DelegationGranted():
                given = (*self.given, Delegation.of(event))
            case DelegationRevoked(delegation_id=revoked):
                given = tuple(
                    replace(each, revoked=True) if each.id == revoked else each for each in self.given
                )
        return Delegations(self.grantee, event.originator_version, given)

    @staticmethod
    def fold(state: "Delegations | None", event: DelegationEvent) -> "Delegations":
        """As `after`, from nothing."""
        return (state or Delegations(event.grantee)).after(event)

    def find(self, delegation_id: UUID) -> Delegation:
        """The delegation of that id. Raises LookupError."""
        for each in self.given:
            if each.id == delegation_id:
                return each
        raise LookupError(f"no delegation {delegation_id} to {self.grantee}")

    def grant(
        self,
        by: Actor,
        grantor: Issuer,
        delegation_id: UUID,
        *,
        fields: Sequence[str],
        areas: Sequence[str],
        starts_at: datetime,
        ends_at: datetime,
        tree: AreaTree,
        at: datetime,
    ) -> DelegationGranted:
        """Gives a right. Refused where it is not the grantor's own, or its dates make no sense."""
        if grantor.issuer_id == self.grantee:
            raise RefusedError(Rule.DELEGATION_SELF, f"{self.grantee} may not delegate to itself")
        _check_dates(starts_at, ends_at, at)
        _check_own(grantor, fields, areas, tree)
        return DelegationGranted(
            originator_id=delegations_stream(self.grantee),
            originator_version=self.version + 1,
            by=by,
            delegation_id=delegation_id,
            grantor=grantor.issuer_id,
            grantee=self.grantee,
            fields=tuple(fields),
            areas=tuple(areas),
            edition=tree.edition,
            starts_at=starts_at,
            ends_at=ends_at,
        )

    def revoke(self, by: Actor, delegation_id: UUID, at: datetime) -> DelegationRevoked:
        """Takes a right back. Refused where it is over already. Raises LookupError."""
        given = self.find(delegation_id)
        if given.revoked or given.ends_at <= at:
            how = "revoked" if given.revoked else f"over since {given.ends_at.isoformat()}"
            raise RefusedError(Rule.DELEGATION_OVER, f"delegation {delegation_id} is {how}")
        return DelegationRevoked(
            originator_id=delegations_stream(self.grantee),
            originator_version=self.version + 1,
            by=by,
            delegation_id=delegation_id,
            grantor=given.grantor,
            grantee=self.grantee,
        )


@dataclass(frozen=True)
class Rights:
    """What a body may say: by its own rights, and by what others delegated to it."""

    own: Issuer
    delegated: Delegations
    inherited: tuple[Issuer, ...] = ()
    """The bodies it answers for. What any of them might say is its own right too."""

    def may(self, content: Content, tree: AreaTree, at: datetime) -> Refusal | None:
        """None where one title covers the content whole; else what the body's own rights say to it."""
        if self.own.closed(at):
            return Refusal(Rule.CLOSED, f"{self.own.issuer_id} is closed")
        refusal = self.own.may(content, tree)
        if refusal is None or self._as_heir(content, tree) or self._delegated(content, tree, at):
            return None
        if refusal.rule.is_authority and any(each.in_force(at) for each in self.delegated.given):
            return Refusal(refusal.rule, f"{refusal.detail}, nor does one delegation in force cover it all")
        return refusal

    def standing_on(self, content: Content, tree: AreaTree, at: datetime) -> Delegation | None:
        """The delegation that what the body may say stands on; None where its own rights are enough.

        Of several that would do, the one given first.
        """
        if self.own.may(content, tree) is None or self._as_heir(content, tree):
            return None
        return self._delegated(content, tree, at)

    def _delegated(self, content: Content, tree: AreaTree, at: datetime) -> Delegation | None:
        found = (each for each in self.delegated.given if each.in_force(at) and each.covers(content, tree))
        return next(found, None)

    def _as_heir(self, content: Content, tree: AreaTree) -> bool:
        """Whether the own rights and the inherited ones in this very category make up its areas.

        Category by category, so that being merged never gives a right that none of them had.
        """
        holders = [body for body in (self.own, *self.inherited) if body.has_field(content.category)]
        return all(any(body.reaches(code, tree) for body in holders) for code in content.areas)


def _check_dates(starts_at: datetime, ends_at: datetime, at: datetime) -> None:
    if starts_at < at:
        raise RefusedError(Rule.DELEGATION_DATES, f"starts_at: {starts_at.isoformat()} has passed")
    if ends_at <= starts_at:
        raise RefusedError(
            Rule.DELEGATION_DATES, f"ends_at: {ends_at.isoformat()} is not after {starts_at.isoformat()}"
        )
    if ends_at > at + FURTHEST:
        raise RefusedError(
            Rule.DELEGATION_DATES,
            f"ends_at: {ends_at.isoformat()} is more than {FURTHEST.days} days from now",
        )


def _check_own(grantor: Issuer, fields: Sequence[str], areas: Sequence[str], tree: AreaTree) -> None:
    for category in fields:
        if not grantor.has_field(category):
            raise RefusedError(
                Rule.DELEGATION_FIELD,
                f"fields: {category} is not among the own fields of {grantor.issuer_id}",
            )
    for code in areas:
        if code not in tree:
            raise RefusedError(Rule.UNKNOWN_AREA, f"areas: edition {tree.edition} has no {code}")
        if not grantor.reaches(code, tree):
            own = grantor.seat(tree.edition) or f"its area in edition {tree.edition}: there is none"
            raise RefusedError(
                Rule.DELEGATION_AREA,
                f"areas: {code} lies outside {own}, the own area of {grantor.issuer_id}",
            )
