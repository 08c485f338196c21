"""How many strangers may be at the door at once: each holds a thread for long, and all pages share them.

A password takes 64 MiB and a core for a moment on purpose, an identity provider seconds when it is down.
Three hundred at once held every thread of the server for a minute, so that nobody could issue an alert.
"""

from collections.abc import AsyncGenerator

from fastapi import Request

from broadcaster.web.problems import ProblemError

MOST = 8
"""Of the forty threads there are."""


class Turns:
    """Counts on the server's loop, before a thread is taken."""

    def __init__(self) -> None:
        self.taken = 0

    def take(self) -> bool:
        """One more, where there is room."""
        if self.taken >= MOST:
            return False
        self.taken += 1
        return True


async def turn(request: Request) -> AsyncGenerator[None]:
    """A turn for the time of the request. Raises ProblemError where all are taken."""
    turns: Turns = request.app.state.services.turns
    if not turns.take():
        raise ProblemError(
            "unavailable", "Many sign in at this moment; try again.", headers={"Retry-After": "2"}
        )
    try:
        yield
    finally:
        turns.taken -= 1
