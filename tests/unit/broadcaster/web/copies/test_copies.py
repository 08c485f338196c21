"""Copies for passers-by: made once, right for each reader, and gone the moment that they are not true."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from broadcaster.web.copies.desk import Copies
from tests.unit.broadcaster.web.town import BASE, Town

HTML = {"accept": "text/html"}


@pytest.fixture(name="copies")
def _copies(town: Town) -> Copies:
    """Those of the town, which follow nothing by themselves here."""
    return town.app.copies


@pytest.fixture(name="look")
def _look(town: Town, copies: Copies) -> Callable[[], None]:
    def look() -> None:
        with town.pool.connection() as conn:
            copies.news.look(conn)

    look()
    return look


Look = Callable[[], None]


def made(copies: Copies, kind: str) -> int:
    return sum(count for (name, _), count in copies.served.items() if name == kind)


def cancel(town: Town, alert_id: str, reason: str = "Hết mưa") -> None:
    town.client("minh").post(f"/v1/alerts/{alert_id}/cancel", {"reason": reason}).raise_for_status()


def test_the_second_reader_is_answered_from_the_first_ones_page(
    town: Town, copies: Copies, look: Look
) -> None:
    path = f"/alerts/{town.issue()}"
    look()
    first = town.client().get(path, **HTML)
    queries = copies.strangers.questions
    second = town.client().get(f"{path}?fbclid=x&utm_source=y", **HTML)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.text == second.text
    assert first.headers["etag"] == second.headers["etag"]
    assert (len(copies), copies.strangers.questions) == (1, queries)
    for name in ("content-security-policy", "x-content-type-options", "referrer-policy"):
        assert second.headers[name]
    assert {"Cookie", "Accept-Encoding"} <= {each.strip() for each in second.headers["vary"].split(",")}


@pytest.mark.parametrize(
    "path", ["/", "/alerts", "/alerts/{id}", "/v1/feeds/cap.atom", "/v1/alerts/{id}.cap"]
)
def test_packed_plain_and_unchanged_say_the_same(town: Town, look: Look, path: str) -> None:
    path = path.replace("{id}", town.issue())
    town.catch_up()
    look()
    for encoding, other in (("gzip", "identity"), ("identity", "gzip;q=0, br")):
        answer = town.client().get(path, **HTML, accept_encoding=encoding)
        assert answer.headers.get("content-encoding") == ("gzip" if encoding == "gzip" else None)
        tag = answer.headers["etag"]
        again = town.client().get(path, **HTML, accept_encoding=encoding, if_none_match=f'"x", W/{tag}')
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["cache-control"] == answer.headers["cache-control"]
        head = town.client()("HEAD", path, headers=HTML | {"accept-encoding": encoding})
        assert (head.status_code, head.headers["etag"], head.content) == (200, tag, b"")
        elsewhere = town.client().get(path, **HTML, accept_encoding=other)
        assert elsewhere.text == answer.text


def test_a_withdrawal_ends_the_copy_whatever_the_views_say(town: Town, look: Look) -> None:
    alert_id = town.issue()
    town.catch_up()
    look()
    client = town.client()
    tag = client.get(f"/alerts/{alert_id}", **HTML).headers["etag"]
    cancel(town, alert_id)  # The board has not heard of it.
    look()
    again = client.get(f"/alerts/{alert_id}", **HTML, if_none_match=tag)
    assert again.status_code == 200
    assert "Đã hủy." in again.text
    assert again.headers["cache-control"] == "public, max-age=60"


def test_lists_and_feeds_follow_the_board(town: Town, look: Look) -> None:
    alert_id = town.issue()
    town.catch_up()
    look()
    client = town.client()
    paths = ("/", "/alerts", "/v1/feeds/alerts.json", "/my/alerts.json?area=00001")
    assert all(alert_id in client.get(path, **HTML).text for path in paths)
    cancel(town, alert_id)
    town.catch_up()
    look()
    assert not any(alert_id in client.get(path, **HTML).text for path in paths)


def test_what_ends_by_the_clock_is_in_no_copy(town: Town, look: Look) -> None:
    alert_id = town.issue()
    town.catch_up()
    issued = town.office.alert(UUID(alert_id)).issued
    assert issued
    town.now = issued.expires_at - timedelta(seconds=1)
    look()
    client = town.client()
    paths = ("/", "/alerts", "/v1/feeds/cap.atom")
    assert all(alert_id in client.get(path, **HTML).text for path in paths)
    assert "Đã hết hiệu lực" not in client.get(f"/alerts/{alert_id}", **HTML).text
    town.now = issued.expires_at  # Nobody has said so yet.
    assert not any(alert_id in client.get(path, **HTML).text for path in paths)
    assert "Đã hết hiệu lực" in client.get(f"/alerts/{alert_id}", **HTML).text


def test_an_alerts_own_end_counts_where_the_board_is_late(town: Town, look: Look) -> None:
    alert_id = town.issue()
    issued = town.office.alert(UUID(alert_id)).issued
    assert issued
    town.now = issued.expires_at - timedelta(seconds=1)
    look()
    assert "Đã hết hiệu lực" not in town.client().get(f"/alerts/{alert_id}", **HTML).text
    town.now = issued.expires_at
    assert "Đã hết hiệu lực" in town.client().get(f"/alerts/{alert_id}", **HTML).text


def test_a_copy_ends_by_itself_and_by_a_clock_put_back(town: Town, look: Look) -> None:
    look()
    client = town.client()
    first = client.get("/", **HTML).text
    town.now += timedelta(minutes=1)
    second = client.get("/", **HTML).text
    assert first != second  # It says as of when.
    town.now -= timedelta(minutes=1)
    assert client.get("/", **HTML).text == first


def test_news_that_are_not_heard_end_every_copy(
    town: Town, copies: Copies, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/alerts/{town.issue()}"
    look()
    town.client().get(path, **HTML)
    cancel(town, path.removeprefix("/alerts/"))
    monkeypatch.setattr(type(copies.news), "is_heard", False)
    assert "Đã hủy." in town.client().get(path, **HTML).text


def test_each_language_has_its_own_and_the_address_is_remembered(town: Town, look: Look) -> None:
    path = f"/alerts/{town.issue()}"
    look()
    client = town.client()
    for _ in range(2):
        plain = client.get(path, **HTML)
        english = client.get(path, **HTML, cookie="areas=x; lang=en")
        asked = client.get(f"{path}?lang=en", **HTML)
        assert '<html lang="vi">' in plain.text
        assert '<html lang="en">' in english.text
        assert asked.text == english.text
        assert asked.headers["cache-control"] == "private, no-cache"
        assert asked.headers["set-cookie"].startswith("lang=en")
        assert not any("set-cookie" in each.headers for each in (plain, english))
        # The address is stronger than the cookie, and what is neither is Vietnamese.
        assert '<html lang="vi">' in client.get(f"{path}?lang=vi", **HTML, cookie="lang=en").text
        assert '<html lang="vi">' in client.get(f"{path}?lang=fr", **HTML, cookie="lang=xx").text


def test_areas_of_a_cookie_are_the_readers_alone(town: Town, copies: Copies, look: Look) -> None:
    mine = town.issue()
    town.catch_up()
    look()
    client = town.client()
    cookie = "areas=2020-03-01~00001"
    for _ in range(2):
        assert mine in client.get("/my/alerts.json", cookie=cookie).text
        assert mine not in client.get("/my/alerts.json").text
        # An address that names no place we know falls back on the cookie, and is nobody else's either.
        assert mine in client.get("/my/alerts.json?area=99999", cookie=cookie).text
        assert mine not in client.get("/my/alerts.json?area=99999").text
        assert mine in client.get("/my/alerts.json?area=00001").text
        assert mine not in client.get("/my/alerts.json?area=00049").text
        assert mine in client.get("/my", **HTML, cookie=cookie).text
        assert mine not in client.get("/my", **HTML).text
    assert made(copies, "mine") == 2 * 2
    assert len(copies) == 2


def test_nothing_of_the_first_reader_is_shown_to_the_second(town: Town, look: Look) -> None:
    path = f"/alerts/{town.issue()}"
    look()
    own = {"cookie": "areas=2020-03-01~00001; __Host-session=secret", "referer": "https://x.example/"}
    first = town.client()("GET", path, headers=HTML | own)
    second = town.client().get(path, **HTML)
    assert first.text == second.text
    assert "set-cookie" not in second.headers
    assert "secret" not in second.text


def test_who_shows_a_key_is_not_answered_from_a_copy(town: Town, copies: Copies, look: Look) -> None:
    path = f"/v1/alerts/{town.issue()}.cap"
    look()
    assert town.client("lan").get(path).status_code == 200
    assert (len(copies), sum(copies.served.values())) == (0, 0)


def test_what_does_not_exist_is_said_in_short_and_never_kept(
    town: Town, copies: Copies, look: Look
) -> None:
    draft = town.draft().json()["id"]
    look()
    for path in (f"/alerts/{uuid4()}", f"/alerts/{draft}", f"/v1/alerts/{uuid4()}.cap", "/alerts/x", "/x"):
        answer = town.client().get(path, **HTML)
        assert answer.status_code == 404
        assert "public" not in answer.headers["cache-control"]
    page = town.client().get(f"/alerts/{uuid4()}", **HTML, cookie="lang=en")
    assert '<html lang="en">' in page.text
    assert page.headers["content-security-policy"]
    told = town.client().get(f"/alerts/{uuid4()}", accept="application/json")
    assert told.headers["content-type"] == "application/problem+json"
    assert len(copies) == 0
    # The very address is good as soon as it goes out, before any look.
    town.send_out(draft)
    assert town.client().get(f"/alerts/{draft}", **HTML).status_code == 200


def test_what_no_route_begins_with_is_no_work(town: Town, copies: Copies) -> None:
    assert town.client().get("/wp-login.php?x=1", **HTML).status_code == 404
    assert town.client()("HEAD", "/.env").status_code == 404
    assert copies.served["notice", 404] == 2
    for path in (
        "/my",
        "/docs",
        "/cadence",
        "/openapi.json",
        "/screens/player",
        "/accessibility",
        "/console",
    ):
        assert town.client().get(path, **HTML).status_code < 400, path
    assert town.client().get("/alerts/nothing/here", **HTML).status_code == 404
    assert town.client()("POST", "/wp-login.php").status_code in {404, 405}


def at_once(town: Town, paths: list[str]) -> list[httpx.Response]:
    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=town.app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=HTML) as client:
            return await asyncio.gather(*(client.get(path) for path in paths))

    return asyncio.run(ask())


def test_who_come_together_are_answered_by_one_page_and_one_question(
    town: Town, copies: Copies, look: Look
) -> None:
    path = f"/alerts/{town.issue()}"
    look()
    answers = at_once(town, [path] * 30)
    assert {each.status_code for each in answers} == {200}
    assert len({each.text for each in answers}) == 1
    counted = town.client().get("/metrics").text
    assert (
        'broadcaster_http_requests_total{method="GET",route="/alerts/{alert_id}",status="200"} 1.0'
        in counted
    )
    assert 'broadcaster_public_answers_total{kind="alert",status="200"} 30.0' in counted
    before = copies.strangers.questions
    strangers = at_once(town, [f"/alerts/{uuid4()}" for _ in range(30)])
    assert {each.status_code for each in strangers} == {404}
    assert copies.strangers.questions - before <= 2


def test_too_many_who_search_are_told_to_come_back_and_the_alert_is_answered(
    town: Town, look: Look
) -> None:
    path = f"/alerts/{town.issue()}"
    look()
    town.app.copies.rest.room = 5
    answers = at_once(town, [f"/alerts?words=x{number}" for number in range(20)] + [path])
    statuses = [each.status_code for each in answers]
    assert statuses.count(503) >= 10
    assert statuses[-1] == 200
    refused = next(each for each in answers if each.status_code == 503)
    assert 2 <= int(refused.headers["retry-after"]) <= 5
    assert refused.headers["cache-control"] == "no-store"


def test_memory_is_bounded(town: Town, copies: Copies, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    look()
    town.client().get("/", **HTML)
    monkeypatch.setattr("broadcaster.web.copies.desk.MOST_BYTES", 3 * copies.bytes)
    for number in range(1, 12):
        town.client().get(f"/alerts?when=past&before={number}", **HTML)
        town.client().get("/", **HTML)
    assert 1 < len(copies) < 11
    assert copies.bytes <= 3 * 2**20
    before = copies.served["home", 200]
    assert town.client().get("/", **HTML).status_code == 200
    assert copies.served["home", 200] == before + 1
