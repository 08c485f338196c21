"""Fanout on the real log: who gets what, once."""

from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pyroaring import BitMap64

from projections.fanout import view
from projections.fanout.projection import Fanout
from projections.follower import Follower
from schemas.content import Channel, Lane
from schemas.dispatch import Dispatch, Later, Outcome, Receipt
from schemas.events import Actor, AudienceFrozen, Event, ReceiptRecorded
from tests.following import AT, Alert, Registry, World, audience, frozen, receipt, world
from tests.unit.schemas.examples import CONTENT

HOMES = {"00001": set(range(1000)), "00004": set(range(1000, 1200)), "00007": set(range(5000, 5100))}
MOVED = CONTENT.model_copy(update={"areas": ("00004", "00007")})


@pytest.fixture
def here(database: str) -> Iterator[World]:
    with world(database) as made:
        yield made


@pytest.fixture
def registry() -> Registry:
    return Registry(dict(HOMES))


@pytest.fixture
def fanout(registry: Registry) -> Fanout:
    return Fanout(registry.census, frozen)


def audiences(here: World) -> dict[tuple[int, str], AudienceFrozen]:
    events = [recorded.event for recorded in here.log.read(0, 1000, [AudienceFrozen.TOPIC])]
    return {(e.version, e.channel): e for e in events if isinstance(e, AudienceFrozen)}


def members(event: AudienceFrozen) -> set[int]:
    return set(BitMap64.deserialize(b64decode(event.bitmap)))


def test_an_issued_alert_is_frozen_and_sliced_for_each_channel(here: World, fanout: Fanout) -> None:
    alert = Alert()
    here.append(*alert.issue())
    assert here.follower(fanout).catch_up() == 6
    found = audiences(here)
    assert set(found) == {(1, "push"), (1, "sms")}
    push, sms = found[1, "push"], found[1, "sms"]
    assert members(push) == HOMES["00001"] | HOMES["00004"]
    assert push.by_area == {"00001": 1000, "00004": 200}
    assert push.by.account == "system:fanout"
    dispatches = view.undone(here.conn)
    assert [d.last - d.first for d in dispatches] == [500, 500, 200, *[50] * 12]
    assert {d.audience_id for d in dispatches} == {push.originator_id, sms.originator_id}
    kept = view.audience(here.conn, push.originator_id)
    assert kept is not None
    assert (kept.alert_id, kept.channel, kept.count) == (alert.id, Channel.PUSH, 1200)
    assert set(BitMap64.deserialize(kept.bitmap)) == members(push)
    assert view.audience(here.conn, alert.id) is None


def test_an_update_and_a_cancel_reach_all_before_them(here: World, fanout: Fanout) -> None:
    alert = Alert()
    follower = here.follower(fanout)
    here.append(*alert.issue())
    follower.catch_up()
    here.append(*alert.update(MOVED.model_copy(update={"channels": (Channel.PUSH,)})))
    follower.catch_up()
    here.append(alert.cancelled(AT))
    follower.catch_up()
    found = audiences(here)
    assert set(found) == {(1, "push"), (1, "sms"), (2, "push"), (3, "push"), (3, "sms")}
    assert members(found[2, "push"]) == set(range(1200)) | HOMES["00007"]
    assert members(found[3, "push"]) == members(found[2, "push"])
    assert members(found[3, "sms"]) == members(found[1, "sms"])
    assert found[3, "sms"].expires_at == AT + timedelta(hours=24)


def test_issue_update_and_cancel_in_one_page_are_as_in_many(here: World, registry: Registry) -> None:
    alert = Alert()
    here.append(*alert.issue(), *alert.update(MOVED), alert.cancelled(AT))
    here.follower(Fanout(registry.census, frozen)).catch_up()
    found = audiences(here)
    assert members(found[2, "push"]) == members(found[3, "push"]) == set(range(1200)) | HOMES["00007"]


def test_a_rebuild_before_the_cancel_was_seen_still_finds_the_audience(here: World, fanout: Fanout) -> None:
    alert = Alert()
    here.append(*alert.issue(), alert.cancelled(AT))
    # The follower got as far as the issue; its audiences lie in the log behind the cancel.
    log = here.log
    early = Follower(
        here.pool,
        fanout,
        read=lambda after, limit, topics: [r for r in log.read(after, limit, topics) if r.position <= 4],
        append_in=log.append_in,
        head=lambda: 4,
        clock=lambda: AT,
    )
    follower = here.follower(fanout)
    assert early.catch_up() == 4
    assert [event.TOPIC for _, _, event in log.read(4, 9)] == ["alert.cancelled", *["audience.frozen"] * 2]
    follower.rebuild()
    found = audiences(here)
    assert members(found[2, "push"]) == members(found[1, "push"]) == set(range(1200))


def test_a_cancel_without_audience_sends_nothing(here: World, fanout: Fanout) -> None:
    alert = Alert(content=CONTENT.model_copy(update={"channels": (Channel.LED,)}))
    here.append(*alert.issue(), alert.cancelled())
    assert here.follower(fanout).catch_up() == 5
    assert audiences(here) == {}


