"""When a body owed and on which terms: its time, cut where anything changes. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from projections.cadence.body import NEVER, Body, Dated, Exemption
from schemas.cadence import Basis, CadencePolicy, Owes


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a body's obligation in which nothing changes, from `start` until just before `end`."""

    start: datetime
    end: datetime
    since: datetime
    """Since when the duty goes on without a break: there it started afresh."""
    policy: CadencePolicy
    exemption: Exemption | None = None
    """While there is one nothing is owed."""


def pieces(body: Body, policies: Sequence[Dated], bodies: Mapping[str, Body]) -> list[Piece]:
    """The body's obligation from its beginning, in order of time; where it owes nothing there is no piece.

    Terms that change while the duty goes on restart nothing: from then on the new ones are asked of
    the same past. `policies` in order of time, the first of them in force before all that happened;
    `bodies` holds at least every predecessor of the body.
    """
    found: list[Piece] = []
    since: datetime | None = None
    for start, end in pairwise(_cuts(body, policies, bodies)):
        policy = in_force(policies, start)
        if not _obliged(body, policy, start, bodies):
            since = None
            continue
        exemption = next((each for each in body.exemptions if each.span.holds(start)), None)
        since = None if exemption else since or start
        found.append(Piece(start, end, since or start, policy, exemption))
    return found


def in_force(policies: Sequence[Dated], at: datetime) -> CadencePolicy:
    """The policy of that instant."""
    return next(each.policy for each in reversed(policies) if each.since <= at)


def _cuts(body: Body, policies: Sequence[Dated], bodies: Mapping[str, Body]) -> list[datetime]:
    cuts = {body.since, body.until}
    within = {instant for instant in _changes(body, bodies) if body.since < instant < body.until}
    for each in policies:
        for instant in (each.since, *(rule.since for rule in each.policy.owes)):
            if instant is not None and body.since < instant < body.until:
                within.add(instant)
    return sorted(cuts | within) if body.since < body.until else []


def _changes(body: Body, bodies: Mapping[str, Body]) -> Iterator[datetime]:
    for stay in body.stays:
        yield stay.since
    for span in (*body.delegations.values(), *(each.span for each in body.exemptions)):
        yield from (span.since, span.until)
    for one in (body, *_answered_for(body, NEVER, bodies)):
        yield from (each.since for each in one.heritage)


def _obliged(body: Body, policy: CadencePolicy, at: datetime, bodies: Mapping[str, Body]) -> bool:
    """Whether the terms name what the body is, or what a body was whose duty has passed to it."""
    if any(_named(rule, body, at, at) for rule in policy.owes):
        return True
    past = _answered_for(body, at, bodies)
    return any(_named(rule, one, _last(one), at) for one in past for rule in policy.owes)


def _answered_for(body: Body, at: datetime, bodies: Mapping[str, Body]) -> list[Body]:
    """Every body whose duty has passed to this one by then, by however many steps."""
    found: dict[str, Body] = {}
    reached = [body]
    while reached:
        for each in reached.pop().heritage:
            past = bodies.get(each.predecessor)
            if past is not None and each.since <= at and each.predecessor not in found:
                found[each.predecessor] = past
                reached.append(past)
    return list(found.values())


def _named(rule: Owes, body: Body, was: datetime, at: datetime) -> bool:
    if rule.level != body.stay(was).level or (rule.kinds and body.kind not in rule.kinds):
        return False
    if rule.since is not None and at < rule.since:
        return False
    return rule.basis is Basis.REGISTERED or any(span.holds(was) for span in body.delegations.values())


def _last(body: Body) -> datetime:
    """The last instant of a body that ended; of one that lives on, any that is late enough."""
    return NEVER if body.until == NEVER else body.until - datetime.resolution
