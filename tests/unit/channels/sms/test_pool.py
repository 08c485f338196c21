"""Two SMSCs as one provider: shared out, shifted away from, and no one reached twice by a doubt."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.delivery import Delivery
from channels.gateway import Message, PayloadFaultError, Recipient, Result
from channels.retry import MAX_ATTEMPTS
from channels.sms import Member, SmppSettings, SmsGateway, SmsPool
from channels.sms.brand import BrandClass, Rules
from channels.sms.sandbox import Behaviour, SmscSandbox
from channels.sms.shares import Policy
from channels.tally import UNKNOWN
from schemas.content import Kind, Lane
from schemas.dispatch import Outcome
from tests.following import becomes
from tests.unit.channels.sms.carriers import AT, LONG, alert, outcomes, smpp, someone
from tests.unit.channels.test_delivery import Killed, PaperDesk
from tests.unit.schemas.examples import DISPATCH
from tests.waiting import until


@dataclass
class Clock:
    now: datetime = AT

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SmscSandbox, SmscSandbox]]:
    folder = tmp_path_factory.mktemp("smscs")
    with SmscSandbox(folder / "a") as one, SmscSandbox(folder / "b") as other:
        yield one, other


@pytest.fixture
def smscs(running: tuple[SmscSandbox, SmscSandbox]) -> tuple[SmscSandbox, SmscSandbox]:
    for smsc in running:
        smsc.behave()
        smsc.taken.clear()
    return running


Smscs = tuple[SmscSandbox, SmscSandbox]


def run(
    smscs: Smscs,
    scenario: Callable[[SmsPool], Awaitable[Any]],
    *,
    weights: tuple[float, float] = (1, 1),
    rules: tuple[Rules, Rules] = (Rules(), Rules()),
    clock: Clock | None = None,
    policy: Policy | None = None,
    **changes: Any,
) -> Any:
    """What the scenario makes of an open pool of "a" and "b"."""
    members = [
        _member(smsc, weight, of, changes) for smsc, weight, of in zip(smscs, weights, rules, strict=True)
    ]

    async def inside() -> Any:
        async with SmsPool(members, clock or Clock(), policy) as pool:
            return await scenario(pool)

    return asyncio.run(inside())


class Fair(SmsGateway):
    """Blames the carrier for the time that the carrier took, not for what a busy machine added to it."""

    smsc: SmscSandbox

    def _note(self, status: int | None, seconds: float) -> None:
        its_own = self.smsc.behaviour.latency_ms / 1000
        super()._note(status, min(seconds, its_own))


def _member(smsc: SmscSandbox, weight: float, of: Rules, changes: dict[str, Any]) -> Member:
    gateway = Fair(smpp(smsc.endpoint, **changes), name=smsc.folder.name)
    gateway.smsc = smsc
    return Member(gateway, weight, int(100 * weight), of)


def numbers(smsc: SmscSandbox) -> list[str]:
    return [taken.submit.destination for taken in smsc.taken]


async def send_all(pool: SmsPool, message: Message, people: list[Recipient]) -> list[Result]:
    results: list[Result] = []
    for window in pool.route(message, people):
        results += await pool.send(message, window)
    return results


def test_each_gets_its_weight_and_the_result_says_whose(smscs: Smscs) -> None:
    people = [someone() for _ in range(80)]
    results = run(smscs, lambda pool: send_all(pool, alert(), people), weights=(3, 1))
    assert set(outcomes(results)) == {Outcome.ACCEPTED}
    assert (len(numbers(smscs[0])), len(numbers(smscs[1]))) == (60, 20)
    by = {result.rank: result.via for result in results}
    for smsc, name in zip(smscs, "ab", strict=True):
        assert {by[person.rank] for person in people if person.address[1:] in numbers(smsc)} == {name}
    assert {(r.via, r.segments, r.cost) for r in results} == {("a", 1, 300), ("b", 1, 100)}


def test_the_other_carries_all_while_one_is_down(smscs: Smscs) -> None:
    people = [someone() for _ in range(60)]

    async def scenario(pool: SmsPool) -> list[Result]:
        await asyncio.to_thread(smscs[0].stop)
        try:
            await becomes(lambda: not pool.up("a"))
            return await send_all(pool, alert(), people)
        finally:
            await asyncio.to_thread(smscs[0].start)

    results = run(smscs, scenario)
    assert set(outcomes(results)) == {Outcome.ACCEPTED}
    assert sorted(numbers(smscs[1])) == sorted(person.address[1:] for person in people)


def test_a_line_that_drops_loses_nobody_and_doubts_stay_where_they_are(smscs: Smscs) -> None:
    message, people = alert(), [someone() for _ in range(120)]

    async def scenario(pool: SmsPool) -> tuple[dict[int, Result], set[int]]:
        left, said, doubted = list(people), dict[int, Result](), set[int]()
        smscs[0].behave(Behaviour(drop_every=7))
        for _ in range(30):
            results = await send_all(pool, message, left)
            doubts = {result.rank: result.via for result in results if result.ambiguous}
            assert set(doubts.values()) <= {"a"}
            doubted |= set(doubts)
            said |= {result.rank: result for result in results}
            tied = {person.rank: person.via for person in left} | doubts
            left = [
                person._replace(via=tied[person.rank])
                for person in left
                if said[person.rank].outcome is Outcome.DEFERRED
            ]
            smscs[0].behave()
            await becomes(lambda: pool.up("a"))
        return said, doubted

    said, doubted = run(smscs, scenario)
    assert {result.outcome for result in said.values()} == {Outcome.ACCEPTED}
    assert doubted
    assert not set(numbers(smscs[0])) & set(numbers(smscs[1])), "nobody was reached by both"
    assert set(numbers(smscs[0])) | set(numbers(smscs[1])) == {person.address[1:] for person in people}
    twice = len(numbers(smscs[0])) - len(set(numbers(smscs[0])))
    assert twice <= len(doubted), "none twice but those in doubt"
    assert len(numbers(smscs[1])) == len(set(numbers(smscs[1])))
    assert {said[rank].via for rank in doubted} == {"a"}


def test_a_doubt_waits_for_its_own_provider(smscs: Smscs) -> None:
    tied = [someone()._replace(via="a") for _ in range(4)]

    async def scenario(pool: SmsPool) -> list[Result]:
        await asyncio.to_thread(smscs[0].stop)
        try:
            await becomes(lambda: not pool.up("a"))
            return await send_all(pool, alert(), [*tied, someone()._replace(via="sold")])
        finally:
            await asyncio.to_thread(smscs[0].start)

    results = run(smscs, scenario, patience=0.01)
    told = [(result.outcome, result.reason, result.via) for result in results]
    assert told == [
        *[(Outcome.DEFERRED, "not connected", "a")] * 4,
        (Outcome.DEFERRED, "provider not set up", "sold"),
    ]
    assert not numbers(smscs[1])


def test_what_one_refuses_to_say_the_other_says(smscs: Smscs) -> None:
    message, people = alert(), [someone() for _ in range(20)]

    async def scenario(pool: SmsPool) -> list[Result]:
        smscs[0].behave(Behaviour(refuse_content=True))
        first = await send_all(pool, message, people)
        left = [p for p, r in zip(people, first, strict=True) if r.outcome is Outcome.DEFERRED]
        assert len(left) == 10, "only its first window was refused: no second was tried there"
        return await send_all(pool, message, left)

    results = run(smscs, scenario)
    assert [(r.outcome, r.via) for r in results] == [(Outcome.ACCEPTED, "b")] * 10

    async def refused(pool: SmsPool) -> None:
        for smsc in smscs:
            smsc.behave(Behaviour(refuse_content=True))
        await send_all(pool, alert(), people)

    with pytest.raises(PayloadFaultError) as fault:
        run(smscs, refused)
    assert fault.value.reason == "ESME_RINVSRCADR"


@pytest.mark.parametrize(
    ("ill", "slow"),
    [
        (Behaviour(error_share=0.5), 60.0),
        (Behaviour(throttle_share=0.4), 60.0),
        (Behaviour(latency_ms=25), 0.015),
    ],
)
def test_it_shifts_away_and_slowly_back(smscs: Smscs, ill: Behaviour, slow: float) -> None:
    clock, policy = Clock(), Policy(least=5, slow=slow)

    async def scenario(pool: SmsPool) -> tuple[list[float], list[float]]:
        async def rounds(count: int) -> list[float]:
            told: list[float] = []
            for _ in range(count):
                await send_all(pool, alert(), [someone() for _ in range(40)])
                clock.now += timedelta(seconds=10)
                next(pool.route(alert(), [someone()]))
                told.append(round(pool.shares["a"].share, 3))
            return told

        smscs[0].behave(ill)
        away = await rounds(4)
        smscs[0].behave()
        clock.now += policy.calm
        return away, await rounds(30)

    away, back = run(smscs, scenario, clock=clock, policy=policy)
    assert away[0] == 0.3
    assert away[:3] == sorted(away[:3], reverse=True)
    assert away[-1] >= policy.floor
    assert back == sorted(back)
    assert back[-1] == 0.5


def test_a_brand_for_advertising_carries_no_warning_and_keeps_its_hours(smscs: Smscs) -> None:
    rules = (Rules(BrandClass.ADVERTISING), Rules())
    people = [someone() for _ in range(20)]
    run(smscs, lambda pool: send_all(pool, alert(), people), rules=rules)
    assert (len(numbers(smscs[0])), len(numbers(smscs[1]))) == (0, 20)
    night = Clock(datetime(2026, 7, 10, 15, 0, tzinfo=UTC))  # 22:00 in Hanoi
    message = alert()
    content = message.content.model_copy(update={"kind": Kind.BULLETIN})
    bulletin = replace(message, content=content, lane=Lane.BULLETIN)
    results = run(smscs, lambda pool: send_all(pool, bulletin, people), rules=rules, clock=night)
    waiting = [result for result in results if result.via == "a"]
    assert {(r.outcome, r.reason, r.retry_after) for r in waiting} == {
        (Outcome.DEFERRED, "out of hours", 10 * 3600.0)
    }
    assert {r.outcome for r in results if r.via == "b"} == {Outcome.ACCEPTED}


# --- through the worker -----------------------------------------------------------------------------


class SmsDesk(PaperDesk):
    """Its recipients have numbers."""

    def recipients(self, dispatch: Any, ranks: Any) -> list[Recipient]:
        return [
            one._replace(address=f"+8491{one.rank:05d}09", kind="msisdn")
            for one in super().recipients(dispatch, ranks)
        ]


def test_a_kill_ties_the_window_in_flight_to_its_provider(smscs: Smscs) -> None:
    class Dying(SmsPool):
        async def send(self, message: Message, recipients: Any) -> list[Result]:
            await super().send(message, recipients)
            raise Killed

    desk, at = SmsDesk(), DISPATCH.expires_at - timedelta(hours=1)
    gateways = [SmsGateway(smpp(smsc.endpoint), 4, name=smsc.folder.name) for smsc in smscs]

    async def work(kind: type[SmsPool]) -> Any:
        async with kind([Member(gateway, price=90) for gateway in gateways], lambda: at) as pool:
            return await Delivery(desk, pool, lambda: at).deliver(DISPATCH)

    with pytest.raises(Killed):
        asyncio.run(work(Dying))
    first = {name: set(numbers(smsc)) for name, smsc in zip("ab", smscs, strict=True)}
    assert sorted(map(len, first.values())) == [0, 4]
    receipt = asyncio.run(work(SmsPool))
    assert receipt.counts == {Outcome.ACCEPTED: 10}
    assert receipt.unknown == 4
    assert not set(numbers(smscs[0])) & set(numbers(smscs[1]))
    assert sorted(rank for ranks in receipt.carried.values() for rank in ranks) == list(DISPATCH.ranks)
    assert {name: len(ranks) for name, ranks in receipt.carried.items()} == {
        name: len(set(numbers(smsc))) for name, smsc in zip("ab", smscs, strict=True)
    }
    assert (receipt.segments, receipt.cost) == (10, 900)


def test_a_doubt_is_tied_in_the_follow_up_too(smscs: Smscs) -> None:
    desk, at = SmsDesk(), DISPATCH.expires_at - timedelta(hours=1)

    async def scenario(pool: SmsPool) -> Any:
        await becomes(lambda: pool.up("a") and pool.up("b"))
        for smsc in smscs:
            smsc.behave(Behaviour(silent=True))
        return await Delivery(desk, pool, lambda: at).deliver(DISPATCH)

    receipt = run(smscs, scenario, timeout=0.1)
    assert receipt.counts == {Outcome.DEFERRED: 10}
    assert receipt.retry_at is not None
    assert receipt.unknown == 10
    follow_up = receipt.dispatch.follow_up(receipt.deferred, receipt.retry_at, receipt.bound)
    assert sorted(rank for ranks in follow_up.bound.values() for rank in ranks) == list(DISPATCH.ranks)
    for smsc in smscs:
        smsc.behave()
    again = SmsDesk()
    later = run(smscs, lambda pool: Delivery(again, pool, lambda: at).deliver(follow_up))
    assert later.counts == {Outcome.ACCEPTED: 10}
    if later.carried:
        assert later.carried == follow_up.bound
    else:
        assert set(follow_up.bound) == {later.provider}
    assert not set(numbers(smscs[0])) & set(numbers(smscs[1]))


def test_a_doubt_that_nobody_settles_is_listed(smscs: Smscs) -> None:
    at = DISPATCH.expires_at - timedelta(hours=1)
    last = DISPATCH.model_copy(update={"attempt": MAX_ATTEMPTS, "bound": {"sold": (500, 501)}})
    receipt = run(smscs, lambda pool: Delivery(SmsDesk(), pool, lambda: at).deliver(last))
    assert receipt.counts == {Outcome.ACCEPTED: 8, Outcome.DEAD: 2}
    assert receipt.reasons == {"provider not set up": 2, UNKNOWN: 2}
    moot = run(smscs, lambda pool: Delivery(SmsDesk(superseded=True), pool, lambda: at).deliver(last))
    assert (moot.counts, moot.reasons) == ({Outcome.SUPERSEDED: 10}, {UNKNOWN: 2})


def test_parts_are_paid_for(smscs: Smscs) -> None:
    (result,) = run(smscs, lambda pool: pool.send(alert(LONG), [someone()]))
    assert (result.segments, result.cost) == (3, 300)
    until(lambda: len(numbers(smscs[0])) + len(numbers(smscs[1])) == 3)


def test_two_of_one_name_are_refused() -> None:
    member = Member(SmsGateway(SmppSettings("127.0.0.1", 1, "x", "y", "HANOI"), name="a"))
    with pytest.raises(ValueError, match="same name"):
        SmsPool([member, member], Clock())
