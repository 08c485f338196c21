"""Keeps topics in step with the registry: looks what differs, and calls the service about it.

Each call is noted before it is made, so a keeper that dies leaves phones of which it is known that they
may be in their topic; the next one calls again, which does no harm.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import structlog

from broadcaster.topics.book import Batch, Phone, Told, TopicBook
from channels.gateway import Recipient, Result
from channels.push.subscriptions import AGAIN, MOST, Change
from channels.push.topics import topic_of
from schemas.dispatch import Outcome

log = structlog.get_logger(__name__)

LIMIT = 50_000
"""Phones of one look."""
CALLS = 8
"""At a time: some 3000 phones a second each, far below what Google grants."""


class Service(Protocol):
    """Who subscribes phones: channels.push.subscriptions.Subscriptions."""

    async def change(self, change: Change, topic: str, recipients: Sequence[Recipient]) -> list[Result]:
        """Makes it so, and says of each what came of it."""
        ...


class Round(NamedTuple):
    """What one look came to, in phones."""

    done: int = 0
    unknown: int = 0
    """Of them, of whom it is not known whether it is so: they are called about again."""
    halted: bool = False
    """The service refuses our calls."""


class TopicKeeper:
    """One look at a time. Calls that fail may be made again at the next."""

    def __init__(
        self, book: TopicBook, service: Service, clock: Callable[[], datetime], most: int = MOST
    ) -> None:
        self._book, self._service, self._clock, self._most = book, service, clock, most
        self._calls = asyncio.Semaphore(CALLS)

    async def round(self) -> Round:
        """Looks once, and does what it sees. While the service refuses our calls, one now and then."""
        at = self._clock()
        halt = self._book.halt()
        if halt and at < halt.again_at:
            return Round(halted=True)
        steps = self._book.steps(at, LIMIT, self._most)
        if steps.forget:
            self._book.forget(steps.forget)
        # The first call after the service refused one shows whether it takes them again.
        seen = await self._carry_out(steps.batches[:1] if halt else steps.batches)
        out = sum(len(batch.phones) for batch in steps.batches)
        self._book.looked(at, out - seen.done + seen.unknown)
        return seen._replace(done=seen.done + len(steps.forget))

    async def _carry_out(self, batches: Sequence[Batch]) -> Round:
        done: list[Round] = []
        for joins in (False, True):
            calls = [self._call(batch) for batch in batches if batch.joins is joins]
            done += await asyncio.gather(*calls)
            if any(each.halted for each in done):
                break
        return Round(
            sum(each.done for each in done),
            sum(each.unknown for each in done),
            any(each.halted for each in done),
        )

    async def _call(self, batch: Batch) -> Round:
        async with self._calls:
            halt = self._book.halt()
            if halt and self._clock() < halt.again_at:
                return Round(halted=True)  # Another of this look's calls was refused.
            phones = self._book.mark(batch, self._clock())
            if not phones:
                return Round()
            people = [
                Recipient(rank, 0, phone.token, "token", "", batch.language)
                for rank, phone in enumerate(phones)
            ]
            topic = topic_of(batch.area, batch.language)
            change = Change.SUBSCRIBE if batch.joins else Change.UNSUBSCRIBE
            results = await self._service.change(change, topic, people)
            at, told = self._clock(), _told(phones, results)
            self._book.settle(joins=batch.joins, told=told, at=at)
            unknown = len(phones) - sum(map(len, told))
            if reason := refusal(results):
                if self._book.refused(reason, at):
                    log.error("push_topics_halted", reason=reason)
                return Round(len(phones), unknown, halted=True)
            if unknown < len(phones) and self._book.works():
                log.info("push_topics_resumed")
            return Round(len(phones), unknown)


def refusal(results: Sequence[Result]) -> str:
    """Why the service refused the whole call as it was made; empty where it did not.

    A 4xx (not 429) says that we, not the phones, are at fault: to ask the same again is no use.
    """
    reasons = {result.reason for result in results if result.outcome is Outcome.DEFERRED}
    return next((each for each in sorted(reasons) if each.startswith("HTTP_4") and each != "HTTP_429"), "")


def _told(phones: Sequence[Phone], results: Sequence[Result]) -> Told:
    told = Told([], [], [])
    for phone, result in zip(phones, results, strict=True):
        match result.outcome:
            case Outcome.ACCEPTED:
                told.done.append(phone.hash)
            case Outcome.DEFERRED if result.reason in AGAIN:
                told.later.append(phone.hash)
            case Outcome.DEFERRED:
                pass  # The call itself failed: it may have been heard.
            case _:
                told.never.append(phone.hash)
    return told
