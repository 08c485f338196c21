"""Budgets and receipts on the real log: decided once, counted once."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from broadcaster.account import Role
from broadcaster.commands.sms_budgets import SmsBudgetCommands
from broadcaster.delivery.sms_desk import BUDGET
from broadcaster.registry.subscribers import NewSubscriber
from broadcaster.runtime import SYSTEM, House, clock
from broadcaster.sms_budget import budget_stream, day_of
from channels.gateway import Message
from channels.sms.receipts import About, Batch, Sent, Told
from projections.fanout import view as fanout
from schemas.content import Channel, Kind, Lane, MsgType
from schemas.dispatch import Dispatch, Fate, Outcome, Receipt
from schemas.events import (
    Actor,
    SmsBudgetExceeded,
    SmsBudgetReserved,
    SmsBudgetSet,
    SmsBudgetStopped,
    SmsDelivered,
)
from tests.house import PHUC_XA, approver, author, awake, content, end, house

CITY = Actor(account="manager@ubnd-tp", body="ubnd-tp")
PHONES = 5


@pytest.fixture
def hanoi(city_database: str) -> Iterator[House]:
    with house(city_database, sms_price=100) as opened:
        opened.setup.grant(SYSTEM, CITY.account, "ubnd-tp", Role.MANAGER, at=clock())
        for number in range(PHONES):
            phone = NewSubscriber(phone=f"+8491234567{number}", home="00001")
            opened.registry.register(phone, clock())
        awake(opened, PHUC_XA)
        yield opened


def issue(hanoi: House, kind: Kind) -> tuple[Dispatch, Message]:
    """The one slice of an item by SMS, and what it says."""
    said = content(channels=(Channel.SMS,), kind=kind)
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, said, at=clock()).id
    hanoi.alerts.submit(author(PHUC_XA), alert, at=clock())
    hanoi.alerts.approve(approver(PHUC_XA), alert, at=clock())
    hanoi.alerts.issue(author(PHUC_XA), alert, at=clock())
    return dispatched(hanoi, alert)


def dispatched(hanoi: House, alert: UUID) -> tuple[Dispatch, Message]:
    hanoi.follower(hanoi.projection("fanout")).catch_up()
    with hanoi.pool.connection() as conn:
        dispatch = [one for one in fanout.undone(conn) if one.alert_id == alert][-1]
    message = hanoi.ledger.message(dispatch)
    assert message is not None
    return dispatch, message


def bound(hanoi: House, segments: int | None) -> None:
    commands = SmsBudgetCommands(hanoi.office)
    commands.set(CITY, PHUC_XA, segments=segments, vnd=None, at=clock())


def decisions(hanoi: House) -> list[type]:
    stream = budget_stream(PHUC_XA)
    events = [one.event for one in hanoi.log.everything() if one.event.originator_id == stream]
    return [type(event) for event in events if not isinstance(event, SmsBudgetSet)]


def test_a_bulletin_that_does_not_fit_stops_and_an_alert_does_not(hanoi: House) -> None:
    first, second, alert = (
        issue(hanoi, Kind.BULLETIN),
        issue(hanoi, Kind.BULLETIN),
        issue(hanoi, Kind.ALERT),
    )
    assert hanoi.sms_budgets.refusal(*first, clock()) == "", "no budget, no bound"
    bound(hanoi, 1_000)
    assert hanoi.sms_budgets.refusal(*first, clock()) == ""
    taken = hanoi.sms_budgets.of(PHUC_XA).used(day_of(clock()), {}).segments
    assert taken >= PHONES
    bound(hanoi, taken)
    assert hanoi.sms_budgets.refusal(*second, clock()) == BUDGET
    assert hanoi.sms_budgets.refusal(*second, clock()) == BUDGET
    assert hanoi.sms_budgets.refusal(*alert, clock()) == ""
    assert hanoi.sms_budgets.refusal(*first, clock()) == "", "what was decided stands"
    assert decisions(hanoi) == [SmsBudgetReserved, SmsBudgetStopped, SmsBudgetExceeded]


def test_slices_at_once_come_to_one_decision(hanoi: House) -> None:
    dispatch, message = issue(hanoi, Kind.BULLETIN)
    bound(hanoi, 0)
    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(hanoi.sms_budgets.refusal, [dispatch] * 8, [message] * 8, [clock()] * 8))
    assert said == [BUDGET] * 8
    assert decisions(hanoi) == [SmsBudgetStopped]


def test_what_receipts_say_was_spent_counts(hanoi: House) -> None:
    dispatch, message = issue(hanoi, Kind.BULLETIN)
    spent = Receipt(
        dispatch=dispatch, counts={Outcome.ACCEPTED: PHONES}, provider="smpp", segments=90, cost=9000
    )
    end(hanoi, spent)
    hanoi.follower(hanoi.projection("sms")).catch_up()
    bound(hanoi, 92)
    other, said = issue(hanoi, Kind.BULLETIN)
    assert hanoi.sms_budgets.refusal(other, said, clock()) == BUDGET
    tomorrow = clock() + timedelta(days=1)
    again = other.model_copy(update={"version": 2})
    assert hanoi.sms_budgets.refusal(again, message, tomorrow) == ""


def test_a_withdrawal_follows_what_it_withdraws(hanoi: House) -> None:
    dispatch, message = issue(hanoi, Kind.BULLETIN)
    bound(hanoi, 0)
    assert hanoi.sms_budgets.refusal(dispatch, message, clock()) == BUDGET
    cancel = replace(message, msg_type=MsgType.CANCEL, version=2)
    second = dispatch.model_copy(update={"version": 2, "lane": Lane.BULLETIN})
    assert hanoi.sms_budgets.refusal(second, cancel, clock()) == BUDGET, "nobody got what it withdraws"
    other, _ = issue(hanoi, Kind.BULLETIN)
    second = other.model_copy(update={"version": 2})
    assert hanoi.sms_budgets.refusal(second, cancel, clock()) == "", "it went out before there was a budget"


ALERT = UUID(int=9)
ABOUT = About(ALERT, 1, "a")


def batch(*, sent: str = "", told: str = "", counts: int = 0) -> Batch:
    return Batch(
        tuple(Sent("a", one, ALERT, 1) for one in sent),
        tuple(Told("a", one, Fate.DELIVERED) for one in told),
        {ABOUT: Counter({Fate.FAILED: counts})} if counts else {},
    )


def told(hanoi: House) -> list[dict[Fate, int]]:
    return [dict(one.event.counts) for one in hanoi.log.everything() if isinstance(one.event, SmsDelivered)]


def test_receipts_are_counted_once_in_few_events(hanoi: House) -> None:
    note = hanoi.sms_receipts.note
    assert note(batch(sent="abcdef")) == []
    assert told(hanoi) == []
    assert note(batch(told="abx", counts=3)) == [Told("a", "x", Fate.DELIVERED)]
    assert told(hanoi) == [{Fate.DELIVERED: 2, Fate.FAILED: 3}]
    assert [one.message_id for one in note(batch(told="ab"))] == ["a", "b"], "said again: not counted again"
    assert note(batch(sent="x", told="x")) == []
    assert len(told(hanoi)) == 2
    with hanoi.pool.connection() as conn:
        left = conn.execute("SELECT message_id FROM sms_awaited ORDER BY 1").fetchall()
    assert left == [("c",), ("d",), ("e",), ("f",)]


def test_what_is_never_told_is_forgotten(hanoi: House) -> None:
    hanoi.sms_receipts.note(batch(sent="ab"))
    with hanoi.pool.connection() as conn:
        conn.execute("UPDATE sms_awaited SET sent_at = sent_at - interval '4 days' WHERE message_id = 'a'")
    hanoi.sms_receipts.note(batch(sent="c"))
    assert [one.message_id for one in hanoi.sms_receipts.note(batch(told="abc"))] == ["a"]


def test_a_version_that_went_out_before_there_was_a_budget_is_withdrawn(hanoi: House) -> None:
    """Though a later one was stopped, by which nobody got anything."""
    first, message = issue(hanoi, Kind.BULLETIN)
    assert hanoi.sms_budgets.refusal(first, message, clock()) == ""
    bound(hanoi, 0)
    second = first.model_copy(update={"version": 2})
    assert hanoi.sms_budgets.refusal(second, replace(message, version=2), clock()) == BUDGET
    third, cancel = (
        first.model_copy(update={"version": 3}),
        replace(message, msg_type=MsgType.CANCEL, version=3),
    )
    assert hanoi.sms_budgets.refusal(third, cancel, clock()) == ""


def test_what_was_stopped_halfway_is_withdrawn(hanoi: House) -> None:
    dispatch, message = issue(hanoi, Kind.BULLETIN)
    some = Receipt(dispatch=dispatch, counts={Outcome.ACCEPTED: PHONES}, provider="smpp")
    end(hanoi, some)
    hanoi.follower(hanoi.projection("sms")).catch_up()
    bound(hanoi, 0)
    assert hanoi.sms_budgets.refusal(dispatch, message, clock()) == BUDGET, "to all others"
    second = dispatch.model_copy(update={"version": 2})
    cancel = replace(message, msg_type=MsgType.CANCEL, version=2)
    assert hanoi.sms_budgets.refusal(second, cancel, clock()) == ""