def test_an_empty_audience_is_frozen_and_orders_nothing(here: World, fanout: Fanout) -> None:
    alert = Alert(content=CONTENT.model_copy(update={"areas": ("99999",)}))
    here.append(*alert.issue())
    here.follower(fanout).catch_up()
    assert [event.count for event in audiences(here).values()] == [0, 0]
    assert view.undone(here.conn) == []


def test_receipts_end_dispatches_and_deferred_ranks_go_on(here: World, fanout: Fanout) -> None:
    follower = here.follower(fanout)
    here.append(audience(1100, lane=Lane.EMERGENCY), audience(10))
    follower.catch_up()
    first, second, third, other = view.undone(here.conn)
    here.append(receipt(first), receipt(second, deferred=(501, 999)))
    follower.catch_up()
    follow_up = second.follow_up((501, 999), AT)
    assert view.undone(here.conn) == [third, other, follow_up]
    assert view.undone(here.conn, lane=Lane.EMERGENCY, limit=9) == [third, follow_up]
    assert view.undone(here.conn, lane=Lane.EMERGENCY, limit=1) == [third]
    outcomes = here.rows(
        "SELECT outcome FROM fanout_dispatches WHERE outcome IS NOT NULL ORDER BY position, seq"
    )
    assert outcomes == [({"accepted": 500},), ({"accepted": 498, "deferred": 2},)]
    assert here.rows(
        "SELECT position, seq FROM fanout_dispatches WHERE dispatch_id = %s", follow_up.id
    ) == [(4, 0)]


def parted(order: Dispatch, first: tuple[int, ...], *later: tuple[int, ...]) -> ReceiptRecorded:
    """Nobody was reached; who of them waits how long."""
    ranks = tuple(sorted(rank for group in (first, *later) for rank in group))
    dead = len(order.ranks) - len(ranks)
    counts = {Outcome.DEFERRED: len(ranks), Outcome.DEAD: dead}
    return ReceiptRecorded(
        originator_id=order.id,
        originator_version=1,
        by=Actor(account="system:worker:push"),
        receipt=Receipt(
            dispatch=order,
            counts={outcome: count for outcome, count in counts.items() if count},
            deferred=ranks,
            retry_at=AT,
            dead=tuple(set(order.ranks) - set(ranks)) if dead < len(order.ranks) else (),
            later=tuple(
                Later(retry_at=AT + timedelta(minutes=n), ranks=group) for n, group in enumerate(later, 1)
            ),
            bound={"a": ranks[:2]},
        ),
    )


def test_those_who_wait_longer_go_by_orders_of_their_own(here: World, fanout: Fanout) -> None:
    follower = here.follower(fanout)
    here.append(audience(10))
    follower.catch_up()
    (whole,) = view.undone(here.conn)
    # The slice's lowest rank is among those who wait longer: its own line's id must not be theirs.
    here.append(parted(whole, (2, 3), (0, 1), (4, 5, 6)))
    follower.catch_up()
    first, second, third = view.undone(here.conn)
    assert (first.only, second.only, third.only) == ((2, 3), (0, 1), (4, 5, 6))
    assert first == whole.follow_up((2, 3), AT)
    assert second.bound == {"a": (0, 1)}
    assert third.not_before == AT + timedelta(minutes=2)
    here.append(parted(first, (3,), (2,)), parted(second, (0,), (1,)), receipt(third, deferred=(6,)))
    follower.catch_up()
    again = view.undone(here.conn)
    assert [one.only for one in again] == [(3,), (2,), (0,), (1,), (6,)]
    every = [whole, first, second, third, *again, again[3].replay((1,)), again[2].replay((0,))]
    assert len({one.id for one in every}) == len(every)
    before, head = here.dump(fanout), here.log.head()
    follower.rebuild()
    assert (here.dump(fanout), here.log.head()) == (before, head)


@pytest.mark.parametrize("page", [1, 3, 2000])
def test_a_rebuild_takes_no_census_and_ends_in_the_same_rows(
    here: World, fanout: Fanout, registry: Registry, page: int
) -> None:
    alert, brief = Alert(), Alert(content=MOVED)
    follower = here.follower(fanout, page=page)
    steps: list[list[Event]] = [
        [*alert.issue(), *brief.issue()],
        [*alert.update(MOVED)],
        [brief.cancelled()],
    ]
    for events in steps:
        here.append(*events)
        follower.catch_up()
        here.append(*(receipt(d, deferred=d.ranks[:1]) for d in view.undone(here.conn)[:3]))
        follower.catch_up()
    asked, head, before = registry.asked, here.log.head(), here.dump(fanout)
    registry.homes.clear()
    assert follower.rebuild() == head
    assert (registry.asked, here.log.head()) == (asked, head)
    assert here.dump(fanout) == before
    assert len(before["fanout_dispatches"]) > 20
