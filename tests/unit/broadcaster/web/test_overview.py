"""Strips of days, and the month that is kept for the pages."""

from datetime import UTC, datetime, timedelta

from broadcaster.web.overview import Overview
from broadcaster.web.strips import Cell, since_of, strip
from projections.cadence.standing import Breach
from tests.unit.broadcaster.web.town import PHUC_XA, Town
from tests.waiting import until

NOON = datetime(2026, 11, 21, 5, tzinfo=UTC)
"""In Hanoi."""


def ago(days: float) -> datetime:
    return NOON - timedelta(days=days)


def test_an_item_outshines_being_overdue_on_its_day() -> None:
    row = strip([ago(1), ago(29), ago(30)], [Breach(ago(3), ago(1))], NOON)
    told = dict(enumerate(row.cells))
    assert [day for day, cell in told.items() if cell is Cell.ITEM] == [0, 28]
    assert [day for day, cell in told.items() if cell is Cell.OVERDUE] == [26, 27]
    assert (row.items, row.late, len(row.overdue)) == (2, 2, 3)
    assert sum(path.count("z") for _, path in row.paths) == len(row.cells) == 30


def test_days_are_those_of_hanoi() -> None:
    begins = since_of(NOON)
    assert begins == datetime(2026, 10, 22, 17, tzinfo=UTC)
    last = begins + timedelta(days=30)
    assert strip([last - timedelta.resolution], [], NOON).cells[29] is Cell.ITEM
    # A breach that ends at midnight sharp is no part of the day that begins.
    assert strip([], [Breach(begins, begins + timedelta(days=1))], NOON).late == 1


def test_a_month_is_kept_and_renewed(town: Town) -> None:
    town.later(days=5)
    town.catch_up()
    view = Overview(town.pool, town.book)
    first = view.month(town.now)
    assert first.bodies[PHUC_XA].figures.items == 0
    assert first.course([3])[-1] == 0
    town.issue()
    town.catch_up()
    assert view.month(town.now + timedelta(seconds=59)) is first
    # What is a minute old is shown once more, while another thread reckons it anew.
    at = town.now + timedelta(minutes=2)
    assert view.month(at) is first
    until(lambda: view.month(at) is not first)
    assert view.month(at).bodies[PHUC_XA].figures.items == 1
    assert view.month(at + timedelta(hours=1)).at == at + timedelta(hours=1)


def test_where_bodies_stand_is_never_old(town: Town) -> None:
    town.catch_up()
    view = Overview(town.pool, town.book)
    before = {body.issuer_id: body.last_item for body in view.standing(town.now)}
    town.issue()
    town.catch_up()
    after = {body.issuer_id: body.last_item for body in view.standing(town.now)}
    assert before[PHUC_XA] is None
    assert after[PHUC_XA] is not None
    due = {body.state for body in view.standing(town.now + timedelta(days=30))}
    assert due == {"overdue"}
