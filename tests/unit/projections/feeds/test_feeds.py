"""The feeds view on a real database."""

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import Connection

from channels.led.draw import Artist
from projections.feeds import view
from projections.feeds.projection import Feeds
from projections.feeds.render import etag
from projections.projection import Row
from schemas.content import Channel, Mode, Severity, Text
from tests.letters import with_small_letters
from tests.unit.projections.story import AREAS_2025, Story, fold, opened, rebuild
from tests.waiting import PATIENCE

ARTIST = Artist()
COMMUNE = "m96x32-1"
DISTRICT = "m192x96-1"


@pytest.fixture
def conn(database: str) -> Iterator[Connection[Row]]:
    with opened(database, Feeds(ARTIST)) as conn:
        yield conn


@pytest.fixture
def story() -> Story:
    """Screens in three communes of two districts, and one that is a district's."""
    story = Story()
    story.adopt()
    for area in ("00001", "00004", "00049"):
        story.screen(area)
    story.screen("001", DISTRICT)
    return story


def document(conn: Connection[Row], area: str, profile: str = COMMUNE) -> dict[str, Any]:
    feed = view.feed(conn, area, profile)
    assert feed is not None
    assert feed.etag == etag(feed.body)
    told = json.loads(feed.body)
    assert (told["area"], told["profile"], told["seq"]) == (area, profile, feed.seq)
    return told


def shown(conn: Connection[Row]) -> dict[str, list[UUID]]:
    """The alerts on each area's screens."""
    return {
        feed.area: [UUID(item["id"]) for item in json.loads(feed.body)["items"]]
        for feed in view.all_feeds(conn)
    }


def test_a_feed_begins_with_the_first_screen(conn: Connection[Row], story: Story) -> None:
    fold(conn, Feeds(ARTIST), story.log)
    assert document(conn, "00001")["items"] == []
    assert view.feed(conn, "00001", DISTRICT) is None
    assert view.feed(conn, "002", COMMUNE) is None


def test_alerts_go_down_the_tree_and_never_up(conn: Connection[Row], story: Story) -> None:
    city = story.issue(severity=Severity.EXTREME)
    district = story.issue(areas=("001",))
    commune = story.issue(areas=("00004",), severity=Severity.MINOR)
    fold(conn, Feeds(ARTIST), story.log)
    assert shown(conn) == {
        "00001": [city, district],
        "00004": [city, district, commune],
        "00049": [city],
        "001": [city, district],
    }


def test_an_alert_off_the_screens_is_not_shown(conn: Connection[Row], story: Story) -> None:
    story.issue(channels=(Channel.PUSH, Channel.SMS))
    fold(conn, Feeds(ARTIST), story.log)
    assert document(conn, "00001")["items"] == []
    assert document(conn, "00001")["seq"] == 2


def test_an_update_takes_the_place_of_what_it_updates(conn: Connection[Row], story: Story) -> None:
    alert = story.issue(areas=("00001", "00004"))
    texts = {"vi": Text(headline="Nước rút", description="Còn mưa.")}
    story.issue(alert_id=alert, areas=("00001", "00049"), texts=texts)
    fold(conn, Feeds(ARTIST), story.log)
    (item,) = document(conn, "00001")["items"]
    assert (item["id"], item["rev"], item["text"]) == (str(alert), 2, "Nước rút")
    assert shown(conn)["00004"] == []
    assert shown(conn)["00049"] == [alert]
    assert document(conn, "00004")["seq"] == len(story.log)


def test_an_update_can_leave_the_screens(conn: Connection[Row], story: Story) -> None:
    alert = story.issue()
    story.issue(alert_id=alert, channels=(Channel.PUSH,))
    fold(conn, Feeds(ARTIST), story.log)
    assert document(conn, "00001")["items"] == []


def test_what_is_cancelled_is_named_for_a_day(conn: Connection[Row], story: Story) -> None:
    first = story.issue(areas=("001",))
    story.cancel(first)
    fold(conn, Feeds(ARTIST), story.log)
    told = document(conn, "00001")
    assert (told["items"], told["cancelled"]) == ([], [{"id": str(first), "rev": 2}])
    assert document(conn, "00049")["cancelled"] == []
    before = len(story.log)
    # By the log's clock: a day alone changes no feed, the next change drops it.
    story.wait(hours=23)
    story.issue(areas=("00001",))
    story.wait(hours=1)
    story.issue(areas=("00004",))
    fold(conn, Feeds(ARTIST), story.log[before:])
    assert len(document(conn, "00001")["cancelled"]) == 1
    assert document(conn, "00004")["cancelled"] == []


