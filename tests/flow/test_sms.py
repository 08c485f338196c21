"""SMS from issue to the network's word: two SMSCs, the real ledger, log and views."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest

from broadcaster.account import Role
from broadcaster.commands.sms_budgets import SmsBudgetCommands
from broadcaster.registry.subscribers import NewSubscriber
from broadcaster.runtime import SYSTEM, House, clock
from channels.delivery import Delivery
from channels.sms import Member, SmsGateway, SmsPool
from channels.sms.receipts import Book
from channels.sms.sandbox import Behaviour, SmscSandbox
from projections.fanout import view as fanout
from projections.reach import view as reach
from projections.sms import view as sms
from schemas.content import Channel, Kind
from schemas.dispatch import Dispatch
from schemas.events import Actor
from tests.following import becomes
from tests.house import PHUC_XA, approver, author, awake, content, house
from tests.unit.channels.sms.carriers import smpp

CITY = Actor(account="manager@ubnd-tp", body="ubnd-tp")
PHONES = 100
Smscs = tuple[SmscSandbox, SmscSandbox]


@pytest.fixture
def hanoi(city_database: str) -> Iterator[House]:
    with house(city_database, sms_price=300) as opened:
        opened.setup.grant(SYSTEM, CITY.account, "ubnd-tp", Role.MANAGER, at=clock())
        for number in range(PHONES):
            # A tenth of them is never delivered to.
            last = f"{30 + number // 10}0000005" if number % 10 == 0 else f"9{number + 100:08d}"
            phone = NewSubscriber(phone=f"+84{last}", home="00001")
            opened.registry.register(phone, clock())
        awake(opened, PHUC_XA)
        yield opened


@pytest.fixture
def smscs(tmp_path: Path) -> Iterator[Smscs]:
    with SmscSandbox(tmp_path / "a") as one, SmscSandbox(tmp_path / "b") as other:
        yield one, other


def issue(hanoi: House, kind: Kind) -> UUID:
    said = content(channels=(Channel.SMS,), kind=kind)
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, said, at=clock()).id
    hanoi.alerts.submit(author(PHUC_XA), alert, at=clock())
    hanoi.alerts.approve(approver(PHUC_XA), alert, at=clock())
    hanoi.alerts.issue(author(PHUC_XA), alert, at=clock())
    return alert


def follow(hanoi: House) -> None:
    for name in ("fanout", "reach", "sms"):
        hanoi.follower(hanoi.projection(name)).catch_up()


def ordered(hanoi: House) -> Sequence[Dispatch]:
    follow(hanoi)
    with hanoi.pool.connection() as conn:
        return fanout.undone(conn)


def members(smscs: Smscs, book: Book) -> list[Member]:
    return [
        Member(SmsGateway(smpp(smsc.endpoint), name=smsc.folder.name, book=book), price=300)
        for smsc in smscs
    ]


async def work(hanoi: House, smscs: Smscs, told: int) -> None:
    """Carries out what is ordered, follow-ups too, and waits for so many receipts of the network's."""
    book = Book()
    async with SmsPool(members(smscs, book), clock) as pool:
        delivery = Delivery(hanoi.ledger, pool, clock, hanoi.sms_budgets.refusal)
        keeping = asyncio.create_task(book.run(hanoi.sms_receipts.note, 0.05))
        while dispatches := await asyncio.to_thread(ordered, hanoi):
            await asyncio.gather(*map(delivery.deliver, dispatches))
            for smsc in smscs:
                smsc.behave()
        await becomes(lambda: heard(hanoi) >= told)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    await asyncio.to_thread(follow, hanoi)


def heard(hanoi: House) -> int:
    follow(hanoi)
    with hanoi.pool.connection() as conn:
        row = conn.execute("SELECT coalesce(sum(delivered + failed), 0)::int FROM sms_carried").fetchone()
    assert row is not None
    return row[0]


def test_an_alert_through_two_carriers_one_of_which_drops_lines(hanoi: House, smscs: Smscs) -> None:
    smscs[0].behave(Behaviour(drop_every=15))
    alert = issue(hanoi, Kind.ALERT)
    asyncio.run(work(hanoi, smscs, PHONES))
    with hanoi.pool.connection() as conn:
        (version,) = reach.of_alert(conn, alert)
        carried = {one.provider: one for one in sms.of_alert(conn, alert)}
    totals = version.totals
    assert (totals.audience, totals.accepted, totals.in_flight) == (PHONES, PHONES, 0)
    assert totals.unknown > 0
    one, other = (smsc.journal.whole() for smsc in smscs)
    assert not one & other, "nobody through both"
    assert len(one | other) == PHONES, "nobody lost"
    twice = sum(smsc.count().duplicates for smsc in smscs)
    assert twice <= totals.unknown, "none twice but those in doubt"
    assert sum(each.accepted for each in carried.values()) == PHONES
    assert sum(each.failed for each in carried.values()) == PHONES // 10
    assert sum(each.delivered for each in carried.values()) == PHONES - PHONES // 10


def test_a_bulletin_over_the_budget_goes_to_nobody_and_all_are_accounted_for(
    hanoi: House, smscs: Smscs
) -> None:
    SmsBudgetCommands(hanoi.office).set(CITY, PHUC_XA, segments=None, vnd=PHONES * 300 - 1, at=clock())
    bulletin = issue(hanoi, Kind.BULLETIN)
    asyncio.run(work(hanoi, smscs, 0))
    with hanoi.pool.connection() as conn:
        (version,) = reach.of_alert(conn, bulletin)
    assert (version.totals.refused, version.totals.in_flight) == (PHONES, 0)
    assert version.reasons == {"BUDGET": PHONES}
    assert [smsc.count().received for smsc in smscs] == [0, 0]
