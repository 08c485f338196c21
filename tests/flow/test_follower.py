"""Followers on the real log: each event once, whatever fails."""

import threading
from collections.abc import Iterator, Sequence
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from projections.follower_group import FollowerGroup
from projections.projection import Transaction
from schemas.events import AlertExpired, AlertSubmitted, Event, Recorded
from tests.following import BY, World, backends, kill, world
from tests.waiting import until


@pytest.fixture
def here(database: str) -> Iterator[World]:
    with world(database) as made:
        yield made


class Tally:
    """Notes the position of each event it gets, without a key: twice would show."""

    topics = frozenset({AlertSubmitted.TOPIC})

    def __init__(self, name: str = "tally") -> None:
        self.name = name
        self.tables = (name,)
        self.ddl = f"CREATE TABLE IF NOT EXISTS {name} (position bigint, version int)"
        self.poison: int | None = None

    def apply(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        for position, _, event in page:
            tx.cursor.execute(
                f"INSERT INTO {self.name} VALUES (%s, %s)".encode(), (position, event.originator_version)
            )
            if position == self.poison:
                raise ValueError("no such \0 \ud800 thing")


class Heavy(Tally):
    """Finds the third event as heavy as a page, and notes how many came together."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[int] = []

    def weigh(self, event: Event) -> int:
        return 9 if event.originator_version == 3 else 1

    def apply(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        super().apply(tx, page)
        self.pages.append(len(page))


class Echo(Tally):
    """Answers each event with another, and may fail after that."""

    broken = False

    def apply(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        super().apply(tx, page)
        tx.emit([AlertExpired(originator_id=uuid4(), originator_version=1, by=BY, version=1) for _ in page])
        if self.broken:
            raise ValueError("after emit")


def submitted(count: int) -> list[AlertSubmitted]:
    stream = uuid4()
    return [
        AlertSubmitted(originator_id=stream, originator_version=n, by=BY, version=1)
        for n in range(1, count + 1)
    ]


def other() -> AlertExpired:
    return AlertExpired(originator_id=uuid4(), originator_version=1, by=BY, version=1)


def positions(here: World, name: str = "tally") -> list[int]:
    return [row[0] for row in here.rows(f"SELECT position FROM {name} ORDER BY position")]


def test_the_position_passes_over_events_of_other_topics(here: World) -> None:
    follower = here.follower(Tally(), page=2)
    here.append(other(), *submitted(3), other(), other())
    assert follower.catch_up() == 6
    assert positions(here) == [2, 3, 4]
    assert follower.standing().lag == 0
    here.append(other())
    assert follower.standing().lag == 1
    assert follower.catch_up() == 7


def test_a_heavy_event_gets_a_page_of_its_own(here: World) -> None:
    heavy = Heavy()
    here.append(*submitted(8), other())
    assert here.follower(heavy, page=4).catch_up() == 9
    assert heavy.pages == [2, 1, 4, 1]
    assert positions(here) == list(range(1, 9))


def test_two_followers_apply_each_event_once(here: World) -> None:
    here.append(*submitted(300))
    followers = [here.follower(Tally(), page=7) for _ in range(2)]
    threads = [threading.Thread(target=follower.catch_up) for follower in followers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert positions(here) == list(range(1, 301))


def test_nothing_is_missed_while_writers_append(here: World) -> None:
    follower = here.follower(Tally(), page=5)

    def write() -> None:
        for event in submitted(40):
            here.append(event)
            here.append(other())

    writers = [threading.Thread(target=write) for _ in range(4)]
    with FollowerGroup(here.pool, [follower]):
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        until(lambda: follower.standing().lag == 0)
    found = here.rows("SELECT position FROM events WHERE topic = 'alert.submitted' ORDER BY position")
    assert positions(here) == [row[0] for row in found]
    assert len(found) == 160


def test_a_poisoned_event_stops_its_own_projection_after_all_before_it(here: World) -> None:
    sick, well = Tally("sick"), Tally("well")
    sick.poison = 5
    with (
        capture_logs() as logs,
        FollowerGroup(here.pool, [here.follower(sick), here.follower(well)]) as group,
    ):
        here.append(*submitted(9))
        until(lambda: any(state.stopped_at for state in group.states()))
        until(lambda: positions(here, "well") == list(range(1, 10)))
        stopped, other = group.states()
        assert (stopped.position, stopped.stopped_at, stopped.lag) == (4, 5, 5)
        assert stopped.error == "ValueError: no such \N{REPLACEMENT CHARACTER} ? thing"
        assert (other.position, other.stopped_at, other.error) == (9, None, None)
        assert positions(here, "sick") == [1, 2, 3, 4]
        sick.poison = None
        assert group.resume("sick")
        until(lambda: positions(here, "sick") == list(range(1, 10)))
        assert not group.resume("sick")
    stops = [line for line in logs if line["event"] == "projection_stopped"]
    assert [(line["log_level"], line["projection"], line["position"]) for line in stops] == [
        ("error", "sick", 5)
    ]


def test_a_stopped_projection_stays_stopped_for_a_new_follower(here: World) -> None:
    sick = Tally()
    sick.poison = 2
    here.append(*submitted(3))
    assert here.follower(sick).catch_up() == 1
    healed = here.follower(Tally())
    assert healed.catch_up() == 1
    assert healed.resume()
    assert healed.catch_up() == 3
    assert positions(here) == [1, 2, 3]


# Alone, last of a full page, amid one, and in one that is not full.
@pytest.mark.parametrize("page", [1, 2, 5, 2000])
def test_a_row_that_cannot_be_read_stops_the_projection_before_it(here: World, page: int) -> None:
    here.append(*submitted(5))
    here.rows("UPDATE events SET state = '{}' WHERE position = 4 RETURNING 1")
    follower = here.follower(Tally(), page)
    assert follower.catch_up() == 3
    standing = follower.standing()
    assert standing.stopped_at == 4
    assert standing.error is not None
    assert "by" in standing.error
    assert positions(here) == [1, 2, 3]


def test_what_is_emitted_is_appended_with_the_rows_or_not_at_all(here: World) -> None:
    echo = Echo()
    echo.broken = True
    here.append(*submitted(2))
    follower = here.follower(echo)
    assert follower.catch_up() == 0
    assert here.log.head() == 2
    assert positions(here) == []
    echo.broken = False
    follower.resume()
    assert follower.catch_up() == 4
    assert [recorded.event.TOPIC for recorded in here.log.read(2, 10)] == ["alert.expired"] * 2
    assert positions(here) == [1, 2]


def test_a_killed_listener_is_replaced(here: World, database: str) -> None:
    follower = here.follower(Tally())
    # So long a poll that only the listener can wake it within the test's time.
    with FollowerGroup(here.pool, [follower], poll=600):
        first = until(lambda: backends(database, "broadcaster listen event_log"))
        here.append(*submitted(1))
        until(lambda: positions(here) == [1])
        kill(database, first)
        until(lambda: set(backends(database, "broadcaster listen event_log")) - set(first))
        here.append(*submitted(1))
        until(lambda: positions(here) == [1, 2])


def test_killed_connections_cost_no_event(here: World, database: str) -> None:
    follower = here.follower(Tally(), page=3)
    here.append(*submitted(200))
    with FollowerGroup(here.pool, [follower], poll=0.05):
        for share in range(1, 6):
            until(lambda share=share: len(positions(here)) >= share * 20)
            kill(database, backends(database, ""))
        until(lambda: positions(here) == list(range(1, 201)))


def test_stop_is_quick_and_may_be_repeated(here: World, database: str) -> None:
    group = FollowerGroup(here.pool, [here.follower(Tally())], poll=600)
    group.start()
    until(lambda: backends(database, "broadcaster listen event_log"))
    group.stop()  # Its poll is ten minutes long, and no test takes as much.
    group.stop()
    here.append(*submitted(1))
    assert [state.position for state in group.states()] == [0]
    FollowerGroup(here.pool, []).stop()


def test_one_that_lingers_for_more_is_hurried_by_what_is_urgent(here: World, database: str) -> None:
    class Both(Tally):
        topics = frozenset({AlertSubmitted.TOPIC, AlertExpired.TOPIC})

    with FollowerGroup(
        here.pool, [here.follower(Both())], poll=600, linger={"tally": 600}, urgent={AlertExpired.TOPIC}
    ):
        until(lambda: backends(database, "broadcaster listen event_log"))
        here.append(*submitted(1))
        here.append(other())
        until(lambda: positions(here) == [1, 2])


def test_many_events_at_once_wake_who_follows_any_of_them(here: World, database: str) -> None:
    with FollowerGroup(here.pool, [here.follower(Tally())], poll=600):
        until(lambda: backends(database, "broadcaster listen event_log"))
        here.append(other())
        here.append(*[other() for _ in range(40)], *submitted(1))
        until(lambda: positions(here) == [42])
