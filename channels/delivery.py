"""One dispatch, from claim to receipt: who is still to be sent to, in windows, and what came of each."""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from channels.allowance import Allowance
from channels.desk import Claim, Desk
from channels.gateway import Gateway, Message, PayloadFaultError, Recipient, Result
from channels.retry import MAX_CLAIMS
from channels.sending import Sending
from channels.tally import Tally
from schemas.content import MsgType
from schemas.dispatch import Dispatch, Outcome, Receipt

TURN = 0.05
LONGEST_TURN = 15.0
"""Seconds after its issue that a version may wait for an earlier one under way, a look every TURN: longer
than a provider's timeout, but a worker that died must not hold up an emergency."""

log = structlog.get_logger(__name__)

FAULTS_KEPT = 64
"""Versions whose content was refused, or taken, that a worker remembers."""
FAULT_KEPT = timedelta(minutes=10)
"""How long. Who replays a dead letter gets a true try at once: a person says that it may pass now."""

SLICE = 500
"""Of the largest dispatch: what one kill may leave in doubt."""

Refusal = Callable[[Dispatch, Message, datetime], str]
"""Why nobody of a dispatch gets it; empty where they do. Blocks."""


class Delivery:
    """Carries out dispatches through one gateway; what the house refuses ends as refused.

    `allowance` is how many recipients may be sent to and not noted as answered, all dispatches together.
    """

    def __init__(
        self,
        desk: Desk,
        gateway: Gateway,
        clock: Callable[[], datetime],
        refusal: Refusal | None = None,
        *,
        allowance: int = SLICE,
    ) -> None:
        self._desk = desk
        self._allowance = Allowance(allowance, self._note)
        self._gateway = gateway
        self._clock = clock
        self._refusal = refusal
        self._faults: dict[tuple[UUID, int], tuple[str, datetime]] = {}
        self._taken: dict[tuple[UUID, int], None] = {}
        """Versions that a provider took for someone: their content is sound."""

    @property
    def unsettled(self) -> int:
        """How many may have been sent to, with no note of an answer: who ends now leaves them in doubt."""
        return self._allowance.unsettled

    async def deliver(self, dispatch: Dispatch) -> Receipt | None:
        """Carries it out to its receipt; None where it had one already. Safe to repeat.

        Raises HoldLostError where another worker took it over meanwhile.
        """
        at = self._clock()
        claim, message = await asyncio.to_thread(self._take_up, dispatch, at)
        if claim.done:
            return None
        tally = Tally(dispatch)
        tally.note(claim.noted)
        # Whatever comes of it now: a withdrawal must go to whom its last holder was sending to.
        tally.doubt(claim.in_doubt, claim.via)
        if message is not None and message.version > 1:
            await self._turn(dispatch, message.sent)
            at = self._clock()
        if at >= dispatch.expires_at:
            tally.close_rest(Outcome.EXPIRED)
        elif message is None:
            tally.close_rest(Outcome.SUPERSEDED)
        elif message.msg_type is MsgType.CANCEL and await self._withdraws_nothing(dispatch, message.sent):
            tally.close_rest(Outcome.SUPERSEDED, "NOTHING_TO_WITHDRAW")
        elif claim.claims > MAX_CLAIMS:
            tally.close_rest(Outcome.DEAD, "CLAIMED_TOO_OFTEN")
        elif fault := self._fault(dispatch, at):
            tally.close_rest(Outcome.DEAD, fault)
        elif reason := await self._refused(dispatch, message, at):
            tally.close_rest(Outcome.REFUSED, reason)
        else:
            sending = Sending(self._desk, self._gateway, self._allowance, tally, claim, clock=self._clock)
            try:
                gone = await self._send(dispatch, message, tally, sending)
                return await self._close(tally, claim.claims, gone)
            finally:
                sending.settled()
        return await self._close(tally, claim.claims)

    def _take_up(self, dispatch: Dispatch, at: datetime) -> tuple[Claim, Message | None]:
        """Holds the dispatch, and only then asks what it says. Blocks."""
        claim = self._desk.claim(dispatch, at)
        return claim, None if claim.done else self._desk.message(dispatch)

    async def _close(self, tally: Tally, hold: int, gone: Sequence[Recipient] = ()) -> Receipt:
        at = self._clock()
        if Outcome.ACCEPTED in tally.outcomes.values():
            self._go_on(tally.dispatch)
        receipt = tally.receipt(self._gateway.name, at, random.random())  # noqa: S311 (spread, no secret)
        await asyncio.to_thread(self._desk.close, receipt, hold, gone, at)
        return receipt

    async def _refused(self, dispatch: Dispatch, message: Message, at: datetime) -> str:
        if self._refusal is None:
            return ""
        return await asyncio.to_thread(self._refusal, dispatch, message, at)

    async def _turn(self, dispatch: Dispatch, sent: datetime) -> None:
        """Waits until no earlier version is under way, so that the phone gets them in order.

        What is not claimed yet will not be sent: whoever claims it asks for the latest word after that.
        """
        left = LONGEST_TURN - max(0.0, (self._clock() - sent).total_seconds())
        while left > 0 and await asyncio.to_thread(self._desk.ahead, dispatch):
            await asyncio.sleep(TURN)
            left -= TURN

    async def _withdraws_nothing(self, dispatch: Dispatch, sent: datetime) -> bool:
        """Asked again where an earlier version was claimed meanwhile: that claim will find itself moot."""
        if await asyncio.to_thread(self._desk.withdraws_nothing, dispatch):
            return True
        if not await asyncio.to_thread(self._desk.ahead, dispatch):
            return False
        await self._turn(dispatch, sent)
        return await asyncio.to_thread(self._desk.withdraws_nothing, dispatch)

    async def _send(
        self, dispatch: Dispatch, message: Message, tally: Tally, sending: Sending
    ) -> list[Recipient]:
        """Sends to those without an outcome; answers whose address is gone."""
        pending = tally.pending()
        recipients = await asyncio.to_thread(self._desk.recipients, dispatch, pending)
        present = {recipient.rank: recipient for recipient in recipients}
        tally.note([Result(rank, Outcome.GONE, "ERASED") for rank in pending if rank not in present])
        try:
            await sending.run(message, recipients)
        except PayloadFaultError as fault:
            self._stop(dispatch, fault.reason)
            tally.close_rest(Outcome.DEAD, fault.reason)
        return [recipient for rank, recipient in present.items() if tally.outcomes[rank] is Outcome.GONE]

    async def _note(self, some: Sequence[tuple[Dispatch, Sequence[Result]]]) -> None:
        await asyncio.to_thread(self._desk.note, some)

    def _stop(self, dispatch: Dispatch, reason: str) -> None:
        """Content that is refused is refused for everyone: what is left of the version is not tried.

        Where someone was sent it, it is one recipient's own matter, or one language's.
        """
        log.error("dispatch.content_refused", alert=str(dispatch.alert_id), version=dispatch.version)
        if (dispatch.alert_id, dispatch.version) in self._taken:
            return
        if len(self._faults) >= FAULTS_KEPT:
            del self._faults[next(iter(self._faults))]
        self._faults[dispatch.alert_id, dispatch.version] = (reason, self._clock() + FAULT_KEPT)

    def _go_on(self, dispatch: Dispatch) -> None:
        """A provider took the version for someone."""
        version = (dispatch.alert_id, dispatch.version)
        self._faults.pop(version, None)
        if len(self._taken) >= FAULTS_KEPT:
            del self._taken[next(iter(self._taken))]
        self._taken[version] = None

    def _fault(self, dispatch: Dispatch, at: datetime) -> str:
        """Why the version's content was refused lately; empty where it was not, or is to be tried again."""
        if dispatch.replay_of is not None:
            return ""
        reason, until = self._faults.get((dispatch.alert_id, dispatch.version), ("", at))
        return reason if at < until else ""
