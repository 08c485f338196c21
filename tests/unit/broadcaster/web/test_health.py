"""The health check, while everything else waits."""

import asyncio
import threading

import httpx
from anyio.to_thread import current_default_thread_limiter, run_sync

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
