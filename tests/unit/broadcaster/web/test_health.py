"""The health check, while everything else waits."""

import asyncio
import threading
from collections.abc import Mapping

import httpx
from anyio.to_thread import current_default_thread_limiter, run_sync

from broadcaster.web.monitoring.pulse import Pulse
from tests.unit.broadcaster.web.town import Town


def test_it_answers_while_every_thread_of_the_pages_waits(town: Town) -> None:
    released = threading.Event()

    async def asked() -> int:
        threads = int(current_default_thread_limiter().total_tokens)
        waiting = [asyncio.create_task(run_sync(released.wait, 20)) for _ in range(threads)]
        await asyncio.sleep(0)
        web = httpx.AsyncClient(transport=httpx.ASGITransport(town.app), base_url="http://town")
        try:
            async with web, asyncio.timeout(5):
                return (await web.get("/healthz")).status_code
        finally:
            released.set()
            await asyncio.gather(*waiting)

    assert asyncio.run(asked()) == 200


def test_a_thousand_who_ask_at_once_are_answered_by_few_questions() -> None:
    asked = 0

    def ask() -> dict[str, bool]:
        nonlocal asked
        asked += 1
        return {"database": True}

    async def all_at_once() -> list[Mapping[str, bool]]:
        pulse = Pulse(ask)
        first = asyncio.create_task(pulse.get())
        await asyncio.sleep(0)
        first.cancel()  # whoever hangs up takes the answer from nobody
        found = await asyncio.gather(*(pulse.get() for _ in range(1000)))
        return [*found, await pulse.get()]

    assert asyncio.run(all_at_once()) == [{"database": True}] * 1001
    assert asked == 2
