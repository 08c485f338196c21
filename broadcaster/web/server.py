"""Uvicorn, told of what it would wait for: streams and polls that are open end as soon as it stops."""

import socket
from collections.abc import Callable

import uvicorn

DIED = 3
"""The exit code where it never began to serve, as uvicorn's own."""


class WebServer(uvicorn.Server):
    """A server that calls `release` before it waits for connections to end.

    The lifespan is too late for that: it ends only when they have.
    """

    def __init__(self, config: uvicorn.Config, release: Callable[[], None]) -> None:
        super().__init__(config)
        self._release = release
        self._asked = False

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves until it is asked to end. Raises SystemExit(DIED) where it could not begin."""
        super().run(sockets)
        if not self.started and not self._asked:
            raise SystemExit(DIED)

    def end(self) -> None:
        """Asks it to end; from any thread."""
        self._asked = self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops serving."""
        self._release()
        await super().shutdown(sockets)
