"""Reading the log a page ahead."""

from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Event
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.ahead import ReadAhead
from schemas.events import Actor, AlertExpired, Recorded
from tests.waiting import PATIENCE

AT = datetime(2026, 7, 10, 2, 0, tzinfo=UTC)


class Log:
    """A log in memory that counts how it is read."""

    def __init__(self, length: int) -> None:
        self.length, self.reads, self.broken_at = length, list[int](), -1
        self.twice = Event()

    def read(self, after: int, limit: int, topics: Sequence[str]) -> list[Recorded]:
        assert topics == ("t",)
        page = self._page(after, limit)
        self.reads.append(after)
        if len(self.reads) == 2:
            self.twice.set()
        return page

    def _page(self, after: int, limit: int) -> list[Recorded]:
        if after == self.broken_at:
            raise OSError("the database is away")
        return [event(position) for position in range(after + 1, min(after + limit, self.length) + 1)]


def event(position: int) -> Recorded:
    by = Actor(account="system:timekeeper")
    return Recorded(
        position, AT, AlertExpired(originator_id=UUID(int=position), originator_version=1, version=1, by=by)
    )


def positions(page: Sequence[Recorded]) -> list[int]:
    return [each.position for each in page]


@given(length=st.integers(0, 40), limits=st.lists(st.integers(1, 7), min_size=1, max_size=30))
def test_pages_are_those_of_the_log_itself(length: int, limits: list[int]) -> None:
    log, after = Log(length), 0
    with ReadAhead(log.read) as read:
        for limit in limits:
            page = read(after, limit, ("t",))
            assert positions(page) == positions(Log(length).read(after, limit, ("t",)))
            after = page[-1].position if page else after


def test_a_full_page_is_read_once_and_before_it_is_asked_for() -> None:
    log = Log(9)
    with ReadAhead(log.read) as read:
        read(0, 3, ("t",))
        read(3, 3, ("t",))
        read(6, 3, ("t",))
    assert log.reads[:3] == [0, 3, 6]


def test_a_page_that_was_short_when_read_ahead_is_read_again() -> None:
    log = Log(4)
    with ReadAhead(log.read) as read:
        assert positions(read(0, 3, ("t",))) == [1, 2, 3]
        assert log.twice.wait(PATIENCE), "nothing was read ahead"
        log.length = 5
        assert positions(read(3, 3, ("t",))) == [4, 5]


def test_what_fails_ahead_fails_only_for_who_asks() -> None:
    log = Log(9)
    log.broken_at = 3
    with ReadAhead(log.read) as read:
        assert positions(read(0, 3, ("t",))) == [1, 2, 3]
        with pytest.raises(OSError, match="away"):
            read(3, 3, ("t",))
        log.broken_at = -1
        assert positions(read(3, 3, ("t",))) == [4, 5, 6]
