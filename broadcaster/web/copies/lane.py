"""How many passers-by are answered the long way at once: staff and screens are served beside them."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

AT_ONCE = 2
"""Of the forty threads that answer; more would only take the interpreter from each other."""
ROOM = 300
"""Who may wait for a turn: some three seconds' worth."""


class FullError(Exception):
    """Too many wait already."""


class Lane:
    """Belongs to the event loop."""

    def __init__(self, at_once: int = AT_ONCE, room: int = ROOM) -> None:
        self._turns, self.room = asyncio.Semaphore(at_once), room
        self.waiting = 0

    async def through(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Has the framework answer, in its turn. Raises FullError.

        The turn ends where the answer begins: a reader who takes it byte by byte holds up nobody.
        """
        if self.waiting >= self.room:
            raise FullError
        self.waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self.waiting -= 1
        held = True

        def release() -> None:
            nonlocal held
            if held:
                held = False
                self._turns.release()

        async def begun(message: Message) -> None:
            release()
            await send(message)

        try:
            await app(scope, receive, begun)
        finally:
            release()
