"""The workers' desk on the database: what a worker that dies leaves behind, and what the next one finds."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from broadcaster.alert import Alert
from broadcaster.registry.subscribers import NewSubscriber
from broadcaster.runtime import House, clock
from channels.delivery import Delivery
from channels.desk import HoldLostError
from channels.gateway import Message, Recipient, Result
from projections.fanout import view as fanout
from schemas.content import Channel, MsgType
from schemas.dispatch import Dispatch, Outcome, Receipt
from schemas.events import AudienceFrozen
from schemas.ids import audience_id
from tests.house import PHUC_XA, approver, author, content, house
from tests.unit.channels.test_delivery import ScriptedGateway
from tests.waiting import until


@pytest.fixture
def hanoi(city_database: str) -> Iterator[House]:
    with house(city_database) as opened:
        yield opened


def issue(hanoi: House, alert: UUID) -> Alert:
    hanoi.alerts.submit(author(PHUC_XA), alert, at=clock())
    hanoi.alerts.approve(approver(PHUC_XA), alert, at=clock())
    issued = hanoi.alerts.issue(author(PHUC_XA), alert, at=clock())
    hanoi.follower(hanoi.projection("fanout")).catch_up()
    return issued


@pytest.fixture
def dispatch(hanoi: House) -> Dispatch:
    """The one slice of an alert to five phones."""
    for number in range(5):
        phone = NewSubscriber(token=f"tok-{number}", token_kind="token", platform="android", home="00001")
        hanoi.registry.register(phone, clock())
    alert = hanoi.alerts.draft(author(PHUC_XA), PHUC_XA, content(channels=(Channel.PUSH,)), at=clock())
    issue(hanoi, alert.id)
    with hanoi.pool.connection() as conn:
        (one,) = fanout.undone(conn)
    return one


def accepted(*ranks: int) -> list[Result]:
    return [Result(rank, Outcome.ACCEPTED) for rank in ranks]


def receipt(dispatch: Dispatch, **counts: int) -> Receipt:
    return Receipt(dispatch=dispatch, counts={Outcome(name): count for name, count in counts.items()})


def test_a_claim_finds_what_its_predecessor_noted_and_what_is_in_doubt(
    hanoi: House, dispatch: Dispatch
) -> None:
    first = hanoi.ledger.claim(dispatch, clock())
    assert (first.done, first.claims, first.noted, first.in_doubt) == (False, 1, (), frozenset())
    hanoi.ledger.progress(dispatch, 1, [], [0, 1])
    refused = Result(1, Outcome.REFUSED, "WHY", retry_after=2.5, ambiguous=True)
    assert first.via == ""
    hanoi.ledger.progress(dispatch, 1, [*accepted(0), refused], [2, 3], "viettel")
    second = hanoi.ledger.claim(dispatch, clock())
    assert second.claims == 2
    assert second.noted == (*accepted(0), refused)
    assert (second.in_doubt, second.via) == ({2, 3}, "viettel")


def test_results_are_noted_while_others_are_still_in_doubt(hanoi: House, dispatch: Dispatch) -> None:
    hanoi.ledger.claim(dispatch, clock())
    hanoi.ledger.progress(dispatch, 1, [], [0, 1, 2, 3])
    hanoi.ledger.note([(dispatch, accepted(0, 1)), (dispatch, accepted(3))])
    found = hanoi.ledger.claim(dispatch, clock())
    assert (found.noted, found.in_doubt) == (tuple(accepted(0, 1, 3)), {2})


def cut(hanoi: House, which: str = "pid <> pg_backend_pid()") -> int:
    """The database ends sessions of the house, all of them for one; answers how many."""
    ours = f"SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND {which}"
    with psycopg.connect(str(hanoi.pool.conninfo), autocommit=True) as conn:
        return conn.execute(f"SELECT pg_terminate_backend(pid) FROM ({ours})".encode()).rowcount


def test_what_is_known_is_written_once_the_database_is_back(hanoi: House, dispatch: Dispatch) -> None:
    hanoi.ledger.claim(dispatch, clock())
    cut(hanoi)
    hanoi.ledger.progress(dispatch, 1, accepted(0, 1), [2, 3, 4])
    assert hanoi.ledger.claim(dispatch, clock()).in_doubt == {2, 3, 4}
    cut(hanoi)
    hanoi.ledger.close(receipt(dispatch, accepted=5), 2, [], clock())
    assert hanoi.ledger.claim(dispatch, clock()).done


@pytest.mark.parametrize("ask", ["claim", "message", "ahead", "recipients"])
def test_a_question_outlives_the_session_it_was_asked_in(
    hanoi: House, dispatch: Dispatch, ask: str
) -> None:
    """A database that shuts down ends what it is being asked: the dispatch in hand is not to stumble."""
    given = {"claim": (clock(),), "recipients": (dispatch.ranks,)}.get(ask, ())
    with psycopg.connect(str(hanoi.pool.conninfo)) as holder, ThreadPoolExecutor() as pool:
        # Nobody can read while this is held, so the question is under way when its session ends.
        holder.execute("LOCK TABLE events, ledger, subscribers IN ACCESS EXCLUSIVE MODE")
        answer = pool.submit(getattr(hanoi.ledger, ask), dispatch, *given)
        until(lambda: cut(hanoi, "wait_event_type = 'Lock'"))
        holder.rollback()
        answer.result(30)


def test_recipients_are_addressed_by_rank_and_who_left_is_absent(hanoi: House, dispatch: Dispatch) -> None:
    found = hanoi.ledger.recipients(dispatch, dispatch.ranks)
    assert [recipient.rank for recipient in found] == [0, 1, 2, 3, 4]
    assert sorted(recipient.address for recipient in found) == [f"tok-{n}" for n in range(5)]
    hanoi.registry.erase_addresses(Channel.PUSH, [(found[2].id, found[2].address)])
    assert hanoi.ledger.recipients(dispatch, (1, 2, 4)) == [found[1], found[4]]


def test_the_receipt_ends_it_once_and_erases_the_gone(hanoi: House, dispatch: Dispatch) -> None:
    hanoi.ledger.claim(dispatch, clock())
    gone = hanoi.ledger.recipients(dispatch, (3,))
    hanoi.ledger.close(receipt(dispatch, accepted=4, gone=1), 1, gone, clock())
    assert hanoi.ledger.claim(dispatch, clock()).done
    assert hanoi.registry.count()[Channel.PUSH] == 4
    head = hanoi.log.head()
    # Another worker held it too and comes late: the first receipt stands.
    with pytest.raises(HoldLostError):
        hanoi.ledger.close(receipt(dispatch, dead=5), 1, [], clock())
    assert hanoi.log.head() == head
    with hanoi.pool.connection() as conn:
        assert conn.execute("SELECT count(*) FROM ledger").fetchone() == (0,)


def test_only_the_latest_word_is_sent(hanoi: House, dispatch: Dispatch) -> None:
    message = hanoi.ledger.message(dispatch)
    assert message is not None
    assert message.msg_type is MsgType.ALERT
    assert message.issuer_name == "UBND phường Phúc Xá"
    alert = dispatch.alert_id
    new = content(channels=(Channel.PUSH,), expires_at=clock() + timedelta(hours=9))
    hanoi.alerts.propose_update(author(PHUC_XA), alert, new, at=clock())
    assert hanoi.ledger.message(dispatch) is not None, "an update in work changes nothing yet"
    issue(hanoi, alert)
    assert hanoi.ledger.message(dispatch) is None
    second = dispatch.model_copy(update={"version": 2})
    update = hanoi.ledger.message(second)
    assert update is not None
    assert update.msg_type is MsgType.UPDATE
    hanoi.alerts.cancel(author(PHUC_XA), alert, "đã an toàn", in_error=False, at=clock())
    assert hanoi.ledger.message(second) is None
    cancel = hanoi.ledger.message(dispatch.model_copy(update={"version": 3}))
    assert cancel is not None
    assert (cancel.msg_type, cancel.reason) == (MsgType.CANCEL, "đã an toàn")


def test_a_later_version_waits_for_what_is_under_way(hanoi: House, dispatch: Dispatch) -> None:
    second = dispatch.model_copy(update={"version": 2, "id": UUID(int=2)})
    other = second.model_copy(update={"channel": Channel.SMS})
    assert not hanoi.ledger.ahead(second)
    hanoi.ledger.claim(dispatch, clock())
    assert hanoi.ledger.ahead(second)
    assert not hanoi.ledger.ahead(dispatch)
    assert not hanoi.ledger.ahead(other)
    hanoi.ledger.close(receipt(dispatch, accepted=5), 1, [], clock())
    assert not hanoi.ledger.ahead(second)


@pytest.mark.parametrize(
    ("counts", "nothing"), [({"superseded": 5}, True), ({"superseded": 4, "accepted": 1}, False)]
)
def test_a_withdrawal_goes_to_slices_that_were_sent_something(
    hanoi: House, dispatch: Dispatch, counts: dict[str, int], *, nothing: bool
) -> None:
    cancel = dispatch.model_copy(update={"version": 2, "id": UUID(int=2)})
    assert hanoi.ledger.withdraws_nothing(cancel), "who claims the alert now will find it withdrawn"
    hanoi.ledger.claim(dispatch, clock())
    assert not hanoi.ledger.withdraws_nothing(cancel)
    hanoi.ledger.close(receipt(dispatch, **counts), 1, [], clock())
    assert hanoi.ledger.withdraws_nothing(cancel) == nothing
    assert not hanoi.ledger.withdraws_nothing(cancel.model_copy(update={"version": 3}))


def test_of_a_version_with_a_further_wave_all_are_told_that_it_is_withdrawn(
    hanoi: House, dispatch: Dispatch
) -> None:
    cancel = dispatch.model_copy(update={"version": 2})
    assert hanoi.ledger.withdraws_nothing(cancel)
    with hanoi.pool.connection() as conn, conn.cursor() as cursor:
        first = hanoi.log.event(cursor, dispatch.audience_id, 1)
    assert isinstance(first, AudienceFrozen)
    stream = audience_id(dispatch.alert_id, 1, dispatch.channel, 1)
    hanoi.log.append(
        [first.model_copy(update={"originator_id": stream, "wave": 1, "first": first.count})], at=clock()
    )
    assert not hanoi.ledger.withdraws_nothing(cancel), "its slices are no longer rank for rank"


def test_who_claims_while_another_closes_sends_to_nobody_again(hanoi: House, dispatch: Dispatch) -> None:
    hanoi.ledger.claim(dispatch, clock())
    hanoi.ledger.progress(dispatch, 1, accepted(0, 1, 2, 3, 4), [])
    has = hanoi.log.has

    def overtaken(stream: UUID, cursor: object = None) -> bool:
        answer = has(stream, cursor)  # type: ignore[arg-type]
        if not answer:
            with suppress(HoldLostError):
                hanoi.ledger.close(receipt(dispatch, accepted=5), 1, [], clock())
        return answer

    hanoi.log.has = overtaken  # type: ignore[method-assign]
    found = hanoi.ledger.claim(dispatch, clock())
    assert found.done or {result.rank for result in found.noted} == set(dispatch.ranks)


def test_whom_a_dead_worker_may_have_reached_is_told_of_the_withdrawal(
    hanoi: House, dispatch: Dispatch
) -> None:
    hanoi.ledger.claim(dispatch, clock())
    hanoi.ledger.progress(dispatch, 1, [], dispatch.ranks)
    # It died. Nothing of what it was sending is sent again, for that is withdrawn.
    alert = dispatch.alert_id
    hanoi.alerts.cancel(author(PHUC_XA), alert, "gửi nhầm", in_error=True, at=clock())
    hanoi.follower(hanoi.projection("fanout")).catch_up()
    with hanoi.pool.connection() as conn:
        (cancel,) = (one for one in fanout.undone(conn) if one.version == 2)
    gateway = ScriptedGateway(window=500)
    delivery = Delivery(hanoi.ledger, gateway, clock)
    asyncio.run(delivery.deliver(dispatch))
    assert gateway.reached == []
    ended = asyncio.run(delivery.deliver(cancel))
    assert ended is not None
    assert ended.counts == {Outcome.ACCEPTED: 5}


def test_who_was_held_up_sends_no_more_once_another_has_the_dispatch(
    hanoi: House, dispatch: Dispatch
) -> None:
    """The broker took it for dead and gave its dispatch to another, which ends it and owns up."""
    held_up = ScriptedGateway(window=2)
    other = ScriptedGateway(window=500)
    ours = Delivery(hanoi.ledger, held_up, clock)
    theirs = Delivery(hanoi.ledger, other, clock)

    send = held_up.send

    async def late(message: Message, recipients: Sequence[Recipient]) -> list[Result]:
        answers = await send(message, recipients)
        if len(held_up.reached) == 4:
            hanoi.ledger.claim(dispatch, clock())
        return answers

    held_up.send = late  # type: ignore[method-assign]
    with pytest.raises(HoldLostError):
        asyncio.run(ours.deliver(dispatch))
    ended = asyncio.run(theirs.deliver(dispatch))
    assert held_up.reached == [0, 1, 2, 3]
    assert other.reached == [2, 3, 4], "the two that it was sending to, and who was left"
    assert ended is not None
    assert (ended.counts, ended.unknown) == ({Outcome.ACCEPTED: 5}, 2)
    assert hanoi.ledger.claim(dispatch, clock()).done
