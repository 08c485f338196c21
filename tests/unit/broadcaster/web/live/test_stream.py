"""The stream over a real socket: wholes, one look for everyone, and when it ends."""

import json
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from httpx import Response

from broadcaster.web.live.hub import MOST_OF_SESSION, Hub
from broadcaster.web.server import WebServer
from tests import calls
from tests.unit.broadcaster.web.console.browser import Browser
from tests.unit.broadcaster.web.town import HANG_BAC, PHUC_XA, Town
from tests.waiting import PATIENCE, until


@contextmanager
def serving(town: Town) -> Generator[str]:
    """The application on a port of loopback; its address."""
    config = uvicorn.Config(town.app, port=0, log_level="warning", ws="none", timeout_graceful_shutdown=600)
    server = WebServer(config, town.app.release)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until(lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(name="address")
def _address(town: Town) -> Iterator[str]:
    with serving(town) as address:
        yield address


@contextmanager
def listening(address: str, browser: Browser) -> Generator["Ear"]:
    """A stream of the browser's session."""
    with (
        httpx.Client(base_url=address, cookies=browser.cookies, timeout=PATIENCE) as client,
        client.stream("GET", "/console/live") as answer,
    ):
        yield Ear(answer)


class Ear:
    """What is heard, event by event."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer
        self.lines = answer.iter_lines()

    def next(self, kind: str) -> Any:
        """The next event of the kind."""
        heard = ""
        for line in self.lines:
            if line.startswith("event: "):
                heard = line[7:]
            elif line.startswith("data: ") and heard == kind:
                return json.loads(line[6:])
        raise AssertionError(f"it ended without {kind}")

    def until(self, kind: str, condition: Callable[[Any], bool]) -> Any:
        while not condition(said := self.next(kind)):
            pass
        return said


def hub(town: Town) -> Hub:
    return town.app.app._app.state.services.hub  # type: ignore[attr-defined]


def test_each_event_is_a_whole(town: Town, address: str) -> None:
    first = town.issue()
    town.follow()
    with listening(address, Browser(town).sign_in("lan")) as lan:
        assert lan.answer.headers["content-type"].startswith("text/event-stream")
        assert lan.answer.headers["cache-control"] == "no-store"
        assert set(lan.next("alerts")["alerts"]) == {first}
        second = town.issue()
        town.follow()
        said = lan.until("alerts", lambda heard: second in heard["alerts"])
        assert set(said["alerts"]) == {first, second}
    until(lambda: len(hub(town)) == 0)


def test_one_look_serves_everyone_and_nobody_costs_nothing(town: Town, address: str) -> None:
    lan, minh = Browser(town).sign_in("lan"), Browser(town).sign_in("minh")
    assert hub(town).looks == 0
    with listening(address, lan) as one, listening(address, lan) as two, listening(address, minh) as three:
        for ear in (one, two, three):
            ear.next("alerts")
        before = hub(town).looks
        alert_id = town.issue()
        town.follow()
        for ear in (one, two, three):
            ear.until("alerts", lambda said: alert_id in said["alerts"])
        # The views moved once, or were seen on their way: never once for each who listens.
        assert 1 <= hub(town).looks - before <= 2


def test_what_a_body_works_on_is_told_to_its_own(town: Town, address: str) -> None:
    lan, tuan = Browser(town).sign_in("lan"), Browser(town).sign_in("tuan")
    with listening(address, lan) as ours, listening(address, tuan) as theirs:
        before, elsewhere = ours.next("mine"), theirs.next("mine")
        draft = town.draft().json()["id"]
        town.follow()
        assert ours.until("mine", lambda said: said != before)
        town.draft("tuan", areas=["00049"])
        town.follow()
        assert theirs.next("mine") != elsewhere
        assert draft not in str(hub(town).sight.alerts)  # type: ignore[union-attr]
        scope = frozenset({HANG_BAC})
        assert hub(town).sight.home(scope) != hub(town).sight.home(frozenset())  # type: ignore[union-attr]


def test_drafts_are_told_to_their_body(town: Town, address: str) -> None:
    lan, tuan = Browser(town).sign_in("lan"), Browser(town).sign_in("tuan")
    with listening(address, lan) as ours, listening(address, tuan) as theirs:
        before, elsewhere = ours.next("mine"), theirs.next("mine")["home"]
        draft_id, at = uuid4(), town.now
        town.drafts.save(draft_id, PHUC_XA, {"headline": ["Gió"]}, expected=0, by="lan", at=at)
        begun = ours.until("mine", lambda said: said != before)
        assert f'data-mark="{begun["home"]}"' in lan.go("/console/part").answer.text
        # What the list does not show is no news: nobody is disturbed by each key that is pressed.
        fields = {"headline": ["Gió"], "description": ["Mạnh"]}
        town.drafts.save(draft_id, PHUC_XA, fields, expected=1, by="lan", at=at)
        assert f'data-mark="{begun["home"]}"' in lan.go("/console/part").answer.text
        fields["headline"] = ["Gió giật"]
        town.drafts.save(draft_id, PHUC_XA, fields, expected=2, by="lan", at=at)
        ours.until("mine", lambda said: said not in (before, begun))
        town.drafts.drop(draft_id, 3, town.now)
        assert ours.until("mine", lambda said: said == before)
        assert hub(town).sight.home({HANG_BAC}) == elsewhere  # type: ignore[union-attr]


def test_a_request_for_access_is_told_to_who_may_confirm(town: Town, address: str) -> None:
    hoa, tuan = Browser(town).sign_in("hoa"), Browser(town).sign_in("tuan")
    with listening(address, hoa) as ours, listening(address, tuan) as theirs:
        before, elsewhere = ours.next("mine"), theirs.next("mine")["home"]
        hoa.go("/console/people").press("Mời", account="thu", role="author")
        asked = ours.until("mine", lambda said: said != before)
        assert f'data-mark="{asked["home"]}"' in hoa.go("/console/part").answer.text
        assert hub(town).sight.home({HANG_BAC}) == elsewhere  # type: ignore[union-attr]
        town.later(hours=2)
        # Its hour is over, which no event says yet.
        assert hub(town).requested.get(town.now) == {}


def test_a_page_drawn_now_bears_the_mark_that_is_told(town: Town, address: str) -> None:
    alert_id = town.issue()
    town.draft()
    town.follow()
    lan = Browser(town).sign_in("lan")
    with listening(address, lan) as ear:
        shape = ear.next("alerts")["alerts"][alert_id]["shape"]
        mark = ear.next("mine")["home"]
    assert f'data-shape="{shape}"' in lan.go(f"/console/alerts/{alert_id}/live").answer.text
    assert f'data-shape="{shape}"' in lan.go(f"/console/alerts/{alert_id}/live/part").answer.text
    assert f'data-mark="{mark}"' in lan.go("/console").answer.text
    assert f'data-mark="{mark}"' in lan.go("/console/part").answer.text


@pytest.mark.parametrize("how", ["revoked", "closed"])
def test_it_ends_with_its_session(town: Town, address: str, how: str) -> None:
    lan = Browser(town).sign_in("lan")
    with listening(address, lan) as ear:
        ear.next("alerts")
        if how == "revoked":
            town.desk.sessions.revoke_all("lan")
        else:
            town.desk.accounts.close("lan", "system:setup", town.now)
        hub(town).recheck()
        assert ear.next("end") == {"why": "session"}
        assert "".join(ear.lines) == ""
    again = calls.get(f"{address}/console/live", cookies=lan.cookies)
    assert again.status_code == 303


def test_a_session_that_only_listens_is_idle(town: Town, address: str) -> None:
    lan = Browser(town).sign_in("lan")
    alert_id = town.issue()
    town.follow()
    town.later(minutes=20)
    seen = town.desk.sessions.of("lan", town.now)[0].seen_at
    with listening(address, lan) as ear:
        ear.next("alerts")
        assert lan.go("/console/part").status == 200
        assert lan.go(f"/console/alerts/{alert_id}/live/areas").status == 200
        assert town.desk.sessions.of("lan", town.now)[0].seen_at == seen
        town.later(minutes=11)
        hub(town).recheck()
        assert ear.next("end") == {"why": "session"}


def test_a_session_has_few_streams(town: Town, address: str) -> None:
    lan = Browser(town).sign_in("lan")
    with ExitStack() as stack:
        ears = [stack.enter_context(listening(address, lan)) for _ in range(MOST_OF_SESSION)]
        for ear in ears:
            ear.next("alerts")
        newest = stack.enter_context(listening(address, lan))
        newest.next("alerts")
        assert ears[0].next("end") == {"why": "newer"}
        until(lambda: len(hub(town)) == MOST_OF_SESSION)


def test_one_too_many_is_told_to_wait(town: Town, address: str) -> None:
    hub(town).most = 1
    lan = Browser(town).sign_in("lan")
    with listening(address, lan) as ear:
        ear.next("alerts")
        refused = calls.get(f"{address}/console/live", cookies=lan.cookies)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")


def test_the_server_does_not_wait_for_who_listens(town: Town) -> None:
    lan = Browser(town).sign_in("lan")
    with ExitStack() as stack:
        with serving(town) as address:
            ear = stack.enter_context(listening(address, lan))
            ear.next("alerts")
        # Here the server has ended; it would have given 10 minutes to who does not.
        assert ear.next("end") == {"why": "closing"}
