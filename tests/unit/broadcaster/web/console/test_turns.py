"""A crowd at the door: it holds a few of the server's threads, and all other pages have the rest."""

import asyncio
import threading
from collections import Counter

import httpx
import pytest

from broadcaster.web.console.doors import turns
from broadcaster.web.console.doors.turns import LINE, LINE_OF_ONE, MOST
from tests.unit.broadcaster.web.console.browser import FORM
from tests.unit.broadcaster.web.town import BASE, Town
from tests.waiting import PATIENCE, until

KNOCK = {"account": "nobody", "password": "x" * 12, "code": "123456"}


class Slow:
    """Passwords that take as long as the test wants."""

    def __init__(self) -> None:
        self.over, self.asked = threading.Event(), 0
        self._lock = threading.Lock()

    def sign_in(self, *_: object) -> bool:
        with self._lock:
            self.asked += 1
        self.over.wait(2 * PATIENCE)
        return False


@pytest.fixture(name="slow")
def _slow(town: Town, monkeypatch: pytest.MonkeyPatch) -> Slow:
    slow = Slow()
    monkeypatch.setattr(town.desk.accounts, "sign_in", slow.sign_in)
    return slow


async def ask(town: Town, address: str, method: str, path: str, number: int = 0) -> int:
    transport = httpx.ASGITransport(app=town.app, client=(address, 1))
    headers = {"Origin": BASE, "Content-Type": FORM}
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
        data = KNOCK | {"account": f"nobody{number}"} if method == "POST" else None
        return (await client.request(method, path, data=data)).status_code


def knock(town: Town, address: str, number: int = 0) -> "asyncio.Task[int]":
    return asyncio.create_task(ask(town, address, "POST", "/console/sign-in", number))


def turned_away(knocking: "list[asyncio.Task[int]]") -> int:
    """How many have their answer while nobody was let in: the line behind them is whole by then."""
    return sum(each.done() for each in knocking)


def test_a_crowd_at_the_door_keeps_nobody_from_the_pages(town: Town, slow: Slow) -> None:
    async def crowd() -> tuple[int, Counter[int]]:
        knocking = [knock(town, f"10.0.0.{number}", number) for number in range(LINE + 30)]
        try:
            await asyncio.to_thread(until, lambda: slow.asked == MOST and turned_away(knocking) == 30)
            async with asyncio.timeout(PATIENCE):
                page = await ask(town, "10.1.0.1", "GET", "/v1/alerts")
            assert slow.asked == MOST
        finally:
            slow.over.set()
        return page, Counter(await asyncio.gather(*knocking))

    page, answers = asyncio.run(crowd())
    assert page == 200
    assert answers == {422: LINE, 503: 30}, "those in line have had their turn"
    assert asyncio.run(ask(town, "10.1.0.1", "POST", "/console/sign-in")) == 422


def test_one_address_takes_not_the_whole_line(town: Town, slow: Slow) -> None:
    async def crowd() -> tuple[Counter[int], int]:
        theirs = [knock(town, f"2001:db8::{number:x}", number) for number in range(1, LINE)]
        other = knock(town, "10.1.0.1")
        away = LINE - 1 - LINE_OF_ONE
        await asyncio.to_thread(until, lambda: slow.asked == MOST and turned_away(theirs) == away)
        slow.over.set()
        return Counter(await asyncio.gather(*theirs)), await other

    answers, other = asyncio.run(crowd())
    assert (answers[503], answers.total()) == (LINE - 1 - LINE_OF_ONE, LINE - 1)
    assert other == 422


def test_nobody_waits_for_ever(town: Town, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.05)

    async def crowd() -> Counter[int]:
        knocking = [knock(town, f"10.0.0.{number}", number) for number in range(MOST + 1)]
        done, _ = await asyncio.wait(knocking, return_when=asyncio.FIRST_COMPLETED)
        slow.over.set()
        assert [each.result() for each in done] == [503]
        return Counter(await asyncio.gather(*knocking))

    assert asyncio.run(crowd()) == {422: MOST, 503: 1}
