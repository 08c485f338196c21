"""From claim to receipt: every rank ends in one outcome, whatever the provider or a crash does."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.delivery import FAULT_KEPT, Delivery, Refusal
from channels.desk import Claim
from channels.gateway import Message, PayloadFaultError, Recipient, Result
from channels.retry import MAX_ATTEMPTS, MAX_CLAIMS
from schemas.content import Channel, Lane, MsgType
from schemas.dispatch import Dispatch, Outcome, Receipt
from tests.unit.schemas.examples import ALERT, CONTENT, DISPATCH

AT = datetime(2026, 7, 10, 3, 0, tzinfo=UTC)


class Killed(BaseException):
    """The process died here."""


@dataclass
class PaperDesk:
    """A ledger in memory that keeps what a real one would across a crash."""

    erased: frozenset[int] = frozenset()
    superseded: bool = False
    claims: int = 0
    noted: list[Result] = field(default_factory=list[Result])
    sending: frozenset[int] = frozenset()
    via: str = ""
    receipt: Receipt | None = None
    gone: tuple[int, ...] = ()

    def claim(self, dispatch: Dispatch, at: datetime) -> Claim:
        del dispatch, at
        self.claims += 1
        known = {result.rank for result in self.noted}
        return Claim(
            self.receipt is not None, self.claims, tuple(self.noted), self.sending - known, self.via
        )

    def message(self, dispatch: Dispatch) -> Message | None:
        if self.superseded:
            return None
        return Message(
            ALERT, dispatch.version, MsgType.ALERT, dispatch.lane, "UBND", CONTENT, AT, dispatch.expires_at
        )

    def ahead(self, dispatch: Dispatch) -> bool:
        del dispatch
        return False

    def withdraws_nothing(self, dispatch: Dispatch) -> bool:
        del dispatch
        return False

    def recipients(self, dispatch: Dispatch, ranks: Sequence[int]) -> list[Recipient]:
        del dispatch
        return [
            Recipient(rank, rank + 1000, f"a{rank}", "token", "android", "vi")
            for rank in ranks
            if rank not in self.erased
        ]

    def progress(
        self, dispatch: Dispatch, hold: int, noted: Sequence[Result], sending: Sequence[int], via: str = ""
    ) -> None:
        del dispatch, hold
        self.noted.extend(noted)
        self.sending, self.via = frozenset(sending), via

    def note(self, some: Sequence[tuple[Dispatch, Sequence[Result]]]) -> None:
        for _, noted in some:
            self.noted.extend(noted)

    def close(self, receipt: Receipt, hold: int, gone: Sequence[Recipient], at: datetime) -> None:
        del hold, at
        assert self.receipt is None
        self.receipt = receipt
        self.gone = tuple(recipient.rank for recipient in gone)


@dataclass
class ScriptedGateway:
    """Answers each rank as told; dies after so many sends where told."""

    answers: dict[int, Outcome] = field(default_factory=dict[int, Outcome])
    window: int = 4
    dies_after: int | None = None
    fault: str | None = None
    reached: list[int] = field(default_factory=list[int])
    waits: dict[int, float] = field(default_factory=dict[int, float])
    channel = Channel.PUSH
    name = "scripted"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None: ...

    async def send(self, message: Message, recipients: Sequence[Recipient]) -> list[Result]:
        del message
        assert len(recipients) <= self.window
        if self.fault:
            raise PayloadFaultError(self.fault)
        results: list[Result] = []
        for recipient in recipients:
            if self.dies_after is not None and len(self.reached) >= self.dies_after:
                raise Killed
            self.reached.append(recipient.rank)
            outcome = self.answers.get(recipient.rank, Outcome.ACCEPTED)
            reason = "" if outcome is Outcome.ACCEPTED else "WHY"
            results.append(Result(recipient.rank, outcome, reason, self.waits.get(recipient.rank)))
        return results


def run(
    desk: PaperDesk, gateway: ScriptedGateway, dispatch: Dispatch = DISPATCH, at: datetime = AT
) -> Receipt:
    asyncio.run(Delivery(desk, gateway, lambda: at).deliver(dispatch))
    assert desk.receipt is not None
    return desk.receipt


outcomes = st.sampled_from([Outcome.ACCEPTED, Outcome.GONE, Outcome.REFUSED, Outcome.DEFERRED])


@given(
    st.dictionaries(st.sampled_from(DISPATCH.ranks), outcomes),
    st.frozensets(st.sampled_from(DISPATCH.ranks)),
)
def test_every_rank_ends_in_one_outcome(answers: dict[int, Outcome], erased: frozenset[int]) -> None:
    desk, gateway = PaperDesk(erased=erased), ScriptedGateway(answers)
    receipt = run(desk, gateway)
    present = [rank for rank in DISPATCH.ranks if rank not in erased]
    assert gateway.reached == present
    deferred = tuple(rank for rank in present if answers.get(rank) is Outcome.DEFERRED)
    assert receipt.deferred == deferred
    assert receipt.counts.get(Outcome.GONE, 0) == len(erased) + sum(
        answers.get(rank) is Outcome.GONE for rank in present
    )
    assert sum(receipt.counts.values()) == len(DISPATCH.ranks)
    assert set(desk.gone) == {rank for rank in present if answers.get(rank) is Outcome.GONE}


@given(st.integers(0, 9), st.integers(1, 6))
def test_a_crash_repeats_at_most_the_window_in_flight(dies_after: int, window: int) -> None:
    desk = PaperDesk()
    first = ScriptedGateway(window=window, dies_after=dies_after)
    with pytest.raises(Killed):
        run(desk, first)
    assert desk.receipt is None
    second = ScriptedGateway(window=window)
    receipt = run(desk, second)
    reached = first.reached + second.reached
    assert set(reached) == set(DISPATCH.ranks)
    twice = len(reached) - len(set(reached))
    assert twice <= window
    assert receipt.counts == {Outcome.ACCEPTED: len(DISPATCH.ranks)}
    # Whoever may have been reached twice is counted.
    assert twice <= receipt.unknown <= window


def test_out_of_attempts_is_dead_and_said_so() -> None:
    tired = DISPATCH.model_copy(update={"attempt": MAX_ATTEMPTS})
    receipt = run(PaperDesk(), ScriptedGateway({503: Outcome.DEFERRED}), tired)
    assert receipt.counts[Outcome.DEAD] == 1
    assert receipt.deferred == ()
    assert receipt.retry_at is None


def test_each_waits_for_what_was_asked_of_them() -> None:
    ranks = (501, 503, 504, 509)
    gateway = ScriptedGateway(dict.fromkeys(ranks, Outcome.DEFERRED), waits={503: 60.0, 501: 600.0})
    late = DISPATCH.expires_at - timedelta(seconds=300)
    receipt = run(PaperDesk(), gateway, at=late)
    assert receipt.counts == {Outcome.ACCEPTED: 6, Outcome.DEFERRED: 3, Outcome.DEAD: 1}
    assert receipt.dead == (501,)
    first, second = receipt.follow_ups()
    assert (first.only, second.only) == ((504, 509), (503,))
    assert first == DISPATCH.follow_up((504, 509), first.not_before or AT)
    assert first.not_before is not None
    assert second.not_before is not None
    assert (
        first.not_before < late + timedelta(seconds=2) < late + timedelta(seconds=60) <= second.not_before
    )


def test_an_emergency_is_tried_until_it_expires() -> None:
    tired = DISPATCH.model_copy(update={"attempt": 40, "lane": Lane.EMERGENCY})
    assert run(PaperDesk(), ScriptedGateway({503: Outcome.DEFERRED}), tired).deferred == (503,)
    late = DISPATCH.expires_at - timedelta(seconds=1)
    receipt = run(PaperDesk(), ScriptedGateway({503: Outcome.DEFERRED}), tired, late)
    assert receipt.counts[Outcome.DEAD] == 1


def test_nothing_is_sent_once_it_expired_or_was_superseded() -> None:
    gateway = ScriptedGateway()
    assert run(PaperDesk(), gateway, at=DISPATCH.expires_at).counts == {Outcome.EXPIRED: 10}
    assert run(PaperDesk(superseded=True), gateway).counts == {Outcome.SUPERSEDED: 10}
    assert gateway.reached == []


def test_a_payload_fault_ends_the_dispatch() -> None:
    receipt = run(PaperDesk(), ScriptedGateway(fault="INVALID_ARGUMENT"))
    assert receipt.counts == {Outcome.DEAD: 10}
    assert receipt.reasons == {"INVALID_ARGUMENT": 10}


def test_refused_content_stops_the_rest_of_the_version_for_a_while() -> None:
    gateway, clock = ScriptedGateway(fault="INVALID_ARGUMENT"), [AT]
    desk = PaperDesk()
    delivery = Delivery(desk, gateway, lambda: clock[0])

    def next_slice(**changes: object) -> Receipt:
        desk.receipt = None
        asyncio.run(delivery.deliver(DISPATCH.model_copy(update=changes)))
        assert desk.receipt is not None
        return desk.receipt

    next_slice()
    gateway.fault = None
    assert next_slice().counts == {Outcome.DEAD: 10}
    assert gateway.reached == []
    assert next_slice(version=DISPATCH.version + 1).counts == {Outcome.ACCEPTED: 10}
    assert next_slice(replay_of=DISPATCH.id).counts == {Outcome.ACCEPTED: 10}, "a replay is tried at once"
    clock[0] += FAULT_KEPT
    assert next_slice().counts == {Outcome.ACCEPTED: 10}


def test_a_dispatch_that_kills_its_workers_is_given_up() -> None:
    gateway = ScriptedGateway()
    receipt = run(PaperDesk(claims=MAX_CLAIMS), gateway)
    assert receipt.counts == {Outcome.DEAD: 10}
    assert gateway.reached == []


def test_a_dispatch_with_a_receipt_is_left_alone() -> None:
    desk, gateway = PaperDesk(), ScriptedGateway()
    run(desk, gateway)
    assert asyncio.run(Delivery(desk, gateway, lambda: AT).deliver(DISPATCH)) is None
    assert len(gateway.reached) == 10


def says(reason: str) -> Refusal:
    def refusal(dispatch: Dispatch, message: Message, at: datetime) -> str:
        del dispatch, message, at
        return reason

    return refusal


def test_what_the_house_refuses_goes_to_nobody() -> None:
    desk, gateway = PaperDesk(), ScriptedGateway()
    receipt = asyncio.run(Delivery(desk, gateway, lambda: AT, says("BUDGET")).deliver(DISPATCH))
    assert receipt is not None
    assert receipt.counts == {Outcome.REFUSED: 10}
    assert receipt.reasons == {"BUDGET": 10}
    assert gateway.reached == []
    free = asyncio.run(Delivery(PaperDesk(), gateway, lambda: AT, says("")).deliver(DISPATCH))
    assert free is not None
    assert free.counts == {Outcome.ACCEPTED: 10}


def test_who_waited_beyond_the_end_is_not_sent_to() -> None:
    """The first window takes so long that the alert is over when the second would go."""
    at = [AT]

    class Slow(ScriptedGateway):
        async def send(self, message: Message, recipients: Sequence[Recipient]) -> list[Result]:
            results = await super().send(message, recipients)
            at[0] = DISPATCH.expires_at
            return results

    desk, gateway = PaperDesk(), Slow()
    receipt = asyncio.run(Delivery(desk, gateway, lambda: at[0]).deliver(DISPATCH))
    assert receipt is not None
    assert len(gateway.reached) == gateway.window
    assert receipt.counts == {
        Outcome.ACCEPTED: gateway.window,
        Outcome.EXPIRED: DISPATCH.size - gateway.window,
    }


def test_who_waited_for_the_version_before_beyond_the_end_is_not_sent_to() -> None:
    at = [AT]

    class Behind(PaperDesk):
        def ahead(self, dispatch: Dispatch) -> bool:
            at[0] = dispatch.expires_at
            return super().ahead(dispatch)

    gateway = ScriptedGateway()
    second = DISPATCH.model_copy(update={"version": 2})
    receipt = asyncio.run(Delivery(Behind(), gateway, lambda: at[0]).deliver(second))
    assert receipt is not None
    assert (receipt.counts, gateway.reached) == ({Outcome.EXPIRED: DISPATCH.size}, [])


def test_a_replay_of_some_ends_though_others_were_bound_to_a_provider() -> None:
    order = DISPATCH.follow_up((500, 501, 502), AT, {"viettel": (500, 501), "mobifone": (502,)})
    replay = order.replay((501,))
    assert replay.bound == {"viettel": (501,)}
    assert replay.bound == {"viettel": (501,)}
    # As it was ordered once, with all of its order's.
    for again in (replay, replay.model_copy(update={"bound": order.bound})):
        receipt = run(PaperDesk(), ScriptedGateway(), again)
        assert receipt.counts == {Outcome.ACCEPTED: 1}


def test_one_whom_content_is_refused_to_stops_no_version_that_others_were_sent() -> None:
    """A stranger may register a number, or a token, that a provider takes for a fault of what is said."""
    gateway, desk, clock = ScriptedGateway(), PaperDesk(), [AT]
    delivery = Delivery(desk, gateway, lambda: clock[0])

    def next_slice(fault: str | None) -> dict[Outcome, int]:
        gateway.fault, desk.receipt = fault, None
        desk.noted.clear()
        receipt = asyncio.run(delivery.deliver(DISPATCH))
        assert receipt is not None
        return receipt.counts

    assert next_slice("ESME_RINVDSTTON") == {Outcome.DEAD: 10}
    assert next_slice(None) == {Outcome.DEAD: 10}, "nobody was sent it yet"
    clock[0] += FAULT_KEPT
    desk.claims = 0
    assert next_slice(None) == {Outcome.ACCEPTED: 10}
    assert next_slice("ESME_RINVDSTTON") == {Outcome.DEAD: 10}
    assert next_slice(None) == {Outcome.ACCEPTED: 10}
