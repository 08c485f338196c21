"""What came of each recipient of a dispatch so far, and the receipt it makes. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from channels.gateway import Result
from channels.retry import next_tries
from schemas.dispatch import Dispatch, Later, Outcome, Ranks, Receipt

UNKNOWN = "UNKNOWN"
"""The reason of those who ended without being reached for sure, though a provider may have taken theirs."""
_UNSENT = frozenset({Outcome.DEAD, Outcome.EXPIRED, Outcome.SUPERSEDED})


@dataclass
class Tally:
    """What came of each rank so far."""

    dispatch: Dispatch
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    doubtful: set[int] = field(default_factory=set)
    wishes: dict[int, float] = field(default_factory=dict[int, float])
    """The provider's Retry-After for the deferred, in seconds."""
    bound: dict[int, str] = field(default_factory=dict[int, str])
    carriers: dict[int, str] = field(default_factory=dict[int, str])
    segments: int = 0
    cost: int = 0

    def __post_init__(self) -> None:
        own = frozenset(self.dispatch.ranks)
        # A replay once named those of its order who are not its own, too.
        self.bound = {
            rank: via for via, ranks in self.dispatch.bound.items() for rank in ranks if rank in own
        }

    def doubt(self, ranks: Iterable[int], via: str) -> None:
        """They may have been reached, through this provider: no other sends to them."""
        self.doubtful.update(ranks)
        self.bind(ranks, via)

    def bind(self, ranks: Iterable[int], via: str) -> None:
        """Only this provider may send to them, where it has a name."""
        if via:
            self.bound |= dict.fromkeys(ranks, via)

    def note(self, results: Sequence[Result]) -> None:
        """What a provider said of some."""
        accepted, deferred = Outcome.ACCEPTED, Outcome.DEFERRED
        for result in results:
            self.outcomes[result.rank] = result.outcome
            self.segments += result.segments
            self.cost += result.cost
            if result.reason:
                self.reasons[result.reason] += 1
            if result.ambiguous:
                self.doubt((result.rank,), result.via)
            if result.outcome is accepted:
                self.carriers[result.rank] = result.via
            elif result.outcome is deferred:
                self.wishes[result.rank] = result.retry_after or 0.0

    def close_rest(self, outcome: Outcome, reason: str = "") -> None:
        """Gives every rank without an outcome this one."""
        rest = self.pending()
        self.outcomes.update(dict.fromkeys(rest, outcome))
        if reason and rest:
            self.reasons[reason] += len(rest)

    def pending(self) -> list[int]:
        """The ranks without an outcome."""
        return [rank for rank in self.dispatch.ranks if rank not in self.outcomes]

    def _ended(self) -> list[Outcome]:
        """The outcome of each rank, in the dispatch's order."""
        return [self.outcomes[rank] for rank in self.dispatch.ranks]

    def receipt(self, provider: str, at: datetime, jitter: float) -> Receipt:
        """The receipt; what is deferred is tried again, or dead where it cannot be."""
        dispatch = self.dispatch
        waiting = [rank for rank, outcome in self.outcomes.items() if outcome is Outcome.DEFERRED]
        tries = next_tries(
            dispatch.attempt,
            dispatch.lane,
            {rank: self.wishes.get(rank, 0.0) for rank in waiting},
            at=at,
            expires_at=dispatch.expires_at,
            jitter=jitter,
        )
        deferred = sorted(rank for _, ranks in tries for rank in ranks)
        self.outcomes.update(dict.fromkeys(set(waiting).difference(deferred), Outcome.DEAD))
        # What one provider may have taken, and nobody will ask again: it is listed as such.
        if unknown := sum(self.outcomes[rank] in _UNSENT for rank in self.bound):
            self.reasons[UNKNOWN] += unknown
        bound = {rank: self.bound[rank] for rank in deferred if rank in self.bound}
        carried = _by_provider(self.carriers)
        outcomes = self._ended()
        counts = Counter(outcomes)
        dead: tuple[int, ...] = ()
        if counts[Outcome.DEAD]:
            dead = tuple(rank for rank in dispatch.ranks if self.outcomes[rank] is Outcome.DEAD)
        ended = Counter(zip(dispatch.homes().values(), outcomes, strict=False))
        by_area: defaultdict[str, dict[Outcome, int]] = defaultdict(dict)
        for (area, outcome), count in ended.items():
            by_area[area][outcome] = count
        return Receipt(
            dispatch=dispatch,
            counts=dict(counts),
            deferred=tuple(deferred),
            retry_at=tries[0][0] if tries else None,
            unknown=len(self.doubtful),
            reasons=dict(self.reasons),
            provider=next(iter(carried)) or provider if len(carried) == 1 else provider,
            carried=carried if len(carried) > 1 else {},
            bound=_by_provider(bound),
            segments=self.segments,
            cost=self.cost,
            dead=dead if len(dead) < len(outcomes) else (),
            by_area=dict(sorted(by_area.items())),
            later=tuple(Later(retry_at=when, ranks=ranks) for when, ranks in tries[1:]),
        )


def _by_provider(ranks: Mapping[int, str]) -> Ranks:
    """The ranks of each provider, in order."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for rank in sorted(ranks):
        found[ranks[rank]].append(rank)
    return {via: tuple(found[via]) for via in sorted(found)}
