"""A double's counts and behaviour for other processes, over HTTP on loopback.

GET /sandbox/count answers {"received", "unique", "duplicates", "refused"}; POST /sandbox/behaviour
takes a whole Behaviour.
"""

import json
from asyncio import IncompleteReadError, LimitOverrunError, StreamReader, StreamWriter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from channels.gateway import SandboxCount
from channels.sms.sandbox.behaviour import Behaviour

_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found"}


class Stats:
    """One request a connection."""

    def __init__(self, count: Callable[[], SandboxCount], behave: Callable[[Behaviour], None]) -> None:
        self._count, self._behave = count, behave

    async def answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Reads a request, answers it, hangs up."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            sizes = [int(line[15:]) for line in head if line.lower().startswith("content-length:")]
            body = await reader.readexactly(sizes[0]) if sizes else b""
            status, said = self._said(" ".join(head[0].split(" ")[:2]), body)
            text = json.dumps(said).encode()
            writer.write(
                f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n".encode()
                + text
            )
            await writer.drain()
        except (IncompleteReadError, LimitOverrunError, ConnectionError, ValueError):
            pass  # not HTTP, or gone before the answer: nothing to say to it
        finally:
            writer.close()

    def _said(self, asked: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if asked == "GET /sandbox/count":
            count = self._count()
            return 200, asdict(count) | {"duplicates": count.duplicates}
        if asked == "POST /sandbox/behaviour":
            try:
                self._behave(Behaviour.model_validate_json(body))
            except ValidationError as error:
                return 400, {"error": str(error)}
            return 200, {}
        return 404, {"error": asked}
