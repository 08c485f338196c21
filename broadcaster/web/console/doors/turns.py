"""How many strangers may be at the door at once: each holds a thread for long, and all pages share them.

A password takes 64 MiB and a core for a moment on purpose, an identity provider seconds when it is down.
Three hundred at once held every thread of the server for a minute, so that nobody could issue an alert.
Who comes beyond that waits on the loop, where it costs nothing, and is told so when it gets too long.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import Request

from broadcaster.neighbourhood import neighbourhood
from broadcaster.web.problems import ProblemError

MOST = 8
"""Of the forty threads there are."""
LINE = 100
"""Who is in or waits."""
LINE_OF_ONE = 20
"""The same of one address: an office that is called in at night, and no more."""
PATIENCE = 10.0
"""Seconds that anyone waits."""


class FullError(Exception):
    """Too many wait, or it took too long."""


class Turns:
    """Counts on the server's loop, before a thread is taken."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(MOST)
        self._line = Counter[str]()

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncGenerator[None]:
        """A turn, once it is one's own. Raises FullError."""
        near = neighbourhood(address)
        if self._line.total() >= LINE or self._line[near] >= LINE_OF_ONE:
            raise FullError
        self._line[near] += 1
        try:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._free.acquire()
            except TimeoutError:
                raise FullError from None
            try:
                yield
            finally:
                self._free.release()
        finally:
            self._line[near] -= 1
            if not self._line[near]:
                del self._line[near]


async def turn(request: Request) -> AsyncGenerator[None]:
    """A turn for the time of the request. Raises ProblemError where there is none."""
    turns: Turns = request.app.state.services.turns
    address = request.client.host if request.client else ""
    try:
        async with turns.turn(address):
            yield
    except FullError:
        detail = "Many sign in at this moment; try again."
        raise ProblemError("unavailable", detail, headers={"Retry-After": "2"}) from None
