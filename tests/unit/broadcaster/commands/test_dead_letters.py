"""Dead letters on the real log: who may settle one, when it is refused, and what is sent again."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from broadcaster.commands.dead_letters import DeadLetterCommands
from broadcaster.log import UnknownStreamError
from broadcaster.registry.subscribers import NewSubscriber
from broadcaster.rules import RefusedError, Rule
from broadcaster.runtime import House, clock
from projections.fanout import view as fanout
from projections.reach import letters_view
from projections.reach import view as reach
from schemas.content import Channel
from schemas.dispatch import Dispatch, Outcome, Receipt
from schemas.events import AttemptRefused
from tests.house import PHUC_XA, TRUC_BACH, approver, author, content, end, house, manager


@pytest.fixture
def hanoi(city_database: str) -> Iterator[House]:
    with house(city_database) as opened:
        yield opened


@pytest.fixture
def dispatch(hanoi: House) -> Dispatch:
    """The one slice of an alert to four phones; two of them were given up."""
    for number in range(4):
        phone = NewSubscriber(token=f"tok-{number}", token_kind="token", platform="android", home="00001")
        hanoi.registry.register(phone, clock())
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, content(channels=(Channel.PUSH,)), at=clock())
    hanoi.alerts.submit(author(PHUC_XA), alert.id, at=clock())
    hanoi.alerts.approve(approver(PHUC_XA), alert.id, at=clock())
    hanoi.alerts.issue(author(PHUC_XA), alert.id, at=clock())
    follow(hanoi)
    (one,) = undone(hanoi)
    counts = {Outcome.ACCEPTED: 2, Outcome.DEAD: 2}
    receipt = Receipt(dispatch=one, counts=counts, dead=(1, 3), by_area={"00001": counts})
    end(hanoi, receipt)
    follow(hanoi)
    return one


def follow(hanoi: House) -> None:
    for name in ("fanout", "reach"):
        follower = hanoi.follower(hanoi.projection(name))
        while follower.catch_up() < hanoi.log.head():
            pass


def undone(hanoi: House) -> list[Dispatch]:
    with hanoi.pool.connection() as conn:
        return fanout.undone(conn)


def commands(hanoi: House) -> DeadLetterCommands:
    return DeadLetterCommands(hanoi.office)


def test_a_replay_orders_just_those_given_up(hanoi: House, dispatch: Dispatch) -> None:
    event = commands(hanoi).replay(manager(PHUC_XA), dispatch.id, "Nhà mạng đã thông", at=clock())
    follow(hanoi)
    assert undone(hanoi) == [event.dispatch]
    again = event.dispatch
    assert (again.only, again.attempt, again.replay_of) == ((1, 3), 1, dispatch.id)
    assert again.id not in {dispatch.id, dispatch.follow_up((1, 3), clock()).id}
    assert [each.rank for each in hanoi.ledger.recipients(again, again.ranks)] == [1, 3]
    end(hanoi, Receipt(dispatch=again, counts={Outcome.ACCEPTED: 2}))
    follow(hanoi)
    with hanoi.pool.connection() as conn:
        (whole,) = reach.of_alert(conn, dispatch.alert_id)
        letter = letters_view.one(conn, dispatch.id)
    assert (whole.totals.accepted, whole.totals.dead, whole.totals.in_flight) == (4, 0, 0)
    assert letter is not None
    assert (letter.state, letter.settled_by) == ("replayed", "manager@ubnd-00001")


def test_it_is_settled_once(hanoi: House, dispatch: Dispatch) -> None:
    commands(hanoi).write_off(manager(PHUC_XA), dispatch.id, "Đã báo qua loa", at=clock())
    for settle in (commands(hanoi).replay, commands(hanoi).write_off):
        with pytest.raises(RefusedError, match="written off already") as refused:
            settle(manager(PHUC_XA), dispatch.id, "x", at=clock())
        assert refused.value.rule is Rule.STATE
    follow(hanoi)
    assert undone(hanoi) == []
    with hanoi.pool.connection() as conn:
        (whole,) = reach.of_alert(conn, dispatch.alert_id)
    assert (whole.totals.dead, whole.totals.written_off) == (2, 2)


@pytest.mark.parametrize("who", [author(PHUC_XA), approver(PHUC_XA), manager(TRUC_BACH)])
def test_only_managers_of_the_alerts_body_settle_it(hanoi: House, dispatch: Dispatch, who: object) -> None:
    head = hanoi.log.head()
    with pytest.raises(RefusedError):
        commands(hanoi).replay(who, dispatch.id, "x", at=clock())  # type: ignore[arg-type]
    (refusal,) = [one.event for one in hanoi.log.read(head, 10)]
    assert isinstance(refusal, AttemptRefused)
    assert (refusal.command, refusal.alert_id) == ("replay dead letter", dispatch.alert_id)


def test_what_is_moot_or_late_is_not_replayed(hanoi: House, dispatch: Dispatch) -> None:
    late = dispatch.expires_at + timedelta(seconds=1)
    with pytest.raises(RefusedError, match="it expired at"):
        commands(hanoi).replay(manager(PHUC_XA), dispatch.id, "x", at=late)
    hanoi.alerts.cancel(author(PHUC_XA), dispatch.alert_id, "đã an toàn", in_error=False, at=clock())
    with pytest.raises(RefusedError, match="version 1 is no longer the alert's word, 2 is"):
        commands(hanoi).replay(manager(PHUC_XA), dispatch.id, "x", at=clock())
    commands(hanoi).write_off(manager(PHUC_XA), dispatch.id, "Đã huỷ", at=clock())


def test_what_is_superseded_after_the_replay_is_not_sent(hanoi: House, dispatch: Dispatch) -> None:
    again = commands(hanoi).replay(manager(PHUC_XA), dispatch.id, "x", at=clock()).dispatch
    assert hanoi.ledger.message(again) is not None
    hanoi.alerts.cancel(author(PHUC_XA), dispatch.alert_id, "đã an toàn", in_error=False, at=clock())
    assert hanoi.ledger.message(again) is None


def test_there_is_no_letter_where_nobody_was_given_up(hanoi: House, dispatch: Dispatch) -> None:
    again = commands(hanoi).replay(manager(PHUC_XA), dispatch.id, "x", at=clock()).dispatch
    end(hanoi, Receipt(dispatch=again, counts={Outcome.ACCEPTED: 2}))
    for other in (again.id, dispatch.alert_id, dispatch.audience_id):
        with pytest.raises(UnknownStreamError, match="there is no dead letter"):
            commands(hanoi).replay(manager(PHUC_XA), other, "x", at=clock())


def test_an_old_receipt_that_tells_no_ranks_can_only_be_written_off(
    hanoi: House, dispatch: Dispatch
) -> None:
    other = dispatch.model_copy(update={"id": dispatch.alert_id.__class__(int=77)})
    end(hanoi, Receipt(dispatch=other, counts={Outcome.ACCEPTED: 3, Outcome.DEAD: 1}))
    with pytest.raises(RefusedError, match="does not tell whom"):
        commands(hanoi).replay(manager(PHUC_XA), other.id, "x", at=clock())
    assert commands(hanoi).write_off(manager(PHUC_XA), other.id, "x", at=clock()).count == 1
