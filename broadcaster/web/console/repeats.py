"""A form that comes twice has one answer: the second press waits for the first, and is told the same.

Each page has its own mark (the mask of its token), so the same bytes are the same press: a finger that hit
twice, a reload, an answer that a bad network lost. What is shown once, a key or a number, is thereby not
lost to the second answer. Kept for a minute, in this process; across processes the commands themselves see
to it that nothing is done twice.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg
from psycopg_pool import PoolTimeout
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from broadcaster.web.body import again
from broadcaster.web.console.doors.kept import KEPT
from broadcaster.web.console.form import CSRF

LASTS = 60.0
"""Seconds that an answer is kept."""
MOST = 300
"""Answers that are kept."""
LARGEST = 256 * 1024
"""Bytes of an answer that is kept."""
PATIENCE = 15.0
"""Seconds that a second press waits for the first."""
LOOK = 0.02
"""Seconds between looks meanwhile."""
_DONE = frozenset({200, 303})
_COUNTED = ("cookie", "if-match", "origin", "sec-fetch-site", "accept-encoding")
"""Headers on which an answer depends."""

IsSignedIn = Callable[[Request], bool]


@dataclass
class _Answer:
    began: float
    ended: bool = False
    messages: list[Message] = field(default_factory=list[Message])
    """Empty where it is not to be given again: nothing was done."""


class Repeats:
    """Around the framework. `is_signed_in` asks for the session anew: it may have ended since."""

    def __init__(self, app: ASGIApp, is_signed_in: IsSignedIn) -> None:
        self._app, self._is_signed_in = app, is_signed_in
        self._answers: OrderedDict[bytes, _Answer] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection or the lifespan."""
        if (
            scope["type"] != "http"
            or scope["method"] != "POST"
            or not scope["path"].startswith("/console/")
        ):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await request.body()
        key = _key(request, body)
        if key is None:
            await self._app(scope, again(body, receive), send)
            return
        known = self._known(key)
        if known is not None:
            await _over(known)
            if known.messages and await asyncio.to_thread(self._may_see, request):
                for message in known.messages:
                    await send(message)
                return
        await self._first(key, scope, again(body, receive), send)

    async def _first(self, key: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._answers[key] = _Answer(time.monotonic())
        said: list[Message] = []

        async def note(message: Message) -> None:
            said.append(message)
            await send(message)

        try:
            await self._app(scope, receive, note)
            if _is_kept(said):
                answer.messages = said
            else:
                self._answers.pop(key, None)
        except BaseException:
            self._answers.pop(key, None)
            raise
        finally:
            answer.ended = True

    def _may_see(self, request: Request) -> bool:
        try:
            return self._is_signed_in(request)
        except (psycopg.OperationalError, PoolTimeout):
            return False  # The framework says that the database is away.

    def _known(self, key: bytes) -> _Answer | None:
        oldest = time.monotonic() - LASTS
        while self._answers:
            first = next(iter(self._answers))
            if self._answers[first].began > oldest and len(self._answers) < MOST:
                break
            del self._answers[first]
        return self._answers.get(key)


async def _over(answer: _Answer) -> None:
    patience = time.monotonic() + PATIENCE
    while not answer.ended and time.monotonic() < patience:  # noqa: ASYNC110 (an event is of one loop)
        await asyncio.sleep(LOOK)


def _key(request: Request, body: bytes) -> bytes | None:
    """Of a form of a page: which session, where to, and every byte. None of what a script sends."""
    headers = request.headers
    if "text/html" not in headers.get("accept", "") or f"{CSRF}=".encode() not in body:
        return None
    if request.url.path == KEPT:
        return None  # It changes nothing, and what it answers may be another thing by then.
    said = "\n".join([headers.get(each, "") for each in _COUNTED])
    mark = hashlib.sha256(f"{request.url.path}\n{said}\n".encode())
    mark.update(body)
    return mark.digest()


def _is_kept(said: list[Message]) -> bool:
    status = next((each["status"] for each in said if each["type"] == "http.response.start"), 0)
    return status in _DONE and sum(len(each.get("body", b"")) for each in said) <= LARGEST
