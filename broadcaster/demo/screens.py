"""The demo's screens: each polls its feed with an ETag, and reports what it shows for the first time."""

import asyncio
import json
import random
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from broadcaster.demo.stage import DemoScreen
from schemas.events import Shown

AT_ONCE = 20
SETTLE = 0.05
TIMEOUT = timedelta(seconds=30)
JSON = {"content-type": "application/json"}


@dataclass
class Panel:
    """What one screen knows."""

    screen: DemoScreen
    etag: str = ""
    polls: int = 0
    unchanged: int = 0
    shown: set[Shown] = field(default_factory=set[Shown])


class Panels:
    """All screens, in a thread of their own, until stopped."""

    def __init__(self, url: str, screens: Sequence[DemoScreen], every: float) -> None:
        """`every` is the seconds between two polls of a screen, spread by a fifth."""
        self.panels = [Panel(screen) for screen in screens]
        self.every = every
        self._url = url
        self._loop: asyncio.AbstractEventLoop | None = None
        self._off = asyncio.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run()), name="screens", daemon=True
        )

    def start(self) -> None:
        """Switches them on. Once only."""
        self._thread.start()

    def stop(self) -> None:
        """Switches them off and waits; again is harmless."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._off.set)
            self._thread.join()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        gate = asyncio.Semaphore(AT_ONCE)
        builder = ClientBuilder().base_url(f"{self._url}/").timeout(TIMEOUT).default_headers(JSON)
        async with builder.build() as client, asyncio.TaskGroup() as group:
            for panel in self.panels:
                group.create_task(self._live(client, gate, panel))
        # pyreqwest's thread still lets go of our objects; an interpreter that ends meanwhile aborts.
        await asyncio.sleep(SETTLE)

    async def _live(self, client: Client, gate: asyncio.Semaphore, panel: Panel) -> None:
        await self._pause(random.random() * self.every)  # noqa: S311 (spread, no secret)
        while not self._off.is_set():
            try:
                async with gate:
                    await poll(client, panel)
            except PyreqwestError:
                panel.etag = ""  # The house is restarting; a screen keeps what it shows and asks again.
            await self._pause(self.every * random.uniform(0.8, 1.2))  # noqa: S311

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._off.wait()


async def poll(client: Client, panel: Panel) -> None:
    """One poll, and a report where something is new. Raises PyreqwestError."""
    ask = client.get("v1/screens/me/feed").bearer_auth(panel.screen.key)
    if panel.etag:
        ask = ask.header("If-None-Match", panel.etag)
    answer = await ask.build().send()
    panel.polls += 1
    if answer.status == HTTPStatus.NOT_MODIFIED:
        panel.unchanged += 1
        return
    answer.error_for_status()
    items = json.loads(bytes(await answer.bytes()))["items"]
    showing = [Shown(alert_id=item["id"], version=item["rev"]) for item in items]
    if new := [shown for shown in showing if shown not in panel.shown]:
        report = {"shown": [shown.model_dump(mode="json") for shown in new]}
        tell = client.post("v1/screens/me/reports").bearer_auth(panel.screen.key)
        (await tell.body_bytes(json.dumps(report).encode()).build().send()).error_for_status()
        panel.shown.update(new)
    panel.etag = answer.get_header("etag") or ""
