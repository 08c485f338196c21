"""What the guard does with bodies that do not come."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from broadcaster.web.guard import Guard

SCOPE: dict[str, Any] = {
    "type": "http",
    "method": "POST",
    "path": "/v1/alerts",
    "headers": [(b"content-type", b"application/json")],
}


class Behind:
    """The application behind the guard."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.seen: list[tuple[int, bool]] = []

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        del scope
        self.bodies.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def observe(self, scope: Any, status: int, seconds: float) -> None:
        del scope
        self.seen.append((status, seconds >= 0))


def answer(receive: Callable[[], Awaitable[Any]], body_seconds: float = 60.0) -> tuple[Behind, list[Any]]:
    behind, said = Behind(), list[Any]()

    async def send(message: Any) -> None:
        said.append(message)

    asyncio.run(Guard(behind, behind.observe, body_seconds=body_seconds)(dict(SCOPE), receive, send))
    return behind, said


def test_a_whole_body_is_passed_on_once() -> None:
    parts = iter(
        [
            {"type": "http.request", "body": b"{", "more_body": True},
            {"type": "http.request", "body": b"}", "more_body": False},
        ]
    )

    async def receive() -> Any:
        return next(parts)

    behind, said = answer(receive)
    assert (behind.bodies, said[0]["status"], behind.seen) == ([b"{}"], 204, [(204, True)])


def test_a_body_that_does_not_end_is_given_up() -> None:
    async def receive() -> Any:
        await asyncio.Event().wait()

    behind, said = answer(receive, body_seconds=0.02)
    assert (behind.bodies, said[0]["status"], behind.seen) == ([], 408, [(408, True)])
    assert (b"connection", b"close") in said[0]["headers"]


def test_what_a_client_that_left_asked_for_is_not_done() -> None:
    parts = iter(
        [{"type": "http.request", "body": b'{"a"', "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> Any:
        return next(parts)

    behind, said = answer(receive)
    assert (behind.bodies, said, behind.seen) == ([], [], [(0, True)])
