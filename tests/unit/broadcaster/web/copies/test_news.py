"""What ends the copies of the public's pages, and what does not."""

from datetime import timedelta

import pytest

from broadcaster.web.copies.address import Ask, ask_of, language_of
from broadcaster.web.copies.news import PUBLIC, News
from broadcaster.web.copies.ready import takes_gzip
from tests.unit.broadcaster.web.town import Town
from tests.waiting import until


@pytest.fixture(name="news")
def _news(town: Town) -> News:
    return town.app.copies.news


def looked(town: Town, news: News) -> int:
    with town.pool.connection() as conn:
        news.look(conn)
    return news.generation


def test_only_what_the_public_sees_is_news(town: Town, news: News) -> None:
    assert not news.is_heard
    first = looked(town, news)
    assert news.is_heard
    draft = town.draft().json()["id"]
    town.catch_up()
    assert looked(town, news) == first, "nobody outside sees a draft"
    town.send_out(draft)
    issued = looked(town, news)
    assert issued > first
    assert looked(town, news) == issued
    town.catch_up()
    listed = looked(town, news)
    assert listed > issued, "now the lists have it"
    assert looked(town, news) == listed
    town.client("minh").post(f"/v1/alerts/{draft}/cancel", {"reason": "Hết mưa"}).raise_for_status()
    assert looked(town, news) > listed


def test_the_next_end_is_known(town: Town, news: News) -> None:
    looked(town, news)
    assert news.next_end is None
    town.issue()
    town.catch_up()
    looked(town, news)
    assert news.next_end
    assert timedelta() < news.next_end - town.now < timedelta(days=2)
    town.now = news.next_end
    looked(town, news)
    assert news.next_end is None


def test_an_older_copy_of_the_log_is_news(town: Town, news: News) -> None:
    town.issue()
    before = looked(town, news)
    with town.pool.connection() as conn:
        conn.execute("DELETE FROM events WHERE position > (SELECT max(position) - 3 FROM events)")
    assert looked(town, news) > before


def test_it_follows_by_itself_and_ends_when_asked(town: Town, news: News) -> None:
    news.start()
    try:
        until(lambda: news.is_heard)
        before = news.generation
        town.issue()
        until(lambda: news.generation > before)
    finally:
        news.stop()
    news.stop()


def test_its_topics_are_those_of_the_public() -> None:
    assert {"alert.issued", "alert.cancelled", "alert.expired", "area_register.adopted"} <= set(PUBLIC)
    assert not {"alert.drafted", "receipt.recorded", "audience.frozen"} & set(PUBLIC)


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/", "/", ""),
        (b"/?utm_source=zalo&state=overdue&all=1", "/", "all=1&state=overdue"),
        (b"/alerts?fbclid=1", "/alerts", ""),
        (b"/alerts?when=past&words=&before=9", "/alerts", "before=9&when=past"),
        (b"/alerts/0A000000-0000-0000-0000-000000000001?lang=xx&lang=en", None, "lang=en"),
        (b"/v1/feeds/cap.atom?area=01&nope=1", "/v1/feeds/cap.atom", "area=01&nope=1"),
        (b"/my/alerts.json?area=2&area=1&lang=vi", "/my/alerts.json", "area=2&area=1&lang=vi"),
    ],
)
def test_of_an_address_only_what_counts_is_kept(target: bytes, path: str | None, query: str) -> None:
    ask = ask_of(target)
    assert isinstance(ask, Ask)
    assert ask.path == (path or "/alerts/0a000000-0000-0000-0000-000000000001")
    assert ask.query == query


@pytest.mark.parametrize(
    "target",
    [
        b"",
        b"*",
        b"//",
        b"http://x/alerts",
        b"/alerts?words=a",
        b"/alerts?place=a",
        b"/%61lerts",
        b"/alerts/1",
        b"/alerts/..",
        b"/my",
        b"/my/alerts.json",
        b"/console",
        b"/v1/alerts",
        b"/?" + b"a" * 500,
        "/á".encode(),
    ],
)
def test_anything_else_goes_the_long_way(target: bytes) -> None:
    assert ask_of(target) is None


@pytest.mark.parametrize(
    ("cookies", "lang"),
    [
        (b"", ""),
        (b"lang=en", "en"),
        (b"a=b; lang=vi", "vi"),
        (b'lang="en"', "en"),
        (b"xlang=en", ""),
        (b"lang=fr", ""),
        (b"lang=\xff", ""),
    ],
)
def test_the_language_of_a_cookie(cookies: bytes, lang: str) -> None:
    assert language_of(cookies) == lang


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        (b"gzip", True),
        (b"br, gzip;q=0.5", True),
        (b"gzip;q=0", False),
        (b"gzip; q=0.000", False),
        (b"br", False),
        (b"", False),
        (b"x-gzipped", False),
    ],
)
def test_gzip_only_for_who_takes_it(accepted: bytes, takes: bool) -> None:
    assert takes_gzip(accepted) is takes
