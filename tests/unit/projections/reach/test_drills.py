"""Exercises and tests run the real road, and are in no total but their own."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from psycopg import Connection

from projections.projection import Row
from projections.reach import view
from projections.reach.projection import Reach
from projections.reach.view import Totals
from schemas.content import Channel, Mode
from schemas.dispatch import Outcome
from tests.unit.projections.reach.test_reach import SCREEN, dispatch, freeze, receive, show
from tests.unit.projections.story import Story, fold, opened, rebuild

REAL, LATER = UUID(int=1), UUID(int=3)
DRILLS = {UUID(int=2): Mode.EXERCISE, UUID(int=4): Mode.TEST}


@pytest.fixture
def conn(database: str) -> Iterator[Connection[Row]]:
    with opened(database, Reach()) as conn:
        yield conn


def go_out(story: Story, alert: UUID, mode: Mode, people: int) -> None:
    """On every channel, to as many people as there are ranks in a slice."""
    story.issue_as(alert, "so-y-te", mode=mode)
    for channel in (Channel.PUSH, Channel.SMS):
        freeze(story, people, channel, alert)
        order = dispatch(0, people, channel, alert)
        receive(story, order, {Outcome.ACCEPTED: people - 1, Outcome.DEAD: 1}, unknown=1)
    show(story, SCREEN, (alert, 1))


def told() -> Story:
    story = Story()
    go_out(story, REAL, Mode.ACTUAL, 10)
    for drill, mode in DRILLS.items():
        go_out(story, drill, mode, 4)
    go_out(story, LATER, Mode.ACTUAL, 5)
    return story


def test_totals_are_of_what_is_meant(conn: Connection[Row]) -> None:
    fold(conn, Reach(), told().log)
    totals = view.totals_by_channel(conn)
    both = Totals(audience=15, accepted=13, dead=2, unknown=2)
    assert totals == {Channel.PUSH: both, Channel.SMS: both, Channel.LED: Totals(screens=2)}


def test_each_tells_its_own(conn: Connection[Row]) -> None:
    fold(conn, Reach(), told().log)
    for drill in DRILLS:
        own = {one.channel: one.totals for one in view.of_alert(conn, drill)}
        assert own[Channel.PUSH] == own[Channel.SMS] == Totals(audience=4, accepted=3, dead=1, unknown=1)
        assert own[Channel.LED] == Totals(screens=1)
        assert len(view.showings(conn, drill)) == 1


def test_its_receipts_are_left_out_for_who_says_so(conn: Connection[Row]) -> None:
    fold(conn, Reach(), told().log)
    push = Channel.PUSH
    assert [row.alert_id for row in view.recent(conn, push)] == [LATER, *reversed(DRILLS), REAL]
    assert [row.alert_id for row in view.recent(conn, push, drills=False)] == [LATER, REAL]
    assert [row.alert_id for row in view.recent(conn, drills=False, limit=2)] == [LATER, LATER]


def test_rows_do_not_depend_on_pages(conn: Connection[Row]) -> None:
    story = told()
    whole = rebuild(conn, Reach(), story.log, 1000)
    assert {row[0] for row in whole["reach_drills"]} == set(DRILLS)
    assert rebuild(conn, Reach(), story.log, 1) == whole
    assert rebuild(conn, Reach(), story.log, 3) == whole
