"""The consume-deliver-acknowledge loop of one channel, on JetStream through FastStream.

Each slot is a pull subscriber of one message: with `max_workers` FastStream fetches ahead and
messages that wait behind a slow one are delivered twice.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from faststream import AckPolicy, BaseMiddleware
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from nats.errors import Error as NatsError
from pydantic import ValidationError

from channels.desk import HoldLostError
from channels.retry import MAX_ATTEMPTS, delay, wait
from channels.topology import ack_wait, durable_of, stream_of
from schemas.content import Channel, Lane
from schemas.dispatch import Dispatch, Receipt, dispatch_subject

log = structlog.get_logger(__name__)

PULL_TIMEOUT = 2.0
BEATS = 4
"""How often within its wait the broker hears of a dispatch in hand: three may be late or lost."""
ACKS, ACK_PAUSE = 5, 0.5
"""How often a dispatch is acknowledged that the broker does not confirm within a second, and the seconds
between: a restart of the broker swallows what was just said to it."""
LOOK = 60.0
"""Seconds after which a dispatch that waits is looked at again: clocks are set, providers come back."""

Deliver = Callable[[Dispatch], Awaitable[Receipt | None]]
"""Carries a dispatch out to its receipt; None where it had one."""


class UnreadError(Exception):
    """What an order is carried out by cannot be read: a newer house wrote it, say."""


class Stumble(BaseMiddleware[Any, Any]):
    """Whatever escapes a handler: the message comes again later.

    One that cannot be read itself ends after an hour: an older worker beside newer ones must not end what
    they can read. FastStream's own policies end a message after one exception, or bring it back at once
    for ever.
    """

    async def consume_scope(self, call_next: Callable[[Any], Awaitable[Any]], msg: Any) -> Any:
        """Runs the handler."""
        try:
            return await call_next(msg)
        except ValidationError as error:
            delivered = self.msg.metadata.num_delivered or 1
            told = {"subject": self.msg.subject, "errors": error.error_count(), "delivered": delivered}
            log.error("dispatch.unreadable", **told)  # noqa: TRY400 (the error would quote the message)
            if delivered < MAX_ATTEMPTS:
                await msg.nack(delay=delay(delivered, jitter=0.5))
            else:
                await msg.reject()
        except Exception:
            delivered = self.msg.metadata.num_delivered or 1
            log.exception("dispatch.stumbled", subject=self.msg.subject, delivered=delivered)
            await msg.nack(delay=delay(delivered, jitter=0.5))


@asynccontextmanager
async def heartbeat(message: NatsMessage, every: float) -> AsyncGenerator[None]:
    """Keeps the broker from giving the message to another while this one works on it."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(every)
            try:
                await message.in_progress()
            except NatsError as error:
                # The line to the broker is down: the next one may get through, and in time.
                log.warning("dispatch.beat_lost", error=type(error).__name__)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _carried_out(deliver: Deliver, dispatch: Dispatch) -> Receipt | None:
    """Raises UnreadError for a ValidationError, which would be taken for one of the message."""
    try:
        return await deliver(dispatch)
    except ValidationError as error:
        # Without its cause, which quotes what was read.
        raise UnreadError(f"{error.title}: {error.error_count()} errors") from None


async def acknowledge(message: NatsMessage) -> None:
    """Says that a dispatch is done until the broker confirms it.

    One that it never confirms comes again, and is found to have its receipt.
    """
    for last in (False,) * (ACKS - 1) + (True,):
        try:
            await message.ack_sync()
        except NatsError as error:
            if last:
                log.warning("dispatch.ack_lost", error=type(error).__name__)
            else:
                await asyncio.sleep(ACK_PAUSE)
        else:
            return


def add_worker(
    broker: NatsBroker,
    channel: Channel,
    slots: Mapping[Lane, int],
    deliver: Deliver,
    clock: Callable[[], datetime],
    *,
    rest: Callable[[int], float] = lambda _: 0.0,
) -> None:
    """Registers a channel's subscribers: so many slots for each lane; `rest` as of gateway.Resting."""
    in_hand = set[UUID]()

    async def work(dispatch: Dispatch, message: NatsMessage) -> None:
        # Unclaimed: a dispatch that waits for its provider has not been tried.
        if (early := wait(dispatch, clock(), rest(dispatch.attempt))) > 0:
            await message.nack(delay=min(early, LOOK))
            return
        if dispatch.id in in_hand:
            # We were held up for longer than the broker waits, and it hands us what we are sending.
            log.warning("dispatch.already_in_hand", subject=message.raw_message.subject)
            await message.nack(delay=ack_wait(dispatch.lane))
            return
        in_hand.add(dispatch.id)
        try:
            async with heartbeat(message, ack_wait(dispatch.lane) / BEATS):
                receipt = await _carried_out(deliver, dispatch)
        except HoldLostError:
            # Neither yes nor no: either would be taken for a word of who has it now.
            log.warning("dispatch.hold_lost", subject=message.raw_message.subject)
            return
        finally:
            in_hand.discard(dispatch.id)
        # Only now: an acknowledgement before the receipt is a promise nobody keeps.
        await acknowledge(message)
        if receipt is not None:
            log.info(
                "dispatch.done",
                alert=str(dispatch.alert_id),
                channel=channel.value,
                slice=dispatch.first,
                attempt=dispatch.attempt,
                **{outcome.value: count for outcome, count in receipt.counts.items()},
            )

    for lane, count in slots.items():
        for slot in range(count):
            broker.subscriber(
                dispatch_subject(lane, channel),
                stream=JStream(stream_of(lane), declare=False),
                durable=durable_of(lane, channel),
                pull_sub=PullSub(batch_size=1, timeout=PULL_TIMEOUT),
                ack_policy=AckPolicy.MANUAL,
                title=f"{channel}.{lane}",
                description=f"Dispatches of the {lane} lane to {channel}.",
                include_in_schema=slot == 0,
            )(work)
