"""An older copy of the database in a newer one's place: no short message goes out twice for it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from broadcaster.delivery.restored import SetAside, set_aside
from broadcaster.registry.subscribers import NewSubscriber
from broadcaster.runtime import House, clock
from channels.gateway import Result
from projections.fanout import view as fanout
from projections.listen import Listener
from projections.reach import letters_view
from projections.reach import view as reach
from schemas.content import Channel, Severity
from schemas.dispatch import Outcome
from schemas.events import HouseRestored
from tests.house import PHUC_XA, approver, author, content, house
from tests.waiting import until

PHONES = 60
"""Two slices by SMS."""


@pytest.fixture
def hanoi(city_database: str) -> Iterator[House]:
    with house(city_database) as opened:
        yield opened


def restored(database: str, *words: str) -> tuple[int, str]:
    ended = subprocess.run(
        [sys.executable, "-m", "broadcaster", "restored", *words],
        env=os.environ | {"BROADCASTER_DATABASE_URL": database, "BROADCASTER_PROVIDERS": "sandbox"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def follow(hanoi: House) -> None:
    for each in (*hanoi.projections, *hanoi.projections):
        hanoi.follower(each).catch_up()


def people(hanoi: House) -> None:
    for number in range(PHONES):
        phone = NewSubscriber(
            token=f"tok-{number}",
            token_kind="token",
            platform="android",
            phone=f"+8491200{number:04}",
            home="00001",
        )
        hanoi.registry.register(phone, clock())


def issue(hanoi: House) -> UUID:
    said = content(channels=(Channel.PUSH, Channel.SMS), severity=Severity.EXTREME)
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, said, at=clock()).id
    hanoi.alerts.submit(author(PHUC_XA), alert, at=clock())
    hanoi.alerts.approve(approver(PHUC_XA), alert, at=clock())
    hanoi.alerts.issue(author(PHUC_XA), alert, at=clock())
    return alert


def test_what_may_have_gone_by_sms_is_set_aside_and_pushes_go_on(hanoi: House, city_database: str) -> None:
    people(hanoi)
    alert = issue(hanoi)
    follow(hanoi)
    with hanoi.pool.connection() as conn:
        first, _ = (each for each in fanout.undone(conn) if each.channel is Channel.SMS)
    # In the copy some have an answer already; whom the carrier put off may have been tried again since.
    hanoi.ledger.claim(first, clock())
    done = [Result(rank, Outcome.ACCEPTED) for rank in (0, 1, 2)]
    hanoi.ledger.progress(first, 1, [*done, Result(3, Outcome.DEFERRED, "BUSY", retry_after=5.0)], [4, 5])
    code, said = restored(city_database, "--reason", "Máy chủ chính hỏng")
    assert code == 0, said
    assert f"{PHONES - 3} recipients by SMS, of 2 orders" in said
    assert "BROADCASTER_FEED_EPOCH to 2" in said
    follow(hanoi)
    with hanoi.pool.connection() as conn:
        assert {each.channel for each in fanout.undone(conn)} == {Channel.PUSH}
        by_channel = {each.channel: each for each in reach.of_alert(conn, alert)}
        letters = letters_view.find(conn, alert_id=alert, state="open", limit=9)
    sms = by_channel[Channel.SMS]
    assert (sms.totals.accepted, sms.totals.dead, sms.totals.in_flight) == (3, PHONES - 3, 0)
    assert sms.totals.unknown == PHONES - 3
    assert sum(letter.count for letter in letters) == PHONES - 3
    assert by_channel[Channel.PUSH].totals.in_flight == PHONES
    noted = [each.event for each in hanoi.log.everything() if isinstance(each.event, HouseRestored)]
    assert [(each.orders, each.recipients, each.reason) for each in noted] == [
        (2, PHONES - 3, "Máy chủ chính hỏng")
    ]
    # Once more finds nothing more.
    code, said = restored(city_database, "--reason", "lần nữa")
    assert (code, "0 recipients by SMS, of 0 orders" in said) == (0, True)


def test_an_audience_that_was_not_fixed_in_the_copy_is_set_aside_too(
    hanoi: House, city_database: str
) -> None:
    people(hanoi)
    issue(hanoi)
    code, said = restored(city_database, "--reason", "hỏng đĩa")
    assert (code, f"{PHONES} recipients by SMS, of 2 orders" in said) == (0, True)


def test_what_ran_out_is_left_to_be_closed_as_that(hanoi: House) -> None:
    people(hanoi)
    issue(hanoi)
    follow(hanoi)
    with hanoi.pool.connection() as conn:
        orders = fanout.undone(conn)
    assert set_aside(hanoi.ledger, orders, clock() + timedelta(days=2)) == SetAside()


def test_it_is_refused_while_a_role_runs_and_without_a_reason(hanoi: House, city_database: str) -> None:
    issue(hanoi)
    head = hanoi.log.head()
    listener = Listener(hanoi.pool, "event_log", lambda _: None)
    listener.start()
    try:
        until(
            lambda: (
                "connected are: broadcaster listen event_log" in restored(city_database, "--reason", "x")[1]
            )
        )
    finally:
        listener.stop()
    for reason in ("", "a\x07b", "x" * 501):
        code, said = restored(city_database, "--reason", reason)
        assert (code, said) == (2, "broadcaster: --reason: 1 to 500 characters, no control characters\n")
    assert hanoi.log.head() == head
