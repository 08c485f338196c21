"""One call's worth of messages: who gets which body, and what came of each so far."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from channels.gateway import Message, Recipient, Result
from channels.push.pauses import Pauses
from channels.push.render import Rendered, language_of, render
from channels.push.request import Loss, Reply
from schemas.content import Language
from schemas.dispatch import Outcome

Tell = Callable[[Result], None]
_ACCEPTED = Outcome.ACCEPTED
"""Named once: see channels.push.answers."""


class Job(NamedTuple):
    """One recipient and the body in its language."""

    recipient: Recipient
    rendered: Rendered


class Reader(Protocol):
    """Who makes results of answers: the gateway."""

    pauses: Pauses

    def read(self, recipient: Recipient, answer: Reply | Loss) -> Result:
        """The result for one recipient."""
        ...


class Window:
    """One call of `send`: its recipients, and what came of each so far. An Order (channels.push.request).

    `tell` hears of each who is accepted.
    """

    def __init__(self, gateway: Reader, jobs: Sequence[Job], tell: Tell | None = None) -> None:
        self._gateway, self.jobs, self._tell = gateway, jobs, tell
        self.results: list[Result | None] = [None] * len(jobs)
        self.given_up = False
        self._left = 0
        self._done: asyncio.Future[None]

    def begin(self, count: int) -> None:
        """So many answers are awaited from now on."""
        self._left, self._done = count, asyncio.get_running_loop().create_future()

    def wants(self, place: int) -> bool:
        """Whether what waits for a connection may still go."""
        return not self.given_up and self._gateway.pauses.of(self.jobs[place].recipient) is None

    def answered(self, place: int, answer: Reply | Loss) -> None:
        """Notes one answer."""
        self.results[place] = result = self._gateway.read(self.jobs[place].recipient, answer)
        if self._tell and result.outcome is _ACCEPTED:
            self._tell(result)
        self._left -= 1
        if not self._left and not self._done.done():
            self._done.set_result(None)

    async def wait(self) -> None:
        """Until the last answer."""
        try:
            await self._done
        finally:
            self.given_up = True


def bodies(jobs: Sequence[Job], places: Iterable[int]) -> Iterable[tuple[int, bytes]]:
    """What each of these places is sent, as it is asked for."""
    for place in places:
        recipient, rendered = jobs[place]
        yield place, rendered.body(recipient.kind, recipient.address)


def jobs_of(message: Message, recipients: Sequence[Recipient], at: datetime, limit: int) -> list[Job]:
    """One for each recipient, with a body for each language, of so many bytes at most."""
    texts: dict[Language, Rendered] = {}
    by_locale: dict[str, Rendered] = {}
    for locale in {recipient.locale for recipient in recipients}:
        language = language_of(message, locale)
        if language not in texts:
            texts[language] = render(message, language, at, limit)
        by_locale[locale] = texts[language]
    return [Job(recipient, by_locale[recipient.locale]) for recipient in recipients]