def test_what_has_expired_leaves(conn: Connection[Row], story: Story) -> None:
    alert = story.issue(areas=("00001",))
    fold(conn, Feeds(ARTIST), story.log)
    story.expire(alert)
    fold(conn, Feeds(ARTIST), story.log[-1:])
    told = document(conn, "00001")
    assert (told["items"], told["cancelled"], told["seq"]) == ([], [], len(story.log))


def test_only_feeds_that_change_get_a_new_number(conn: Connection[Row], story: Story) -> None:
    fold(conn, Feeds(ARTIST), story.log)
    before = {feed.area: feed for feed in view.all_feeds(conn)}
    story.issue(areas=("00001",))
    story.screen("00004")
    fold(conn, Feeds(ARTIST), story.log[-2:])
    after = {feed.area: feed for feed in view.all_feeds(conn)}
    assert after.pop("00001").seq == len(story.log) - 1
    before.pop("00001")
    assert after == before


def test_changes_are_found_since_a_position(conn: Connection[Row], story: Story) -> None:
    start = len(story.log)
    story.issue(areas=("002",))
    story.issue(areas=("001",))
    fold(conn, Feeds(ARTIST), story.log)
    assert [feed.area for feed in view.changed_since(conn, start)] == ["00049", "00001", "00004", "001"]
    assert [feed.area for feed in view.changed_since(conn, start + 1)] == ["00001", "00004", "001"]
    assert view.changed_since(conn, start + 2) == []


def test_a_feed_goes_with_its_last_screen(conn: Connection[Row], story: Story) -> None:
    one, other = story.screen("00001", "lcd1920"), story.screen("00001", "lcd1920")
    story.take_down(one)
    fold(conn, Feeds(ARTIST), story.log)
    assert view.feed(conn, "00001", "lcd1920") is not None
    story.take_down(other)
    fold(conn, Feeds(ARTIST), story.log[-1:])
    assert view.feed(conn, "00001", "lcd1920") is None
    alert = story.issue()
    story.screen("00001", "lcd1920")
    fold(conn, Feeds(ARTIST), story.log[-2:])
    (item,) = document(conn, "00001", "lcd1920")["items"]
    assert item["id"] == str(alert)
    assert document(conn, "00001", "lcd1920")["seq"] == len(story.log)


@with_small_letters
def test_profiles_get_pages_of_their_own(conn: Connection[Row], story: Story) -> None:
    story.screen("00001", "m192x64-1")
    story.issue()
    fold(conn, Feeds(ARTIST), story.log)
    assert document(conn, "00001")["items"][0]["pages"][0]["lines"] == ["Mưa lớn,", "ngập sâu"]
    (page,) = document(conn, "00001", "m192x64-1")["items"][0]["pages"]
    assert (page["w"], page["h"]) == (192, 64)


def test_what_is_not_meant_reaches_drill_screens_only(conn: Connection[Row], story: Story) -> None:
    story.screen("00001", drills=True)
    meant, drill = story.issue(), story.issue(mode=Mode.EXERCISE)
    fold(conn, Feeds(ARTIST), story.log)
    told = {feed.drills: json.loads(feed.body) for feed in view.all_feeds(conn) if feed.area == "00001"}
    assert {UUID(item["id"]) for item in told[False]["items"]} == {meant}
    assert {UUID(item["id"]): item["status"] for item in told[True]["items"]} == {
        meant: "actual",
        drill: "exercise",
    }
    story.cancel(drill)
    fold(conn, Feeds(ARTIST), story.log[-1:])
    plain, drilled = view.feed(conn, "00001", COMMUNE), view.feed(conn, "00001", COMMUNE, drills=True)
    assert plain is not None
    assert drilled is not None
    assert json.loads(plain.body) == told[False]
    assert [one["id"] for one in json.loads(drilled.body)["cancelled"]] == [str(drill)]


