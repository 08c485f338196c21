"""Around the framework: bounds on what comes in, headers on what goes out, a log line for what broke."""

import asyncio
import time
import traceback
from collections.abc import Callable

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from broadcaster.web.body import again
from broadcaster.web.problems import problem

log = structlog.get_logger(__name__)

MAX_BODY = 256 * 1024
MAX_FILE = 5_000_000
MAX_KEPT = 320 * 1024
"""Where a whole form may come along, sealed (console/doors/keeping.py)."""
KEPT_PATHS = frozenset({"/console/sign-in", "/console/sign-out", "/console/kept"})
FILES_PATH = "/v1/attachments"
BODY_SECONDS = 20.0
"""For the whole body, so that no one holds a connection for long."""

_CONSOLE = "/console"
_WITH_BODY = {"POST", "PUT", "PATCH", "DELETE"}
_CSP = (
    b"default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self';"
    b" frame-ancestors 'none'"
)
_CONSOLE_CSP = (
    b"default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:;"
    b" base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
    b" require-trusted-types-for 'script'; trusted-types console"
)
"""Our own modules, and one Trusted Types policy, for parts of pages that we ourselves rendered."""
_CITIZEN = ("/my", "/sw.js", "/alerts")
_CITIZEN_CSP = (
    b"default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:;"
    b" manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
    b" require-trusted-types-for 'script'; trusted-types citizen"
)
_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
_UNSTORED = (b"cache-control", b"no-store")

Observe = Callable[[Scope, int, float], None]
"""Takes the request's scope, the answer's status and the seconds it took."""


class _GoneError(Exception):
    """The client left before its request was whole; nothing of it is done."""


class Guard:
    """Runs before and after everything but the screens' feed."""

    def __init__(self, app: ASGIApp, observe: Observe, *, body_seconds: float = BODY_SECONDS) -> None:
        self._app, self._observe, self._body_seconds = app, observe, body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection or the lifespan."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        answered = 0
        took = 0.0

        async def answer(message: Message) -> None:
            nonlocal answered, took
            if message["type"] == "http.response.start":
                answered = message["status"]
                took = time.monotonic() - began if _is_stream(message) else 0.0
                message = {**message, "headers": outgoing(scope["path"], message["headers"])}
            await send(message)

        try:
            await self._guarded(scope, receive, answer)
        except Exception as error:  # noqa: BLE001 (the last one to see it: it is logged, not raised)
            _log(scope, error)
            if not answered:
                await problem("unexpected")(scope, receive, answer)
        finally:
            self._observe(scope, answered, took or time.monotonic() - began)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in _WITH_BODY:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"0")
        most = _most(scope, headers)
        if declared.isdigit() and int(declared[:20]) > most:
            await _refuse("request.too-large", scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._body_seconds):
                body = await _read(receive, most)
        except TimeoutError:
            await _refuse("request.slow", scope, receive, send)
            return
        except _GoneError:
            return
        if body is None:
            await _refuse("request.too-large", scope, receive, send)
        elif body and not _is_taken(scope["path"], headers.get(b"content-type", b"")):
            await _refuse("request.media-type", scope, receive, send)
        else:
            await self._app(scope, again(body, receive), send)


async def _refuse(kind: str, scope: Scope, receive: Receive, send: Send) -> None:
    # The rest of the body is not read, so the connection cannot be used again.
    await problem(kind, headers={"Connection": "close"})(scope, receive, send)


async def _read(receive: Receive, most: int) -> bytes | None:
    """The body, or None where it is too large."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _GoneError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            return None
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _is_stream(start: Message) -> bool:
    # How long someone listens says nothing of how quickly we answer.
    kinds = (value for name, value in start["headers"] if name == b"content-type")
    return any(kind.startswith(b"text/event-stream") for kind in kinds)


def _most(scope: Scope, headers: dict[bytes, bytes]) -> int:
    if scope["path"] in KEPT_PATHS:
        return MAX_KEPT
    # Only who shows what looks like a key may send so much; whether it is one is asked further in.
    with_key = headers.get(b"authorization", b"").startswith(b"Bearer hn_")
    return MAX_FILE if scope["path"] == FILES_PATH and with_key else MAX_BODY


def _is_taken(path: str, content_type: bytes) -> bool:
    said = content_type.split(b";")[0].strip().lower()
    if path == FILES_PATH:
        return True  # It says itself which types it takes.
    if path.startswith(_CONSOLE) or path == "/my":
        return said == b"application/x-www-form-urlencoded"
    # Only the one who parses CAP asks for it; it refuses JSON itself.
    return said == b"application/json" or (said == b"application/cap+xml" and path == "/v1/cap")


def outgoing(path: str, given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, with those that every answer has."""
    headers = [*given, *_ALWAYS]
    # A page with modules of its own says what it needs.
    if all(name != b"content-security-policy" for name, _ in given):
        headers.append((b"content-security-policy", _policy(path)))
    return headers if any(name == b"cache-control" for name, _ in given) else [*headers, _UNSTORED]


def _policy(path: str) -> bytes:
    if path.startswith(_CONSOLE):
        return _CONSOLE_CSP
    return _CITIZEN_CSP if path == "/" or path.startswith(_CITIZEN) else _CSP


def _log(scope: Scope, error: BaseException) -> None:
    # Where, and which kind; not the texts, for those of the database quote values.
    kinds: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(kinds) < 5:  # noqa: PLR2004
        kinds.append(type(cause).__qualname__)
        cause = cause.__cause__ or cause.__context__
    log.error(
        "request_failed",
        method=scope["method"],
        route=getattr(scope.get("route"), "path", None),
        errors=kinds,
        where="".join(traceback.format_tb(error.__traceback__)[-8:]),
    )
