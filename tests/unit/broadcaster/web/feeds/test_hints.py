"""Streams of hints, and how waiting ends when the house restarts: on real sockets."""

import http.client
import json
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from broadcaster.web.feeds.front import COME_BACK
from broadcaster.web.feeds.hints import Hints
from broadcaster.web.feeds.polls import FEED_PATH, HINTS_PATH
from broadcaster.web.server import WebServer
from tests.unit.broadcaster.web.town import Client, Town
from tests.waiting import PATIENCE, until

NEW = {"name": "Chợ Long Biên", "area": "00001", "profile": "m96x32-1"}


GIVEN = 600
"""Seconds that the server would give to who waits, where nobody were told to end: no test has them."""


@contextmanager
def serving(town: Town) -> Generator[WebServer]:
    config = uvicorn.Config(
        town.app, port=0, log_level="warning", ws="none", timeout_graceful_shutdown=GIVEN
    )
    server = WebServer(config, town.app.release)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until(lambda: server.started)
        yield server
    finally:
        server.should_exit = True
        thread.join()


def put_up(town: Town, **changes: Any) -> Client:
    made = town.client("hoa").post("/v1/screens", NEW | changes)
    town.catch_up()
    return Client(town.app, made.json()["key"])


class Line:
    """One request, its answer awaited when asked for."""

    def __init__(self, server: WebServer, screen: Client, path: str, **headers: str) -> None:
        where = server.servers[0].sockets[0].getsockname()
        self._line = http.client.HTTPConnection(*where, timeout=PATIENCE)
        self._line.request("GET", path, headers={"Authorization": f"Bearer {screen.key}"} | headers)
        self._answer: http.client.HTTPResponse | None = None

    def getresponse(self) -> http.client.HTTPResponse:
        self._answer = self._answer or self._line.getresponse()
        return self._answer

    def close(self) -> None:
        if self._answer:
            self._answer.close()
        self._line.close()


Open = Callable[..., Line]


@pytest.fixture(name="opened")
def _opened() -> Iterator[Open]:
    lines: list[Line] = []

    def opened(*given: Any, **headers: str) -> Line:
        lines.append(Line(*given, **headers))
        return lines[-1]

    yield opened
    for line in lines:
        line.close()


def hint(stream: http.client.HTTPResponse) -> dict[str, Any]:
    """The next hint; its id is its number."""
    number = ""
    for line in iter(stream.readline, b""):
        name, _, told = line.decode().rstrip("\n").partition(": ")
        if name == "id":
            number = told
        if name == "data":
            found = json.loads(told)
            assert number == str(found["seq"])
            return found
    return {}


def test_a_stream_tells_that_the_feed_changed_and_nothing_of_it(town: Town, opened: Open) -> None:
    screen = put_up(town)
    with serving(town) as server:
        stream = opened(server, screen, HINTS_PATH).getresponse()
        assert (stream.status, stream.getheader("content-type")) == (200, "text/event-stream")
        first = hint(stream)
        assert first["etag"] == screen.get(FEED_PATH).headers["etag"]
        town.issue()
        town.catch_up()
        second = hint(stream)
        assert second["seq"] > first["seq"]
        assert second.keys() == {"seq", "etag"}
        assert second["etag"] == screen.get(FEED_PATH).headers["etag"]


def test_a_stream_ends_with_its_key_or_for_a_newer_one(town: Town, opened: Open) -> None:
    screen = put_up(town)
    with serving(town) as server:
        first = opened(server, screen, HINTS_PATH).getresponse()
        assert hint(first)
        second = opened(server, screen, HINTS_PATH).getresponse()
        assert hint(second)
        assert hint(first) == {}
        assert len(town.app.hints.waiters) == 1
        (listed,) = town.client("hoa").get("/v1/screens").json()["screens"]
        town.client("hoa").post(f"/v1/screens/{listed['id']}/revoke").raise_for_status()
        town.issue()
        town.catch_up()
        assert hint(second) == {}
        assert len(town.app.hints.waiters) == 0


def test_a_stream_without_news_keeps_alive_and_its_screen_is_heard(town: Town, opened: Open) -> None:
    screen = put_up(town)
    front = town.app
    front.hints = Hints(front.cache, lambda: town.now, front.served, alive_every=0.05)
    with serving(town) as server:
        stream = opened(server, screen, HINTS_PATH).getresponse()
        said = list[bytes]()
        while said.count(b": alive\n") < 2:
            said.append(stream.readline())
        (heard,) = front.served.values()
        assert (heard.last_seen, heard.polls) == (town.now, 0)
    assert said[0] == b"retry: 5000\n"
    assert said.count(b"event: feed\n") == 1


def test_a_stream_does_not_last_for_ever(town: Town, opened: Open) -> None:
    screen = put_up(town)
    front = town.app
    front.hints = Hints(front.cache, lambda: town.now, front.served, alive_every=0.05, longest=0.1)
    with serving(town) as server:
        whole = opened(server, screen, HINTS_PATH).getresponse().read().decode()
    assert whole.startswith("retry: 5000\n\nid: ")
    assert whole.count("event: feed") == 1


def test_streams_are_bounded_and_need_a_key(town: Town, opened: Open) -> None:
    screen, other = put_up(town), put_up(town, profile="m128x64-1")
    front = town.app
    front.hints = Hints(front.cache, lambda: town.now, front.served, most=1)
    with serving(town) as server:
        assert hint(opened(server, screen, HINTS_PATH).getresponse())
        full = opened(server, other, HINTS_PATH).getresponse()
        assert (full.status, full.getheader("retry-after")) == (503, "1")
    assert town.client().get(HINTS_PATH).status_code == 401
    assert town.client("hoa").get(HINTS_PATH).status_code == 403


def test_a_client_that_leaves_frees_its_place(town: Town, opened: Open) -> None:
    screen = put_up(town)
    with serving(town) as server:
        line = opened(server, screen, HINTS_PATH)
        assert hint(line.getresponse())
        line.close()
        until(lambda: len(town.app.hints.waiters) == 0)


def test_a_restart_answers_what_waits_and_does_not_wait_for_it(town: Town, opened: Open) -> None:
    screen, other = put_up(town), put_up(town, profile="m128x64-1")
    tag = screen.get(FEED_PATH).headers["etag"]
    with serving(town) as server:
        poll = opened(server, screen, FEED_PATH, **{"If-None-Match": tag, "Prefer": "wait=50"})
        stream = opened(server, other, HINTS_PATH).getresponse()
        assert hint(stream)
        until(lambda: len(town.app.waiters) == 1)
        server.should_exit = True
        answer = poll.getresponse()
        assert answer.status == 304
        assert answer.getheader("preference-applied") == "wait=50"
        assert 1 <= int(answer.getheader("retry-after") or "0") <= COME_BACK
        assert hint(stream) == {}
