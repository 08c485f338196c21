"""Whose turn it is to submit: a carrier's rate, of one process or of all workers together."""

from typing import Protocol

from channels.pace import Pace
from schemas.content import Lane


class Turns(Protocol):
    """Who keeps a carrier's rate."""

    async def turn(self, lane: Lane) -> None:
        """Waits for the next place."""
        ...

    async def hold(self, seconds: float) -> None:
        """Nothing goes out for so long: the carrier said that it is too much."""
        ...


class OwnTurns:
    """A rate of one's own, in parts a second. The lanes are alike."""

    def __init__(self, rate: float) -> None:
        self._pace = Pace(rate)

    async def turn(self, lane: Lane) -> None:  # noqa: ARG002 (others tell lanes apart)
        """See Turns."""
        await self._pace.turn()

    async def hold(self, seconds: float) -> None:
        """See Turns."""
        self._pace.hold(seconds)
