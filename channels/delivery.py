"""One dispatch, from claim to receipt: who is still to be sent to, in windows, and what came of each."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID

import structlog

from channels.gateway import Gateway, Message, PayloadFaultError, Recipient, Result, Router
from channels.retry import MAX_CLAIMS, next_tries
from schemas.content import MsgType
from schemas.dispatch import Dispatch, Later, Outcome, Ranks, Receipt

TURN = 0.05
LONGEST_TURN = 15.0
"""Seconds after its issue that a version may wait for an earlier one under way, a look every TURN: longer
than a provider's timeout, but a worker that died must not hold up an emergency."""

log = structlog.get_logger(__name__)

FAULTS_KEPT = 64
"""Versions whose content was refused that a worker remembers."""
FAULT_KEPT = timedelta(minutes=10)
"""How long: who replays a dead letter later gets a true try."""


class Claim(NamedTuple):
    """What the ledger knows of a dispatch once this worker holds it."""

    done: bool
    """It has its receipt already: nothing to do but acknowledge."""
    claims: int
    """How often it was claimed, this time included."""
    noted: tuple[Result, ...]
    """Results of an earlier holder."""
    in_doubt: frozenset[int]
    """Ranks an earlier holder was sending to when it died: they may have been reached."""
    via: str = ""
    """The provider it was sending them through, where there are several."""


class Desk(Protocol):
    """What a worker needs from the house; runtime passes it in. Calls block; they run in threads."""

    def claim(self, dispatch: Dispatch, at: datetime) -> Claim:
        """Holds the dispatch."""
        ...

    def message(self, dispatch: Dispatch) -> Message | None:
        """What to say; None where a later version or a cancel made it moot."""
        ...

    def ahead(self, dispatch: Dispatch) -> bool:
        """Whether an earlier version of the alert is being sent on the channel at this moment."""
        ...

    def withdraws_nothing(self, dispatch: Dispatch) -> bool:
        """Of a withdrawal: whether none of its recipients was, or will be, sent what it withdraws."""
        ...

    def recipients(self, dispatch: Dispatch, ranks: Sequence[int]) -> list[Recipient]:
        """Addresses of these ranks; one that has been erased since is absent."""
        ...

    def progress(
        self, dispatch: Dispatch, noted: Sequence[Result], sending: Sequence[int], via: str = ""
    ) -> None:
        """Notes results, and the ranks that are sent to next, before they are, and through whom."""
        ...

    def close(self, receipt: Receipt, gone: Sequence[Recipient], at: datetime) -> None:
        """Appends the receipt and erases the addresses that are gone, in one transaction."""
        ...


UNKNOWN = "UNKNOWN"
"""The reason of those who ended without being reached for sure, though a provider may have taken theirs."""
_UNSENT = frozenset({Outcome.DEAD, Outcome.EXPIRED, Outcome.SUPERSEDED})


@dataclass
class _Tally:
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
        self.bound = {rank: via for via, ranks in self.dispatch.bound.items() for rank in ranks}

    def doubt(self, ranks: Iterable[int], via: str) -> None:
        """They may have been reached, through this provider: no other sends to them."""
        self.doubtful.update(ranks)
        self.bind(ranks, via)

    def bind(self, ranks: Iterable[int], via: str) -> None:
        """Only this provider may send to them, where it has a name."""
        if via:
            self.bound |= dict.fromkeys(ranks, via)

    def note(self, results: Sequence[Result]) -> None:
        for result in results:
            self.outcomes[result.rank] = result.outcome
            self.segments += result.segments
            self.cost += result.cost
            if result.reason:
                self.reasons[result.reason] += 1
            if result.ambiguous:
                self.doubt((result.rank,), result.via)
            if result.outcome is Outcome.ACCEPTED:
                self.carriers[result.rank] = result.via
            if result.outcome is Outcome.DEFERRED:
                self.wishes[result.rank] = result.retry_after or 0.0

    def close_rest(self, outcome: Outcome, reason: str = "") -> None:
        """Gives every rank without an outcome this one."""
        rest = self.pending()
        self.outcomes.update(dict.fromkeys(rest, outcome))
        if reason and rest:
            self.reasons[reason] += len(rest)

    def pending(self) -> list[int]:
        return [rank for rank in self.dispatch.ranks if rank not in self.outcomes]

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
        dead = tuple(rank for rank in dispatch.ranks if self.outcomes[rank] is Outcome.DEAD)
        homes = dispatch.homes()
        by_area: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
        for rank, area in homes.items():
            by_area[area][self.outcomes[rank]] += 1
        return Receipt(
            dispatch=dispatch,
            counts=dict(Counter(self.outcomes[rank] for rank in dispatch.ranks)),
            deferred=tuple(deferred),
            retry_at=tries[0][0] if tries else None,
            unknown=len(self.doubtful),
            reasons=dict(self.reasons),
            provider=next(iter(carried)) or provider if len(carried) == 1 else provider,
            carried=carried if len(carried) > 1 else {},
            bound=_by_provider(bound),
            segments=self.segments,
            cost=self.cost,
            dead=dead if len(dead) < len(dispatch.ranks) else (),
            by_area={area: dict(counts) for area, counts in sorted(by_area.items())},
            later=tuple(Later(retry_at=when, ranks=ranks) for when, ranks in tries[1:]),
        )