def test_frames_are_kept_while_a_feed_names_them(conn: Connection[Row], story: Story) -> None:
    def kept() -> dict[str, bytes]:
        return dict(conn.execute("SELECT sha256, body FROM feed_frames").fetchall())

    fold(conn, Feeds(ARTIST), story.log)
    idle = document(conn, "00001")["idle"]["frame"]
    assert idle in kept()
    alert = story.issue()
    fold(conn, Feeds(ARTIST), story.log[-1:])
    named = [page["frame"] for page in document(conn, "00001")["items"][0]["pages"]]
    for name in named:
        body = view.frame(conn, name)
        assert body is not None
        assert hashlib.sha256(body).hexdigest() == name
    story.expire(alert)
    fold(conn, Feeds(ARTIST), story.log[-1:])
    assert view.frame(conn, named[0]) is None
    assert idle in kept()


def test_a_new_register_moves_no_alert_to_another_place(conn: Connection[Row], story: Story) -> None:
    old = story.issue(areas=("00004",))
    story.adopt("2025-07-01", AREAS_2025)
    city, elsewhere = story.issue(), story.issue(areas=("00004",))
    same = story.issue(areas=("00049",))
    fold(conn, Feeds(ARTIST), story.log)
    # 00004 was Trúc Bạch, and is Ba Đình: its screen is told the old alert and the city's, no other.
    assert set(shown(conn)["00004"]) == {old, city}
    assert elsewhere not in shown(conn)["00001"]
    assert set(shown(conn)["00049"]) == {city, same}
    assert [screen.area for screen in view.stranded(conn, "2025-07-01")] == ["00001", "00004", "001"]
    assert view.stranded(conn, "2020-03-01") == []


def test_a_screen_put_up_under_the_new_register_reads_its_code_by_it(
    conn: Connection[Row], story: Story
) -> None:
    story.adopt("2025-07-01", AREAS_2025)
    elsewhere = story.issue(areas=("00004",))
    fold(conn, Feeds(ARTIST), story.log)
    assert shown(conn)["00004"] == []
    story.at = story.at.replace(year=2026)
    story.screen("00004")
    fold(conn, Feeds(ARTIST), story.log[-1:])
    assert shown(conn)["00004"] == [elsewhere]


def test_servers_are_told_which_areas_changed(conn: Connection[Row], story: Story, database: str) -> None:
    fold(conn, Feeds(ARTIST), story.log)
    with psycopg.connect(database, autocommit=True) as listener:
        listener.execute("LISTEN feeds")
        story.issue(areas=("001",))
        story.issue(areas=("00001",))
        fold(conn, Feeds(ARTIST), story.log[-2:])
        heard = [notify.payload for notify in listener.notifies(timeout=PATIENCE, stop_after=3)]
    assert heard == ["00001", "00004", "001"]


def test_what_a_client_makes_up_does_not_stop_the_view(conn: Connection[Row], story: Story) -> None:
    story.screen("00001", "\0" + "x" * 9000, name="\0")
    story.screen("99999")
    alert = story.issue()
    fold(conn, Feeds(ARTIST), story.log)
    assert view.feed(conn, "00001", "\N{REPLACEMENT CHARACTER}" + "x" * 119) is not None
    assert shown(conn)["99999"] == []
    assert shown(conn)["00001"] == [alert]


def test_rows_do_not_depend_on_pages(conn: Connection[Row], story: Story) -> None:
    alerts = [story.issue(areas=(area,)) for area in ("01", "001", "00001", "002")]
    for number, alert in enumerate(alerts):
        story.wait(hours=9)
        story.issue(alert_id=alert, areas=("01",))
        story.screen("00049", "lcd1920")
        (story.cancel if number % 2 else story.expire)(alert)
    story.adopt("2025-07-01", AREAS_2025)
    story.at += timedelta(days=500)
    story.take_down(story.screen("00004"))
    story.screen("00004")
    whole = rebuild(conn, Feeds(ARTIST), story.log, 1000)
    assert len(whole["feeds"]) == 5
    assert rebuild(conn, Feeds(ARTIST), story.log, 1) == whole
    assert rebuild(conn, Feeds(ARTIST), story.log, 7) == whole
