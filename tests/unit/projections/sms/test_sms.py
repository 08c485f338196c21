"""The SMS view on a real database."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import Connection

from projections.projection import Row
from projections.sms import view
from projections.sms.projection import Sms
from projections.sms.view import Carried
from schemas.content import Channel, Lane
from schemas.dispatch import Dispatch, Fate, Outcome, Receipt
from schemas.events import ReceiptRecorded, SmsDelivered
from schemas.ids import audience_id, dispatch_id
from schemas.local_time import HANOI
from tests.unit.projections.story import AT, Story, dump, fold, opened, rebuild

END = AT + timedelta(hours=12)


@pytest.fixture
def conn(database: str) -> Iterator[Connection[Row]]:
    with opened(database, Sms()) as conn:
        yield conn


def record(story: Story, alert: UUID, first: int, channel: Channel = Channel.SMS, **said: Any) -> None:
    dispatch = Dispatch(
        id=dispatch_id(alert, 1, channel, first, 1),
        alert_id=alert,
        version=1,
        channel=channel,
        lane=Lane.ALERT,
        audience_id=audience_id(alert, 1, channel),
        first=first,
        last=first + 10,
        expires_at=END,
    )
    told: dict[str, Any] = {"counts": {Outcome.ACCEPTED: 10}, "provider": "a"}
    story.tell(ReceiptRecorded, dispatch.id, receipt=Receipt(dispatch=dispatch, **(told | said)))


def hear(story: Story, alert: UUID, provider: str = "a", **counts: int) -> None:
    fates = {Fate(name): count for name, count in counts.items()}
    story.tell(SmsDelivered, uuid4(), alert_id=alert, version=1, provider=provider, counts=fates)


def tale() -> tuple[Story, UUID, UUID]:
    story = Story()
    story.body("so-y-te")
    one, other = story.issue(), story.issue()
    record(story, one, 0, segments=30, cost=9000)
    both = {"a": (10, 11, 12), "b": (13, 14)}
    some = {Outcome.ACCEPTED: 5, Outcome.GONE: 5}
    record(story, one, 10, counts=some, carried=both, segments=10, cost=4000)
    record(story, one, 20, counts={Outcome.REFUSED: 10}, provider="sms")
    record(story, one, 0, Channel.PUSH)
    hear(story, one, delivered=7, failed=1)
    hear(story, one, delivered=2)
    hear(story, one, "b", expired=2)
    story.wait(days=1)
    record(story, other, 0, segments=11, cost=1100)
    record(story, one, 30, segments=1, cost=100)
    return story, one, other


def test_by_provider_what_it_took_and_what_it_said(conn: Connection[Row]) -> None:
    story, one, other = tale()
    fold(conn, Sms(), story.log)
    assert view.of_alert(conn, one) == [Carried(1, "a", 23, 9, 1, 0), Carried(1, "b", 2, 0, 0, 2)]
    assert view.of_alert(conn, other) == [Carried(1, "a", 10, 0, 0, 0)]
    assert view.of_alert(conn, UUID(int=404)) == []


def test_what_a_body_spent_on_a_day(conn: Connection[Row]) -> None:
    story, one, other = tale()
    fold(conn, Sms(), story.log)
    day = AT.astimezone(HANOI).date()
    assert view.spent(conn, "so-y-te", day) == {(one, 1): (40, 13_000)}
    tomorrow = day + timedelta(days=1)
    assert view.spent(conn, "so-y-te", tomorrow) == {(one, 1): (1, 100), (other, 1): (11, 1100)}
    assert view.spent(conn, "ubnd-tp", day) == {}


@pytest.mark.parametrize("page", [1, 3])
def test_a_rebuild_in_any_pages_is_the_same(conn: Connection[Row], page: int) -> None:
    story, _, _ = tale()
    fold(conn, Sms(), story.log)
    rows = dump(conn, Sms())
    assert rebuild(conn, Sms(), story.log, page) == rows