def _by_provider(ranks: Mapping[int, str]) -> Ranks:
    """The ranks of each provider, in order."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for rank in sorted(ranks):
        found[ranks[rank]].append(rank)
    return {via: tuple(found[via]) for via in sorted(found)}


Refusal = Callable[[Dispatch, Message, datetime], str]
"""Why nobody of a dispatch gets it; empty where they do. Blocks."""


class Delivery:
    """Carries out dispatches through one gateway; what the house refuses ends as refused."""

    def __init__(
        self,
        desk: Desk,
        gateway: Gateway,
        clock: Callable[[], datetime],
        refusal: Refusal | None = None,
    ) -> None:
        self._desk = desk
        self._gateway = gateway
        self._clock = clock
        self._refusal = refusal
        self._faults: dict[tuple[UUID, int], tuple[str, datetime]] = {}

    async def deliver(self, dispatch: Dispatch) -> Receipt | None:
        """Carries it out to its receipt; None where it had one already. Safe to repeat."""
        at = self._clock()
        claim = await asyncio.to_thread(self._desk.claim, dispatch, at)
        if claim.done:
            return None
        tally = _Tally(dispatch)
        tally.note(claim.noted)
        tally.bind(claim.in_doubt, claim.via)
        gone: list[Recipient] = []
        message = await asyncio.to_thread(self._desk.message, dispatch)
        if message is not None and message.version > 1:
            await self._turn(dispatch, message.sent)
        if at >= dispatch.expires_at:
            tally.close_rest(Outcome.EXPIRED)
        elif message is None:
            tally.close_rest(Outcome.SUPERSEDED)
        elif message.msg_type is MsgType.CANCEL and await asyncio.to_thread(
            self._desk.withdraws_nothing, dispatch
        ):
            tally.close_rest(Outcome.SUPERSEDED, "NOTHING_TO_WITHDRAW")
        elif claim.claims > MAX_CLAIMS:
            # Whom its last holder was sending to may have been reached: a replay would send again.
            tally.doubtful |= claim.in_doubt
            tally.close_rest(Outcome.DEAD, "CLAIMED_TOO_OFTEN")
        elif fault := self._fault(dispatch, at):
            tally.doubtful |= claim.in_doubt
            tally.close_rest(Outcome.DEAD, fault)
        elif reason := await self._refused(dispatch, message, at):
            tally.close_rest(Outcome.REFUSED, reason)
        else:
            tally.doubt(claim.in_doubt, claim.via)
            gone = await self._send(dispatch, message, tally)
        at = self._clock()
        receipt = tally.receipt(self._gateway.name, at, random.random())  # noqa: S311 (spread, no secret)
        await asyncio.to_thread(self._desk.close, receipt, gone, at)
        return receipt

    async def _refused(self, dispatch: Dispatch, message: Message, at: datetime) -> str:
        if self._refusal is None:
            return ""
        return await asyncio.to_thread(self._refusal, dispatch, message, at)

    async def _turn(self, dispatch: Dispatch, sent: datetime) -> None:
        """Waits until no earlier version is under way, so that the phone gets them in order.

        What is not claimed yet will not be sent: whoever claims it asks for the latest word after that.
        """
        left = LONGEST_TURN - max(0.0, (self._clock() - sent).total_seconds())
        while left > 0 and await asyncio.to_thread(self._desk.ahead, dispatch):
            await asyncio.sleep(TURN)
            left -= TURN

    async def _send(self, dispatch: Dispatch, message: Message, tally: _Tally) -> list[Recipient]:
        pending = tally.pending()
        recipients = await asyncio.to_thread(self._desk.recipients, dispatch, pending)
        present = {recipient.rank: recipient for recipient in recipients}
        tally.note([Result(rank, Outcome.GONE, "ERASED") for rank in pending if rank not in present])
        noted: Sequence[Result] = ()
        for turn, batch in enumerate(self._windows(message, recipients, tally)):
            if turn and await asyncio.to_thread(self._desk.message, dispatch) is None:
                tally.close_rest(Outcome.SUPERSEDED)
                break
            sending = [recipient.rank for recipient in batch]
            await asyncio.to_thread(self._desk.progress, dispatch, noted, sending, batch[0].via)
            try:
                noted = await self._gateway.send(message, batch)
            except PayloadFaultError as fault:
                self._stop(dispatch, fault.reason)
                tally.close_rest(Outcome.DEAD, fault.reason)
                break
            tally.note(noted)
        return [recipient for rank, recipient in present.items() if tally.outcomes[rank] is Outcome.GONE]

    def _windows(
        self, message: Message, recipients: Sequence[Recipient], tally: _Tally
    ) -> Iterator[Sequence[Recipient]]:
        gateway = self._gateway
        if isinstance(gateway, Router):
            tied = [one._replace(via=tally.bound.get(one.rank, "")) for one in recipients]
            yield from gateway.route(message, tied)
            return
        for start in range(0, len(recipients), gateway.window):
            yield recipients[start : start + gateway.window]

    def _stop(self, dispatch: Dispatch, reason: str) -> None:
        """Content that is refused is refused for everyone: what is left of the version is not tried."""
        log.error("dispatch.content_refused", alert=str(dispatch.alert_id), version=dispatch.version)
        if len(self._faults) >= FAULTS_KEPT:
            del self._faults[next(iter(self._faults))]
        self._faults[dispatch.alert_id, dispatch.version] = (reason, self._clock() + FAULT_KEPT)

    def _fault(self, dispatch: Dispatch, at: datetime) -> str:
        """Why the version's content was refused lately; empty where it was not."""
        reason, until = self._faults.get((dispatch.alert_id, dispatch.version), ("", at))
        return reason if at < until else ""
