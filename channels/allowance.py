"""How many one process may have sent to without having noted the answer: all its slots share them.

What a kill leaves in doubt is what was noted as going out and not as answered. So a slot takes its share
of the allowance before it notes whom it sends to, and gives it back when the answers are noted: however
many slots are busy, one kill costs at most one allowance.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from time import monotonic

import structlog

from channels.gateway import Result
from schemas.content import Lane
from schemas.dispatch import Dispatch

log = structlog.get_logger(__name__)

PARTS = 2
"""Into so many pieces a window is cut where answers are slow; where they are not, it goes whole, for each
piece costs writes."""
SLOW = 0.09
"""Seconds after which a window still under way means that answers are slow, where this process has nothing
else to do; where it has, pieces would only make it more."""
STUCK = 1.0
"""The same however busy it is: someone's answer stays out."""
TICK = 0.01
"""Seconds between two looks at what came back, while slots wait. One that comes this late was held up."""

_ORDER = {lane: place for place, lane in enumerate((Lane.EMERGENCY, Lane.ALERT, Lane.BULLETIN))}

_Waiting = tuple[int, int, float, Dispatch, int, asyncio.Future["Share"]]
"""By lane, then by turn: since when, for what, how many, and who is told."""

Note = Callable[[Sequence[tuple[Dispatch, Sequence[Result]]]], Awaitable[None]]
"""Notes what came of some recipients of several dispatches that are still under way."""


class Share:
    """What one slot holds of the allowance, for the piece of a dispatch that it sends."""

    def __init__(self, dispatch: Dispatch, size: int, since: float, waited: float) -> None:
        self.dispatch, self.size, self.since = dispatch, size, since
        self.waited = waited
        """Seconds until it was granted."""
        self.told: list[Result] = []
        """Accepted for good, heard of before the piece's last answer."""
        self.noted = 0
        """So many of those are noted."""

    def tell(self, result: Result) -> None:
        """Hears of one who was accepted."""
        self.told.append(result)

    @property
    def fresh(self) -> int:
        """How many were heard of and are not noted."""
        return len(self.told) - self.noted


class Allowance:
    """At most `most` recipients unsettled at a time; graver lanes are served first.

    `note` writes what came back of pieces under way, so that one answer that stays out holds up nobody
    but its own slot. `clock` is in seconds.
    """

    def __init__(self, most: int, note: Note, clock: Callable[[], float] = monotonic) -> None:
        if most < 1:
            raise ValueError("most: must be positive")
        self.most, self._note, self._clock = most, note, clock
        self.part = max(1, most // PARTS)
        """What is worth a piece of its own."""
        self._free = most
        self._shares: set[Share] = set()
        self._waiting: list[_Waiting] = []
        self._numbers = count()
        self._noting = asyncio.Lock()
        self._tending: asyncio.Task[None] | None = None
        self._patience = STUCK

    @property
    def unsettled(self) -> int:
        """How many may have been sent to, with no note of an answer."""
        return self.most - self._free

    async def take(self, dispatch: Dispatch, wanted: int) -> Share:
        """A share for so many, or for fewer where answers are slow; waits until there is one."""
        future: asyncio.Future[Share] = asyncio.get_running_loop().create_future()
        place = (_ORDER[dispatch.lane], next(self._numbers))
        entry = (*place, self._clock(), dispatch, min(wanted, self.most), future)
        heapq.heappush(self._waiting, entry)
        self._grant()
        if not future.done() and self._tending is None:
            self._tending = asyncio.create_task(self._tend())
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.give_back(future.result())
            raise

    def outranked(self, share: Share) -> bool:
        """Whether someone of a graver lane waits for it."""
        return bool(self._waiting) and self._waiting[0][0] < _ORDER[share.dispatch.lane]

    async def ended(self, share: Share, results: Sequence[Result]) -> list[Result]:
        """Of a piece's results those that are to be noted yet. No others are from now on."""
        told = share.told
        if not share.noted:
            await self.heard(share)
            return list(results)
        fresh = {result.rank for result in await self.heard(share)}
        noted = {result.rank for result in told} - fresh
        return [result for result in results if result.rank not in noted]

    async def heard(self, share: Share) -> list[Result]:
        """What was heard of a piece and is to be noted yet. Nothing is noted for it from now on."""
        async with self._noting:
            fresh = share.told[share.noted :]
            share.told, share.noted = [], 0
        return fresh

    def renew(self, share: Share, size: int) -> None:
        """The share's next piece: what it holds beyond that goes to others."""
        self._return(share, share.size - size)
        share.since = self._clock()

    def give_back(self, share: Share) -> None:
        """All of its answers are noted, or nothing was sent. Safe to repeat."""
        self._return(share, share.size)
        self._shares.discard(share)

    def _return(self, share: Share, count: int) -> None:
        if share in self._shares:
            share.size -= count
            self._free += count
            self._grant()

    def _slow(self) -> bool:
        late = self._clock() - self._patience
        return any(share.since <= late for share in self._shares)

    def _least(self) -> int:
        """What the first who waits is content with; 0 where nobody waits."""
        while self._waiting and self._waiting[0][-1].done():
            heapq.heappop(self._waiting)  # its slot was cancelled
        if not self._waiting:
            return 0
        wanted = self._waiting[0][4]
        return min(wanted, self.part) if self._slow() else wanted

    def _grant(self) -> None:
        while 0 < self._least() <= self._free:
            _, _, since, dispatch, wanted, future = heapq.heappop(self._waiting)
            now = self._clock()
            share = Share(dispatch, min(wanted, self._free), now, now - since)
            self._shares.add(share)
            self._free -= share.size
            future.set_result(share)

    async def _tend(self) -> None:
        """While slots wait: notes what came back of slow pieces, for others to go on."""
        try:
            while self._least():
                due = self._clock() + TICK
                await asyncio.sleep(TICK)
                self._patience = SLOW if self._clock() - due < TICK else STUCK
                await self._note_some()
                self._grant()
        finally:
            self._tending = None

    async def _note_some(self) -> None:
        async with self._noting:
            late = self._clock() - self._patience
            slow = [share for share in self._shares if share.since <= late and share.fresh]
            if self._free + sum(share.fresh for share in slow) < self._least():
                return
            fresh = [(share, share.told[share.noted :]) for share in slow]
            try:
                await self._note([(share.dispatch, some) for share, some in fresh])
            except Exception as error:  # noqa: BLE001 (whose they are notes them with the rest)
                log.warning("dispatch.not_noted", error=type(error).__name__)
                return
            for share, some in fresh:
                share.noted += len(some)
        for share, some in fresh:
            self._return(share, len(some))
