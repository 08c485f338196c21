"""The led-edge role: the screens' feeds on a bare socket."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from broadcaster.keys.files import feed_key
from broadcaster.roles import Role
from broadcaster.roles.ending import Ending
from broadcaster.roles.loop import unless, until_stopped
from broadcaster.runtime import House, clock
from broadcaster.screens.book import ScreenBook
from broadcaster.screens.seen import Seen
from broadcaster.settings import Settings, SettingsError
from broadcaster.web.directory import Directory
from broadcaster.web.edge.desk import Desk
from broadcaster.web.edge.limits import Limits
from broadcaster.web.edge.server import EdgeServer
from broadcaster.web.feeds.cache import FeedCache
from broadcaster.web.feeds.forms import FeedForms
from broadcaster.web.feeds.polls import ServedCount
from schemas.content import Lane

LAST_ANSWERS = 1.0
"""Seconds for who is being answered at the end; what was seen is written after, within ending.PATIENCE."""


def run(role: Role, settings: Settings, lanes: Sequence[Lane], ending: Ending) -> None:
    """Serves until the process is asked to stop. Raises SettingsError where the signing key is missing."""
    del role, lanes
    if not settings.feed_key_path.exists():
        # One made here would be another one: screens would refuse everything that it signs.
        raise SettingsError(
            f"BROADCASTER_FEED_KEY: {settings.feed_key_path} is missing; it is the web role's that signs"
        )
    until_stopped(ending, lambda stopped: _serve(settings, stopped))


async def _serve(settings: Settings, stopped: asyncio.Event) -> None:
    with House.open(settings, check=True) as house:
        sign = feed_key(settings).sign
        served: dict[UUID, ServedCount] = {}
        book = ScreenBook(house.log)
        cache = FeedCache(house.pool, house.keys, Directory(house.log), sign, clock, book)
        seen = Seen(house.pool, served, clock)
        limits = Limits(per_address=settings.edge_per_address)
        desk = Desk(cache, FeedForms(house.pool, sign), clock, served, limits.slow_jobs)
        server = EdgeServer(desk, limits, asyncio.get_running_loop())
        await unless(stopped, asyncio.to_thread(cache.refresh))
        if stopped.is_set():
            return
        cache.start()
        seen.start()
        try:
            await server.start(settings.host, settings.port)
            await stopped.wait()
        finally:
            await server.stop(LAST_ANSWERS)
            await asyncio.to_thread(seen.stop)
            await asyncio.to_thread(cache.stop)
