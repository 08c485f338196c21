"""Answers passers-by from ready bytes, and lets the framework make each once for all who wait."""

import asyncio
import random
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from psycopg import OperationalError
from psycopg_pool import ConnectionPool, PoolTimeout
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from broadcaster.web.copies.address import Ask, ask_of, language_of
from broadcaster.web.copies.lane import FullError, Lane
from broadcaster.web.copies.news import News
from broadcaster.web.copies.notices import notice
from broadcaster.web.copies.ready import Copy, Form, Terms, is_unchanged, made, takes_gzip
from broadcaster.web.copies.said import Key, Said, key_of, said_in
from broadcaster.web.copies.strangers import Strangers
from broadcaster.web.copies.terms import end_of
from broadcaster.web.edge.stamp import Stamp

log = structlog.get_logger(__name__)

MOST_BYTES = 32 * 2**20
MOST_COPY = 2 * 2**20
"""Bytes of one copy: larger ones are not kept."""
_NO_PASSERS_BY = ("/console", "/v1/", "/static/", "/screens/", "/metrics", "/healthz")
"""Staff, programs with keys, screens and monitors."""
_METHODS = {"GET", "HEAD"}


class _Made(NamedTuple):
    copy: Copy | None
    """None where the answer is nobody else's."""


class Copies:
    """Belongs to the event loop; the news come from a thread of their own."""

    def __init__(self, pool: ConnectionPool[Any], clock: Callable[[], datetime], base_url: str) -> None:
        self.news = News(pool, clock)
        self.strangers = Strangers(pool)
        self._first, self.rest = Lane(), Lane()
        self.served: Counter[tuple[str, int]] = Counter()
        """Answers by kind and status."""
        own = urlsplit(base_url)
        self._clock, self._scheme, self._host = clock, own.scheme, own.netloc.encode()
        self._stamp = Stamp(clock)
        self._kept: OrderedDict[Key, Copy] = OrderedDict()
        self.bytes = 0
        self.rooms: frozenset[str] | None = None
        """The first words of every path that there is; None where nobody has said."""
        self._making: dict[tuple[Key, int], asyncio.Task[_Made]] = {}

    # --- what is there ----------------------------------------------------------------------------

    def ready(
        self, target: bytes, headers: Sequence[tuple[bytes, bytes]], *, last: bool = False
    ) -> bytes | None:
        """The whole answer to a GET, from memory; None where the long way has to be gone.

        `last`: the connection is closed after it.
        """
        ask = ask_of(target)
        if ask is None or not self.news.is_heard:
            return None
        said = said_in(headers)
        copy = self._find(ask, said) if said.is_plain else None
        if copy is None:
            return None
        form, unchanged = self._chosen(ask, copy, said)
        end = b"connection: close\r\n\r\n" if last else b"\r\n"
        if unchanged:
            return form.head_unchanged + self._stamp.date + end
        return form.head_whole + self._stamp.date + end + form.body

    def _find(self, ask: Ask, said: Said) -> Copy | None:
        key = key_of(ask, said)
        copy = self._kept.get(key)
        if copy is None or not copy.holds(self.news.generation, self._clock()):
            return None
        self._kept.move_to_end(key)
        return copy

    def _chosen(self, ask: Ask, copy: Copy, said: Said) -> tuple[Form, bool]:
        form = copy.packed if takes_gzip(said.encodings) else copy.plain
        unchanged = is_unchanged(form, said.tags)
        self.served[ask.kind.name, 304 if unchanged else 200] += 1
        return form, unchanged

    def _keep(self, key: Key, copy: Copy) -> None:
        self._drop(key)
        if copy.size > MOST_COPY:
            return
        self._kept[key] = copy
        self.bytes += copy.size
        while self.bytes > MOST_BYTES:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Key) -> None:
        copy = self._kept.pop(key, None)
        if copy is not None:
            self.bytes -= copy.size

    def __len__(self) -> int:
        return len(self._kept)

    # --- the long way -----------------------------------------------------------------------------

    async def answer(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> bool:
        """Answers one whom no key names; False where this is not for here. `app` makes what is missing."""
        path: str = scope["path"]
        if scope["method"] not in _METHODS:
            return False
        query: bytes = scope["query_string"]
        raw: bytes = scope.get("raw_path") or path.encode()
        ask = ask_of(raw + b"?" + query if query else raw)
        if ask is None and path.startswith(_NO_PASSERS_BY):
            return False
        said = said_in(scope["headers"])
        if not said.is_plain:
            return False
        try:
            if ask is None and self.rooms is not None and path.split("/", 2)[1] not in self.rooms:
                # What scanners ask for all day, and nobody else.
                await self._notice(404, scope, said, send)
            elif ask is None or not await self._of(app, ask, said, scope, send):
                await self.rest.through(app, scope, receive, send)
        except FullError:
            await self._notice(503, scope, said, send, retry=random.randint(2, 5))  # noqa: S311 (spread)
        return True

    async def _of(self, app: ASGIApp, ask: Ask, said: Said, scope: Scope, send: Send) -> bool:
        if not self.news.is_heard:
            return False
        copy = self._find(ask, said)
        if copy is None:
            if ask.alert is not None and not await self._exists(ask.alert, key_of(ask, said)):
                await self._notice(404, scope, said, send)
                return True
            copy = (await self._made(app, ask, said, scope)).copy
        if copy is None:
            return False
        form, unchanged = self._chosen(ask, copy, said)
        status = 304 if unchanged else 200
        headers = form.unchanged if unchanged else form.whole
        await send({"type": "http.response.start", "status": status, "headers": headers})
        body = b"" if unchanged or scope["method"] == "HEAD" else form.body
        await send({"type": "http.response.body", "body": body})
        return True

    async def _exists(self, alert_id: UUID, key: Key) -> bool:
        try:
            return key in self._kept or await self.strangers.knows(alert_id)
        except (OperationalError, PoolTimeout):
            return True  # The framework says what is wrong.

    async def _made(self, app: ASGIApp, ask: Ask, said: Said, scope: Scope) -> _Made:
        """Made once for all who ask meanwhile; of two who ask before and after news, each its own."""
        key, generation = key_of(ask, said), self.news.generation if ask.kind.moves else -1
        task = self._making.get((key, generation))
        if task is None:
            task = asyncio.create_task(self._make(app, ask, key, generation, scope))
            self._making[key, generation] = task
            task.add_done_callback(lambda _: self._making.pop((key, generation), None))
        # Who leaves takes nothing from those who wait beside him.
        return await asyncio.shield(task)

    async def _make(self, app: ASGIApp, ask: Ask, key: Key, generation: int, like: Scope) -> _Made:
        since, next_end = self._clock(), self.news.next_end
        asked = self._plain(ask, key, like)
        # Those who ask for what has no end of addresses do not keep others from what everyone asks for.
        lane = self._first if ask.is_common else self.rest
        status, headers, body = await _captured(lane, app, asked)
        if status != 200 or not _is_for_all(ask, headers):  # noqa: PLR2004 (OK)
            return _Made(None)
        until = since + timedelta(seconds=ask.kind.seconds)
        if ask.kind.moves:
            until = min([until, *(end for end in (next_end, end_of(dict(asked))) if end and end > since)])
        terms = Terms(generation, since, until)
        copy = (
            made(headers, body, terms)
            if len(body) < _QUICK
            else await asyncio.to_thread(made, headers, body, terms)
        )
        self._keep(key, copy)
        return _Made(copy)

    def _plain(self, ask: Ask, key: Key, like: Scope) -> Scope:
        """The request as anyone might put it, whoever did: what only one of them said is not in it."""
        headers = [(b"host", self._host), (b"accept", b"text/html, */*")]
        if key[2] and not ask.lang:
            headers.append((b"cookie", f"lang={key[2]}".encode()))
        return {
            "type": "http",
            "asgi": like["asgi"],
            "http_version": "1.1",
            "method": "GET",
            "scheme": self._scheme,
            "path": ask.path,
            "raw_path": ask.path.encode(),
            "query_string": ask.query.encode(),
            "root_path": "",
            "headers": headers,
            "client": None,
            "server": like.get("server"),
            "state": dict(like.get("state") or {}),
        }

    async def _notice(self, status: int, scope: Scope, said: Said, send: Send, *, retry: int = 0) -> None:
        path: str = scope["path"]
        for_people = b"text/html" in said.accept and not path.startswith("/v1/")
        asked: bytes = scope["query_string"]
        lang = "en" if b"lang=en" in asked.split(b"&") else language_of(said.cookies) or "vi"
        headers, body = notice(status, lang, for_people=for_people)
        if retry:
            headers = [*headers, (b"retry-after", b"%d" % retry)]
        self.served["notice", status] += 1
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


_QUICK = 60_000
"""Bytes that are packed within the loop: a millisecond."""


def _is_for_all(ask: Ask, headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether the answer is the same for all who ask so; what the address has set is its own language."""
    given = dict(headers)
    if b"public" in given.get(b"cache-control", b""):
        return b"set-cookie" not in given
    return bool(ask.lang) and given.get(b"set-cookie", b"").startswith(b"lang=")


async def _captured(lane: Lane, app: ASGIApp, scope: Scope) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    status, headers, body = 0, list[tuple[bytes, bytes]](), bytearray()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            headers.extend(message["headers"])
        else:
            body.extend(message.get("body", b""))

    await lane.through(app, scope, receive, send)
    return status, headers, bytes(body)
