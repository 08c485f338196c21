"""A view made anew beside the one in use: whole for its readers all the while, or as it was."""

import threading
from collections.abc import Iterator, Sequence
from uuid import uuid4

import psycopg
import pytest

from projections import beside
from projections.follower import RebuildError
from projections.follower_group import FollowerGroup
from projections.projection import Transaction
from schemas.events import AlertSubmitted, Recorded
from tests.following import BY, World, world
from tests.waiting import PATIENCE, until


@pytest.fixture
def here(database: str) -> Iterator[World]:
    with world(database) as made:
        yield made


class Ledger:
    """A row for each event. May be held at a position, or fail there."""

    name = "ledger"
    tables: tuple[str, ...] = ("ledger",)
    topics = frozenset({AlertSubmitted.TOPIC})
    ddl = "CREATE TABLE IF NOT EXISTS ledger (position bigint, word text)"

    def __init__(self, word: str = "first", revision: int = 0) -> None:
        self.word, self.revision = word, revision
        self.hold_at: int | None = None
        self.poison: int | None = None
        self.held, self.go = threading.Event(), threading.Event()

    def apply(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        for position, _, _ in page:
            if position == self.hold_at:
                self.held.set()
                assert self.go.wait(PATIENCE)
            if position == self.poison:
                raise ValueError("no such thing")
            tx.cursor.execute("INSERT INTO ledger VALUES (%s, %s)", (position, self.word))


def grow(here: World, count: int) -> None:
    stream = uuid4()
    here.append(
        *(
            AlertSubmitted(originator_id=stream, originator_version=n, by=BY, version=1)
            for n in range(1, count + 1)
        )
    )


def shown(here: World) -> list[tuple[object, ...]]:
    return here.rows("SELECT position, word FROM ledger ORDER BY position")


def rows(word: str, count: int) -> list[tuple[object, ...]]:
    return [(n, word) for n in range(1, count + 1)]


def leftovers(here: World) -> list[tuple[object, ...]]:
    return here.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rebuilding%%'")


def test_readers_see_the_old_view_whole_until_the_new_one_is(here: World) -> None:
    here.follower(Ledger()).catch_up()
    grow(here, 30)
    running = here.follower(Ledger(), page=10)
    running.catch_up()
    renewed = Ledger("second")
    renewed.hold_at = 15
    rebuilding = here.follower(renewed, page=10)
    thread = threading.Thread(target=rebuilding.rebuild)
    thread.start()
    assert renewed.held.wait(PATIENCE)
    # So often that the question is a prepared one, which outlives the tables that it was prepared for.
    for _ in range(10):
        assert shown(here) == rows("first", 30)
    # What comes meanwhile is in the view in use at once, and in the new one when it takes its place.
    grow(here, 5)
    running.catch_up()
    assert shown(here) == rows("first", 35)
    renewed.go.set()
    thread.join(PATIENCE)
    assert shown(here) == rows("second", 35)
    assert leftovers(here) == []


def test_beside_running_followers_each_event_is_in_it_once(here: World) -> None:
    grow(here, 100)
    running, rebuilding = here.follower(Ledger(), page=9), here.follower(Ledger(), page=7)
    with FollowerGroup(here.pool, [running], poll=0.01):
        for _ in range(3):
            grow(here, 10)
            rebuilding.rebuild()
        until(lambda: running.standing().lag == 0)
    assert shown(here) == rows("first", 130)


def test_who_comes_second_waits_and_both_end_in_the_same_rows(here: World) -> None:
    grow(here, 30)
    here.follower(Ledger()).catch_up()
    threads = [threading.Thread(target=here.follower(Ledger(word)).rebuild) for word in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert shown(here) in [rows("one", 30), rows("two", 30)]
    assert leftovers(here) == []


def test_an_event_that_cannot_be_applied_leaves_the_view_as_it_is(here: World) -> None:
    grow(here, 30)
    here.follower(Ledger()).catch_up()
    sick = Ledger("second")
    sick.poison = 15
    with pytest.raises(RebuildError, match=r"ledger is not rebuilt: event 15: .*no such thing"):
        here.follower(sick, page=10).rebuild()
    assert shown(here) == rows("first", 30)
    assert leftovers(here) == []
    grow(here, 1)
    here.follower(Ledger()).catch_up()
    assert len(shown(here)) == 31


def test_it_lifts_a_stop_and_goes_on_beyond_it(here: World) -> None:
    sick = Ledger()
    sick.poison = 2
    grow(here, 3)
    follower = here.follower(sick)
    follower.catch_up()
    assert follower.standing().stopped_at == 2
    sick.poison = None
    assert follower.rebuild() == 3
    assert shown(here) == rows("first", 3)
    assert follower.standing().error is None


def test_what_a_killed_one_left_is_in_nobodys_way(here: World) -> None:
    grow(here, 3)
    here.conn.execute("CREATE SCHEMA rebuilding_ledger CREATE TABLE ledger (position bigint)")
    assert here.follower(Ledger()).rebuild() == 3
    assert shown(here) == rows("first", 3)
    assert leftovers(here) == []


def test_a_reader_that_does_not_end_keeps_the_view(
    here: World, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "LOCK_WAIT", "10ms")
    monkeypatch.setattr("projections.follower.TRIES", 2)
    grow(here, 3)
    follower = here.follower(Ledger())
    follower.catch_up()
    with psycopg.connect(database) as reader:
        reader.execute("SELECT count(*) FROM ledger")
        with pytest.raises(RebuildError, match="being read"):
            here.follower(Ledger("second")).rebuild()
        assert shown(here) == rows("first", 3)
    here.follower(Ledger("second")).rebuild()
    assert shown(here) == rows("second", 3)


def test_rows_of_another_shape_are_left_alone_until_they_are_made_anew(here: World) -> None:
    grow(here, 3)
    old, new = here.follower(Ledger()), here.follower(Ledger("second", revision=1))
    old.catch_up()
    grow(here, 1)
    assert new.standing().stale
    assert new.catch_up() == 3
    assert shown(here) == rows("first", 3)
    assert new.rebuild() == 4
    assert shown(here) == rows("second", 4)
    # An older program that still runs does not write into them.
    grow(here, 1)
    assert old.standing().stale
    assert old.catch_up() == 4
    assert old.catch_up(hasty=True) == 4
    assert new.catch_up() == 5
    assert shown(here) == rows("second", 5)


def test_a_running_older_follower_stops_at_the_moment_of_the_change(here: World) -> None:
    grow(here, 20)
    old, new = here.follower(Ledger(), page=3), here.follower(Ledger("second", revision=1), page=3)
    old.catch_up()
    with FollowerGroup(here.pool, [old], poll=0.01):
        grow(here, 20)
        new.rebuild()
        grow(here, 20)
        new.catch_up()
        until(lambda: new.standing().lag == 0)
    assert shown(here) == rows("second", 60)
