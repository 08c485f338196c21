"""Browsers from issue to withdrawal: a push service's double, the real registry, ledger, log, views."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from broadcaster.registry.subscribers import NewSubscriber
from broadcaster.runtime import House, clock
from channels.delivery import Delivery
from channels.push import PushGateway, PushSettings
from channels.push.both import PhonesAndBrowsers
from channels.push.sandbox import PushSandbox
from channels.push.web.client import WebPushGateway
from channels.push.web.sandbox import WebPushSandbox
from projections.fanout import view as fanout
from projections.reach import view as reach
from schemas.content import Channel
from schemas.dispatch import Dispatch
from tests.contract.houses_web_push import settings_of
from tests.house import PHUC_XA, approver, author, content, house

BROWSERS, GONE, PHONES = 20, 5, 10


@pytest.fixture(name="doubles")
def _doubles(tmp_path: Path) -> Iterator[tuple[PushSandbox, WebPushSandbox]]:
    with PushSandbox(tmp_path / "fcm") as fcm, WebPushSandbox(tmp_path / "webpush") as service:
        yield fcm, service


@pytest.fixture(name="hanoi")
def _hanoi(city_database: str, doubles: tuple[PushSandbox, WebPushSandbox]) -> Iterator[House]:
    _, service = doubles
    names = [f"gone-{n}" for n in range(GONE)] + ["busy-1"] + [f"b{n}" for n in range(BROWSERS - GONE - 1)]
    with house(city_database) as opened:
        for name in names:
            opened.registry.register(
                NewSubscriber(
                    token=service.address(name), token_kind="subscription", platform="web", home="00001"
                ),
                clock(),
            )
        for number in range(PHONES):
            phone = NewSubscriber(token=f"phone-{number}", platform="android", home="00001")
            opened.registry.register(phone, clock())
        yield opened


def ordered(hanoi: House) -> Sequence[Dispatch]:
    for name in ("fanout", "reach"):
        hanoi.follower(hanoi.projection(name)).catch_up()
    with hanoi.pool.connection() as conn:
        return fanout.undone(conn)


async def work(hanoi: House, doubles: tuple[PushSandbox, WebPushSandbox]) -> None:
    """Carries out what is ordered, follow-ups too."""
    fcm, service = doubles
    phones = PushGateway(PushSettings(fcm.url, fcm.credentials_file, fcm.ca_file), clock)
    browsers = WebPushGateway(replace(settings_of(service)), clock)
    async with PhonesAndBrowsers(phones, browsers) as gateway:
        delivery = Delivery(hanoi.ledger, gateway, clock)
        while dispatches := await asyncio.to_thread(ordered, hanoi):
            await asyncio.gather(*map(delivery.deliver, dispatches))


def issue(hanoi: House) -> UUID:
    said = content(channels=(Channel.PUSH,))
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, said, at=clock()).id
    hanoi.alerts.submit(author(PHUC_XA), alert, at=clock())
    hanoi.alerts.approve(approver(PHUC_XA), alert, at=clock())
    hanoi.alerts.issue(author(PHUC_XA), alert, at=clock())
    return alert


def kept(hanoi: House) -> int:
    with hanoi.pool.connection() as conn:
        row = conn.execute("SELECT count(*) FROM subscribers WHERE push_kind = 'subscription'").fetchone()
    assert row
    return row[0]


def test_an_alert_and_its_withdrawal(hanoi: House, doubles: tuple[PushSandbox, WebPushSandbox]) -> None:
    fcm, service = doubles
    alert = issue(hanoi)
    asyncio.run(work(hanoi, doubles))
    with hanoi.pool.connection() as conn:
        (version,) = reach.of_alert(conn, alert)
    totals = version.totals
    assert (totals.audience, totals.accepted, totals.gone) == (
        BROWSERS + PHONES,
        BROWSERS - GONE + PHONES,
        GONE,
    )
    assert (service.count().unique, fcm.count().unique) == (BROWSERS - GONE, PHONES)
    assert service.count().duplicates == 0
    assert kept(hanoi) == BROWSERS - GONE, "who is gone is erased"
    hanoi.alerts.cancel(approver(PHUC_XA), alert, "Nước đã rút", in_error=False, at=clock())
    asyncio.run(work(hanoi, doubles))
    assert service.count().received == 2 * (BROWSERS - GONE)
    first, last = service.pushes()[0], service.pushes()[-1]
    assert last["told"]["title"].startswith("HỦY: ")
    assert last["told"]["tag"] == first["told"]["tag"]
    everything = "\n".join(str(one.event) for one in hanoi.log.everything())
    assert "/push/" not in everything, "no endpoint is in an event"


def test_what_was_withdrawn_unsent_reaches_nobody(
    hanoi: House, doubles: tuple[PushSandbox, WebPushSandbox]
) -> None:
    alert = issue(hanoi)
    assert ordered(hanoi)
    hanoi.alerts.cancel(approver(PHUC_XA), alert, "Nhầm", in_error=True, at=clock())
    asyncio.run(work(hanoi, doubles))
    assert doubles[1].count().received == 0
