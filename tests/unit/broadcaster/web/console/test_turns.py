"""A crowd at the door: it holds a few of the server's threads, and all other pages have the rest."""

import asyncio
import threading
from typing import Any

import httpx
import pytest

from broadcaster.web.console.turns import MOST
from tests.unit.broadcaster.web.console.browser import FORM
from tests.unit.broadcaster.web.town import BASE, Town

CROWD = 60
"""More than the server has threads."""
KNOCK = {"account": "nobody", "password": "x" * 12, "code": "123456"}


@pytest.fixture(name="slow")
def _slow(town: Town, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Passwords take as long as the test wants."""
    over = threading.Event()

    def sign_in(*_: object) -> bool:
        over.wait(30)
        return False

    monkeypatch.setattr(town.desk.accounts, "sign_in", sign_in)
    return over


def test_a_crowd_at_the_door_keeps_nobody_from_the_pages(town: Town, slow: threading.Event) -> None:
    async def crowd() -> tuple[int, list[int]]:
        async def knock(client: Any, number: int) -> int:
            said = KNOCK | {"account": f"nobody{number}"}
            return (await client.post("/console/sign-in", data=said)).status_code

        transport = httpx.ASGITransport(app=town.app, client=("10.0.0.1", 1))
        headers = {"Origin": BASE, "Content-Type": FORM}
        async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
            knocking = [asyncio.create_task(knock(client, number)) for number in range(CROWD)]
            try:
                for done in asyncio.as_completed(knocking):
                    if await done == 503 and sum(each.done() for each in knocking) == CROWD - MOST:
                        break
                async with asyncio.timeout(10):
                    page = await client.get("/v1/alerts")
            finally:
                slow.set()
            return page.status_code, await asyncio.gather(*knocking)

    page, answers = asyncio.run(crowd())
    assert page == 200
    assert answers.count(503) == CROWD - MOST
    assert answers.count(422) == MOST
    # Who left has made room.
    assert asyncio.run(_once(town)) == 422


async def _once(town: Town) -> int:
    transport = httpx.ASGITransport(app=town.app, client=("10.0.0.2", 1))
    headers = {"Origin": BASE, "Content-Type": FORM}
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
        return (await client.post("/console/sign-in", data=KNOCK)).status_code
