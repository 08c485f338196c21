"""What bears on who owed when, folded from the log: bodies, terms, exemptions. Items are apart. Pure."""

from bisect import insort_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from projections.cadence.body import NEVER, Body, Dated, Exemption, Heritage, Span, Stay
from projections.cadence.duty import Piece, pieces
from projections.cadence.rule import midnight
from schemas.cadence import CadencePolicy
from schemas.events import (
    AnyEvent,
    AreaRegisterAdopted,
    CadenceExempted,
    CadenceExemptionEnded,
    CadencePolicySet,
    DelegationGranted,
    DelegationRevoked,
    Event,
    IssuerClosed,
    IssuerMoved,
    IssuerRegistered,
    IssuerSucceeded,
    Recorded,
)

FACTS: tuple[type[Event], ...] = (
    AreaRegisterAdopted,
    IssuerRegistered,
    IssuerMoved,
    IssuerClosed,
    IssuerSucceeded,
    DelegationGranted,
    DelegationRevoked,
    CadencePolicySet,
    CadenceExempted,
    CadenceExemptionEnded,
)
"""The events that it folds."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Ledger:
    """Who owes, on which terms. `policy` is what holds until the log says otherwise.

    To know what was known on a day, fold only what was recorded by then.
    """

    def __init__(self, policy: CadencePolicy | None = None) -> None:
        self.bodies: dict[str, Body] = {}
        self.policies: list[Dated] = [Dated(BEGINNING, policy or CadencePolicy())]
        self.editions: dict[str, datetime] = {}
        """When each edition of the area register took effect."""
        self.position = 0
        self._pieces: dict[str, list[Piece]] = {}

    def copy(self) -> "Ledger":
        """One that can go on by itself."""
        made = Ledger()
        made.bodies, made.policies = dict(self.bodies), list(self.policies)
        made.editions, made.position = dict(self.editions), self.position
        return made

    def judged_by(self, policies: Sequence[Dated]) -> "Ledger":
        """The same past under other terms, for simulation."""
        made = self.copy()
        made.policies = [self.policies[0], *sorted(policies, key=lambda each: each.since)]
        return made

    def take(self, recorded: Iterable[Recorded]) -> "Ledger":
        """Folds events, in order of position; answers itself."""
        self._pieces = {}
        for position, at, event in recorded:
            self._take(at, event)
            self.position = position
        return self

    def pieces(self, body: Body) -> list[Piece]:
        """See duty.pieces; remembered, for between two facts it is asked again and again."""
        found = self._pieces.get(body.issuer_id)
        if found is None:
            found = self._pieces[body.issuer_id] = pieces(body, self.policies, self.bodies)
        return found

    def first_edition(self) -> str | None:
        """The edition of bodies that name none."""
        return next(iter(self.editions), None)

    def _take(self, at: datetime, event: AnyEvent) -> None:
        match event:
            case AreaRegisterAdopted(edition=edition, effective_on=day):
                self.editions[edition] = midnight(day)
            case CadencePolicySet(policy=policy, effective_at=since):
                # Of two for one instant the later word holds.
                insort_right(
                    self.policies, Dated(since.astimezone(UTC), policy), key=lambda each: each.since
                )
            case IssuerRegistered():
                self._register(at, event)
            case (
                IssuerMoved(issuer_id=body)
                | IssuerClosed(issuer_id=body)
                | IssuerSucceeded(issuer_id=body)
                | CadenceExempted(issuer_id=body)
                | CadenceExemptionEnded(issuer_id=body)
                | DelegationGranted(grantee=body)
                | DelegationRevoked(grantee=body)
            ) if body in self.bodies:
                self.bodies[body] = self._after(self.bodies[body], at, event)
            case _:
                pass

    def _register(self, at: datetime, event: IssuerRegistered) -> None:
        # A body of an edition that is not in force yet has no area to speak for.
        since = max(at, self.editions.get(event.edition or "", at))
        stay = Stay(since, event.name, event.level, event.area, event.edition, event.parent)
        known = self.bodies.get(event.issuer_id)
        if known is not None:
            # A body whose record is written anew keeps the day its duty began.
            self.bodies[event.issuer_id] = replace(known, stays=(*known.stays, stay))
            return
        self.bodies[event.issuer_id] = Body(event.issuer_id, event.kind, since, (stay,))

    def _after(self, body: Body, at: datetime, event: AnyEvent) -> Body:
        match event:
            case IssuerMoved(edition=edition):
                since = max(self.editions.get(edition, at), body.since)
                stay = Stay(since, event.name, event.level, event.area, edition, event.parent)
                return replace(body, stays=tuple(sorted((*body.stays, stay), key=lambda one: one.since)))
            case IssuerClosed(effective_at=until):
                return replace(body, until=until.astimezone(UTC))
            case IssuerSucceeded(predecessor=predecessor, effective_at=since):
                heir = Heritage(since.astimezone(UTC), predecessor)
                return replace(body, heritage=(*body.heritage, heir))
            case DelegationGranted(delegation_id=id_, starts_at=starts_at, ends_at=ends_at):
                span = Span(starts_at.astimezone(UTC), ends_at.astimezone(UTC))
                return replace(body, delegations={**body.delegations, id_: span})
            case DelegationRevoked(delegation_id=id_) if id_ in body.delegations:
                span = body.delegations[id_]
                ended = Span(span.since, max(span.since, min(span.until, at)))
                return replace(body, delegations={**body.delegations, id_: ended})
            case CadenceExempted() | CadenceExemptionEnded():
                return replace(body, exemptions=_exempted(body.exemptions, at, event))
            case _:
                return body


def _exempted(
    held: tuple[Exemption, ...], at: datetime, event: CadenceExempted | CadenceExemptionEnded
) -> tuple[Exemption, ...]:
    match event:
        case CadenceExempted(exemption_id=id_, reason=reason, starts_at=since, ends_at=until):
            span = Span(since.astimezone(UTC), until.astimezone(UTC) if until else NEVER)
            return (*held, Exemption(id_, reason, span, at))
        case CadenceExemptionEnded(exemption_id=id_, ends_at=until):
            return tuple(
                replace(each, span=Span(each.span.since, max(each.span.since, until.astimezone(UTC))))
                if each.id == id_
                else each
                for each in held
            )
