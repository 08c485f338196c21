"""A dispatch that no worker survives: a dead letter after a few, and the lane goes on meanwhile."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from faststream.nats import NatsBroker, NatsToken
from nats import connect as dial
from nats.aio.client import Client

from broadcaster.engines.embedded import NatsServer
from broadcaster.registry.subscribers import NewSubscriber
from broadcaster.runtime import House, clock
from channels.delivery import Delivery
from channels.gateway import Message, Recipient, Result
from channels.push import PushGateway, PushSettings
from channels.push.sandbox import PushSandbox
from channels.push.window import Tell
from channels.retry import MAX_CLAIMS
from channels.topology import declare
from channels.worker import Stumble, add_worker
from projections.fanout.publisher import JetStreamPublisher
from projections.fanout.view import undone
from projections.reach import view as reach
from schemas.content import Channel, Kind, Lane
from tests.following import becomes
from tests.house import PHUC_XA, approver, author, content, house

PHONES, SLICE = 1_200, 500
POISON = f"tok-{700:030d}"


@pytest.fixture
def hanoi(city_database: str) -> Iterator[House]:
    with house(city_database) as opened:
        for number in range(PHONES):
            phone = NewSubscriber(token=f"tok-{number:030d}", platform="android", home="00001")
            opened.registry.register(phone, clock())
        yield opened


class Brittle(PushGateway):
    """Falls over at one address, before it sends to anyone."""

    fell = 0

    async def send_telling(
        self, message: Message, recipients: Sequence[Recipient], tell: Tell | None = None
    ) -> list[Result]:
        if any(each.address == POISON for each in recipients):
            self.fell += 1
            raise RuntimeError("no worker survives this one")
        return await super().send_telling(message, recipients, tell)


@asynccontextmanager
async def working(hanoi: House, server: NatsServer, gateway: PushGateway) -> AsyncGenerator[None]:
    """A worker of one slot on the lane, so that nothing goes round the poison but what is behind it."""
    broker = NatsBroker(server.url, security=NatsToken(server.token), logger=None)
    broker.add_middleware(Stumble)
    delivery = Delivery(hanoi.ledger, gateway, clock)
    add_worker(broker, Channel.PUSH, {Lane.ALERT: 1}, delivery.deliver, clock)
    async with broker:
        await broker.start()
        yield


def follow(hanoi: House) -> None:
    for name in ("fanout", "reach"):
        hanoi.follower(hanoi.projection(name)).catch_up()


def test_poison_is_a_dead_letter_and_the_lane_goes_on(
    hanoi: House,
    nats: NatsServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("channels.retry.FIRST_DELAY", 0.02)
    caplog.set_level(logging.CRITICAL)
    said = content(channels=(Channel.PUSH,), kind=Kind.ALERT)
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, said, at=clock()).id
    hanoi.alerts.submit(author(PHUC_XA), alert, at=clock())
    hanoi.alerts.approve(approver(PHUC_XA), alert, at=clock())
    hanoi.alerts.issue(author(PHUC_XA), alert, at=clock())
    follow(hanoi)
    follow(hanoi)

    def settled() -> bool:
        follow(hanoi)
        with hanoi.pool.connection() as conn:
            return not undone(conn)

    async def scenario() -> int:
        with PushSandbox(tmp_path / "fcm") as fcm:
            push = PushSettings(fcm.url, fcm.credentials_file, fcm.ca_file)
            client = await connect(nats)
            await declare(client.jetstream())
            with hanoi.pool.connection() as conn:
                orders = undone(conn)
            await JetStreamPublisher(client)(orders)
            async with Brittle(push, clock) as gateway, working(hanoi, nats, gateway):
                await becomes(settled)
                fell = gateway.fell
            await client.close()
            assert fcm.count().received == PHONES - SLICE
        return fell

    assert asyncio.run(scenario()) == MAX_CLAIMS
    with hanoi.pool.connection() as conn:
        (row,) = reach.of_alert(conn, alert)
    totals = row.totals
    assert (totals.audience, totals.accepted, totals.dead) == (PHONES, PHONES - SLICE, SLICE)
    assert row.reasons["CLAIMED_TOO_OFTEN"] == SLICE


async def connect(server: NatsServer) -> Client:
    return await dial(server.url, token=server.token)
