"""A crowd of phones in a process of its own: it reads a line of JSON, asks, and answers a line of JSON.

`python -m tests.bench.crowd PORT`; a line is {"paths", "headers", "clients", "seconds", "most", "fresh"}.
Each client asks for one path after another of the list, at once when it is answered; `fresh` dials anew
for each. A path may hold `{id}`: a UUID that nobody has.
"""

import asyncio
import json
import sys
import time
from typing import Any, cast
from uuid import uuid4

import uvloop

PATIENCE = 20.0
"""Seconds that an answer may take."""


class Phone(asyncio.Protocol):
    """One connection, a request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.answered: asyncio.Future[bytes] | None = None
        self._data, self._left = bytearray(), 0
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's own is no asyncio.Transport by class.
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(None, exc or ConnectionResetError("the server has closed"))

    def data_received(self, data: bytes) -> None:
        if not self._head:
            self._data += data
            head, end, body = bytes(self._data).partition(b"\r\n\r\n")
            if not end:
                return
            self._head, self._data = head, bytearray()
            self._left = 0 if head[9:12] == b"304" else _length(head)
            data = body
        self._left -= len(data)
        if self._left <= 0:
            head, self._head = self._head, b""
            self._end(head, None)

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        """The head of the answer, once its body is there."""
        assert self.transport is not None
        self.answered = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self.answered

    def _end(self, head: bytes | None, error: Exception | None) -> None:
        if self.answered is None or self.answered.done():
            return
        if error is None:
            self.answered.set_result(head or b"")
        else:
            self.answered.set_exception(error)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ValueError(f"no length: {head!r}")


async def dial(port: int) -> Phone:
    """One more connection."""
    made = await asyncio.get_running_loop().create_connection(Phone, "127.0.0.1", port)
    return made[1]


async def crowd(port: int, asked: dict[str, Any]) -> dict[str, Any]:
    """What came of it: how many were answered with what, how fast, in how many bytes."""
    until, left = time.monotonic() + asked["seconds"], [int(asked["most"])]
    late: list[float] = []
    statuses: dict[str, int] = {}

    async def one(number: int) -> None:
        phone: Phone | None = None
        turn = number
        while time.monotonic() < until and left[0] > 0:
            left[0] -= 1
            path = asked["paths"][turn % len(asked["paths"])].replace("{id}", str(uuid4()))
            turn += 1
            began = time.monotonic()
            phone = phone or await dial(port)
            head = await asyncio.wait_for(phone.ask(_request(path, asked["headers"])), PATIENCE)
            late.append(time.monotonic() - began)
            statuses[head[9:12].decode()] = statuses.get(head[9:12].decode(), 0) + 1
            if asked["fresh"] or b"connection: close" in head.lower():
                assert phone.transport
                phone.transport.close()
                phone = None
        if phone is not None and phone.transport is not None:
            phone.transport.close()

    began = time.monotonic()
    await asyncio.gather(*(one(number) for number in range(asked["clients"])))
    took = time.monotonic() - began
    late.sort()
    p95 = late[int(len(late) * 0.95)] * 1e3 if late else 0.0
    return {"requests": len(late), "per_s": len(late) / took, "p95_ms": p95, "statuses": statuses}


def _request(path: str, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode()


async def main(port: int) -> None:
    """Obeys until its input ends."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await crowd(port, json.loads(line))), flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1])))
