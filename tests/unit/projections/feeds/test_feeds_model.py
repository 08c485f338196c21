"""Any story at all: feeds hold what a plain reading of the log says, whatever the pages."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from channels.led.draw import Artist
from projections.feeds.projection import Feeds
from projections.feeds.view import Feed, all_feeds
from projections.projection import Row
from schemas.content import Channel
from tests.unit.projections.story import AREAS_2020, Story, fold, opened, rebuild

PARENTS = {area.code: area.parent_code for area in AREAS_2020}
CODES = sorted(PARENTS)
PROFILES = ("m96x32-1", "lcd1920")


ARTIST = Artist()


@dataclass
class Told:
    """A story that keeps what a reader would say is on the screens."""

    story: Story = field(default_factory=Story)
    live: dict[UUID, tuple[int, tuple[str, ...]]] = field(default_factory=dict[UUID, Any])
    gone: dict[UUID, tuple[int, tuple[str, ...], Any]] = field(default_factory=dict[UUID, Any])
    screens: dict[UUID, tuple[str, str]] = field(default_factory=dict[UUID, Any])
    revs: Counter[UUID] = field(default_factory=Counter[UUID])

    def step(self, what: str, pick: int, areas: list[str], hours: int) -> None:
        """One thing that happens, some hours after the last."""
        self.story.wait(hours=hours)
        alerts = sorted(self.revs)
        alert = alerts[pick % len(alerts)] if alerts else None
        if what == "issue":
            self._issue(None, areas, led=True)
        elif what == "screen":
            place = (areas[0], PROFILES[pick % 2])
            self.screens[self.story.screen(*place)] = place
        elif what == "take down" and self.screens:
            screen = sorted(self.screens)[pick % len(self.screens)]
            del self.screens[screen]
            self.story.take_down(screen)
        elif alert is not None:
            self._end(what, alert, pick, areas)

    def _issue(self, alert: UUID | None, areas: list[str], *, led: bool) -> None:
        channels = (Channel.PUSH, Channel.LED) if led else (Channel.PUSH,)
        told = self.story.issue(alert_id=alert, areas=tuple(areas), channels=channels)
        self.revs[told] += 1
        self.live.pop(told, None)
        if led:
            self.live[told] = (self.revs[told], tuple(areas))

    def _end(self, what: str, alert: UUID, pick: int, areas: list[str]) -> None:
        if what == "update":
            self._issue(alert, areas, led=pick % 3 > 0)
            return
        del self.revs[alert]
        _, where = self.live.pop(alert, (0, None))
        if what == "expire":
            self.story.expire(alert)
        else:
            self.story.cancel(alert)
            if where is not None:
                rev: Any = self.story.log[-1].event
                self.gone[alert] = (rev.version, where, self.story.at)

    def expected(self) -> dict[tuple[str, str], tuple[set[Any], set[Any]]]:
        """Items and, within a day, what was cancelled, for each pair."""
        found: dict[tuple[str, str], tuple[set[Any], set[Any]]] = {}
        for area, profile in self.screens.values():
            above = {area}
            at = PARENTS[area]
            while at is not None:
                above.add(at)
                at = PARENTS[at]
            items = {(str(one), rev) for one, (rev, areas) in self.live.items() if above & set(areas)}
            late = self.story.at - timedelta(hours=24)
            gone = {
                (str(one), rev)
                for one, (rev, areas, when) in self.gone.items()
                if above & set(areas) and when > late
            }
            found[area, profile] = (items, gone)
        return found


steps = st.lists(
    st.tuples(
        st.sampled_from(("issue", "update", "cancel", "expire", "screen", "screen", "take down")),
        st.integers(0, 50),
        st.lists(st.sampled_from(CODES), min_size=1, max_size=3, unique=True),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=25,
)
unhurried = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def conn(database: str) -> Any:
    with opened(database, Feeds(ARTIST)) as conn:
        yield conn


def content(feed: Feed) -> tuple[set[Any], set[Any]]:
    told = json.loads(feed.body)
    ids = tuple({(one["id"], one["rev"]) for one in told[part]} for part in ("items", "cancelled"))
    return ids[0], ids[1]


@unhurried
@given(steps=steps)
def test_feeds_hold_what_a_reader_says(conn: Connection[Row], steps: list[Any]) -> None:
    told = Told()
    told.story.adopt()
    rebuild(conn, Feeds(ARTIST), told.story.log, 1)
    before: dict[tuple[str, str], Feed] = {}
    for step in steps:
        known = len(told.story.log)
        told.step(*step)
        fold(conn, Feeds(ARTIST), told.story.log[known:])
        after = {(feed.area, feed.profile): feed for feed in all_feeds(conn)}
        expected = told.expected()
        assert after.keys() == expected.keys()
        for pair, feed in after.items():
            items, gone = content(feed)
            assert items == expected[pair][0]
            # A feed names what was cancelled until its next change after a day.
            assert gone >= expected[pair][1]
            old = before.get(pair)
            if old is None or feed.seq != old.seq:
                assert feed.seq == len(told.story.log)
                assert gone == expected[pair][1]
                assert old is None or content(old) != (items, gone)
            else:
                assert feed == old
        before = after


@unhurried
@given(steps=steps, page=st.integers(2, 9))
def test_rows_are_those_of_any_other_pages(conn: Connection[Row], steps: list[Any], page: int) -> None:
    told = Told()
    told.story.adopt()
    for step in steps:
        told.step(*step)
    whole = rebuild(conn, Feeds(ARTIST), told.story.log, 1000)
    assert rebuild(conn, Feeds(ARTIST), told.story.log, 1) == whole
    assert rebuild(conn, Feeds(ARTIST), told.story.log, page) == whole
