"""The reach view on a real database."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from projections.projection import Row
from projections.reach import letters_view, view
from projections.reach.projection import Reach
from projections.reach.view import Totals
from schemas.content import Channel, Lane
from schemas.dispatch import Dispatch, Outcome, Receipt
from schemas.events import AudienceFrozen, ReceiptRecorded, ScreenShowed
from schemas.ids import audience_id, dispatch_id
from tests.unit.projections.story import AT, Story, fold, opened, rebuild

ALERT = UUID(int=1)
OTHER = UUID(int=2)
SCREEN = UUID(int=101)
END = AT + timedelta(hours=12)


@pytest.fixture
def conn(database: str) -> Iterator[Connection[Row]]:
    with opened(database, Reach()) as conn:
        yield conn


def freeze(story: Story, count: int, channel: Channel = Channel.PUSH, alert: UUID = ALERT) -> None:
    story.tell(
        AudienceFrozen,
        audience_id(alert, 1, channel),
        alert_id=alert,
        version=1,
        channel=channel,
        lane=Lane.ALERT,
        count=count,
        sha256="9f" * 32,
        bitmap="",
        by_area={},
        slice_size=10,
        expires_at=END,
    )


def dispatch(first: int, last: int, channel: Channel = Channel.PUSH, alert: UUID = ALERT) -> Dispatch:
    return Dispatch(
        id=dispatch_id(alert, 1, channel, first, 1),
        alert_id=alert,
        version=1,
        channel=channel,
        lane=Lane.ALERT,
        audience_id=audience_id(alert, 1, channel),
        first=first,
        last=last,
        expires_at=END,
    )


def receive(story: Story, order: Dispatch, counts: dict[Outcome, int], **fields: Any) -> None:
    receipt = Receipt(dispatch=order, counts=counts, **fields)
    story.tell(ReceiptRecorded, order.id, receipt=receipt)


def show(story: Story, screen: UUID, *shown: tuple[UUID, int]) -> None:
    told = tuple({"alert_id": alert, "version": version} for alert, version in shown)
    story.tell(ScreenShowed, screen, shown=told)


def told() -> Story:
    """One alert by push in three slices, one deferred in part; another by SMS; screens."""
    story = Story()
    freeze(story, 30)
    story.wait(seconds=1)
    receive(
        story,
        dispatch(0, 10),
        {Outcome.ACCEPTED: 7, Outcome.GONE: 1, Outcome.DEFERRED: 2},
        deferred=(8, 9),
        retry_at=END,
        reasons={"UNAVAILABLE": 2, "UNREGISTERED": 1},
        provider="fcm",
    )
    receive(story, dispatch(10, 20), {Outcome.ACCEPTED: 10}, provider="fcm", unknown=3)
    freeze(story, 10, Channel.SMS, OTHER)
    story.wait(seconds=1)
    receive(
        story,
        dispatch(0, 10).follow_up((8, 9), END),
        {Outcome.ACCEPTED: 1, Outcome.DEAD: 1},
        reasons={"UNAVAILABLE": 1},
        provider="fcm",
    )
    receive(
        story,
        dispatch(0, 10, Channel.SMS, OTHER),
        {Outcome.REFUSED: 2, Outcome.EXPIRED: 3, Outcome.SUPERSEDED: 5},
        reasons={"ESME_RINVDSTADR": 2},
        provider="smsc",
    )
    show(story, SCREEN, (ALERT, 1), (OTHER, 1))
    story.wait(seconds=1)
    show(story, UUID(int=102), (ALERT, 1))
    show(story, SCREEN, (ALERT, 1), (ALERT, 2))
    return story


def test_the_deferred_count_when_their_follow_up_ends(conn: Connection[Row]) -> None:
    story = told()
    fold(conn, Reach(), story.log[:2])
    (first,) = view.of_alert(conn, ALERT)
    assert first.totals == Totals(audience=30, accepted=7, gone=1)
    assert first.totals.in_flight == 22
    fold(conn, Reach(), story.log[2:])
    push = next(one for one in view.of_alert(conn, ALERT) if one.channel is Channel.PUSH)
    assert push.totals == Totals(audience=30, accepted=18, gone=1, dead=1, unknown=3)
    assert (push.totals.final, push.totals.in_flight) == (20, 10)
    assert push.reasons == {"UNAVAILABLE": 3, "UNREGISTERED": 1}
    assert push.frozen_at == AT
    assert push.last_receipt_at == AT + timedelta(seconds=2)


def test_screens_count_once_each_from_when_they_first_showed_it(conn: Connection[Row]) -> None:
    fold(conn, Reach(), told().log)
    reach = {(one.version, one.channel): one.totals for one in view.of_alert(conn, ALERT)}
    assert reach[1, Channel.LED] == Totals(screens=2)
    assert reach[2, Channel.LED] == Totals(screens=1)
    first, second, third = view.showings(conn, ALERT)
    assert (first.screen_id, first.version, first.shown_at) == (SCREEN, 1, AT + timedelta(seconds=2))
    assert {second.screen_id, third.screen_id} == {SCREEN, UUID(int=102)}


def test_channels_are_summed_over_all_alerts(conn: Connection[Row]) -> None:
    assert set(view.totals_by_channel(conn).values()) == {Totals()}
    fold(conn, Reach(), told().log)
    totals = view.totals_by_channel(conn)
    assert totals[Channel.SMS] == Totals(audience=10, refused=2, expired=3, superseded=5)
    assert totals[Channel.SMS].in_flight == 0
    assert totals[Channel.PUSH].accepted == 18
    assert totals[Channel.LED] == Totals(screens=4)


def test_the_last_receipts_come_first(conn: Connection[Row]) -> None:
    fold(conn, Reach(), told().log)
    rows = view.recent(conn)
    assert [(row.channel, row.first, row.attempt) for row in rows] == [
        (Channel.SMS, 0, 1),
        (Channel.PUSH, 0, 2),
        (Channel.PUSH, 10, 1),
        (Channel.PUSH, 0, 1),
    ]
    assert rows[3].counts == {Outcome.ACCEPTED: 7, Outcome.GONE: 1, Outcome.DEFERRED: 2}
    assert (rows[3].provider, rows[3].recorded_at) == ("fcm", AT + timedelta(seconds=1))
    assert [row.position for row in view.recent(conn, Channel.PUSH, limit=1)] == [rows[1].position]


def test_dead_letters_are_found(conn: Connection[Row]) -> None:
    fold(conn, Reach(), told().log)
    (dead,) = letters_view.find(conn)
    assert (dead.count, dead.attempt, dead.reasons) == (1, 2, {"UNAVAILABLE": 1})
    assert dead.dispatch_id == dispatch_id(ALERT, 1, Channel.PUSH, 0, 2)
    # A receipt from before the dead were listed: whom it gave up is not known.
    assert not dead.replayable


def test_what_a_provider_makes_up_does_not_stop_the_view(conn: Connection[Row]) -> None:
    story = Story()
    receive(story, dispatch(0, 1), {Outcome.DEAD: 1}, reasons={"a\0b": 1, "x" * 9000: 2}, provider="\0")
    show(story, SCREEN, (ALERT, 1))
    fold(conn, Reach(), story.log)
    reach = {one.channel: one for one in view.of_alert(conn, ALERT)}
    assert reach[Channel.PUSH].reasons == {"a\N{REPLACEMENT CHARACTER}b": 1, "x" * 120: 2}
    assert reach[Channel.LED].totals.screens == 1


def test_rows_do_not_depend_on_pages(conn: Connection[Row]) -> None:
    story = told()
    for number in range(20):
        receive(story, dispatch(20 + number, 21 + number), {Outcome.ACCEPTED: 1}, reasons={"A": number})
        show(story, UUID(int=200 + number % 3), (ALERT, 1))
    whole = rebuild(conn, Reach(), story.log, 1000)
    assert len(whole["reach_receipts"]) == 24
    assert rebuild(conn, Reach(), story.log, 1) == whole
    assert rebuild(conn, Reach(), story.log, 7) == whole
