"""The way out of one dispatch: in pieces, each within the allowance and noted before it goes."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from channels.allowance import Allowance, Share
from channels.desk import Claim, Desk, HoldLostError
from channels.gateway import Gateway, Message, PayloadFaultError, Recipient, Result, Router, Telling
from channels.tally import Tally
from schemas.dispatch import Outcome

LONG_WAIT = 0.25
"""Seconds of waiting for others after which a version is asked again whether it still holds."""


class Sending:
    """Sends to those of a dispatch who have no outcome yet, and notes it in the tally and the ledger.

    Whom an earlier holder left in doubt (`claim`) stays so in the ledger until there is an outcome.
    Whoever closes the dispatch calls `settled` afterwards.
    """

    def __init__(
        self,
        desk: Desk,
        gateway: Gateway,
        allowance: Allowance,
        tally: Tally,
        claim: Claim,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._desk, self._gateway, self._allowance, self._tally = desk, gateway, allowance, tally
        self._clock = clock
        # Asked once: of a Protocol it takes as long as some messages.
        self._telling = gateway if isinstance(gateway, Telling) else None
        self._dispatch = tally.dispatch
        self._hold, self._in_doubt, self._via = claim.claims, claim.in_doubt, claim.via
        self._share: Share | None = None
        self._unnoted: Sequence[Result] = ()
        self._going: Sequence[Recipient] = ()
        """The piece that is being sent."""
        self._look_again = False

    async def run(self, message: Message, recipients: Sequence[Recipient]) -> None:
        """Sends; ends early where the version holds no more.

        Raises PayloadFaultError where it is refused, HoldLostError where another worker has the dispatch.
        Whatever else is raised, what is known by then is noted first: nobody is sent to again for it.
        """
        try:
            await self._run(message, recipients)
        except (PayloadFaultError, HoldLostError):
            raise
        except Exception:
            if self._share:
                self._unnoted = [*self._unnoted, *await self._allowance.heard(self._share)]
                await self._note(self._going)
            raise

    async def _run(self, message: Message, recipients: Sequence[Recipient]) -> None:
        for window in self._windows(message, recipients):
            rest = window
            while rest:
                share = await self._next(rest)
                if self._look_again and (moot := await self._moot()):
                    self._tally.close_rest(moot)
                    return
                piece, rest = rest[: share.size], rest[share.size :]
                await self._note(piece)
                self._look_again, self._going = True, piece
                await self._send(message, piece, share)
                self._going = ()

    async def _moot(self) -> Outcome | None:
        """What becomes of those who are not sent to yet, where the version no longer holds."""
        if self._clock() >= self._dispatch.expires_at:
            return Outcome.EXPIRED
        message = await asyncio.to_thread(self._desk.message, self._dispatch)
        return Outcome.SUPERSEDED if message is None else None

    def settled(self) -> None:
        """What came of all is noted: others may send now."""
        if self._share:
            self._allowance.give_back(self._share)
            self._share = None

    def _windows(self, message: Message, recipients: Sequence[Recipient]) -> Iterator[Sequence[Recipient]]:
        gateway = self._gateway
        if isinstance(gateway, Router):
            bound = self._tally.bound
            yield from gateway.route(
                message, [one._replace(via=bound.get(one.rank, "")) for one in recipients]
            )
            return
        for start in range(0, len(recipients), gateway.window):
            yield recipients[start : start + gateway.window]

    async def _next(self, rest: Sequence[Recipient]) -> Share:
        """The share for the next piece: the one we hold, where it is worth it and nobody graver waits."""
        allowance, share = self._allowance, self._share
        if share:
            least = min(len(rest), allowance.part)
            if share.size >= least and not allowance.outranked(share):
                allowance.renew(share, min(share.size, len(rest)))
                return share
            await self._note(())
            self.settled()
        self._share = share = await allowance.take(self._dispatch, len(rest))
        # An update or a cancel may have come meanwhile.
        self._look_again = self._look_again or share.waited > LONG_WAIT
        return share

    async def _note(self, piece: Sequence[Recipient]) -> None:
        """What came of the last piece, and whom the next one goes to, before it does."""
        via = piece[0].via if piece else self._via
        going = {one.rank for one in piece}
        if via == self._via:
            going.update(rank for rank in self._in_doubt if rank not in self._tally.outcomes)
        await asyncio.to_thread(
            self._desk.progress, self._dispatch, self._hold, self._unnoted, sorted(going), via
        )
        self._unnoted = ()

    async def _send(self, message: Message, piece: Sequence[Recipient], share: Share) -> None:
        try:
            if self._telling is not None:
                results = await self._telling.send_telling(message, piece, share.tell)
            else:
                results = await self._gateway.send(message, piece)
        except PayloadFaultError:
            # Refused in one language, it may have been taken in another.
            self._tally.note(share.told)
            raise
        self._unnoted = await self._allowance.ended(share, results)
        self._tally.note(results)
