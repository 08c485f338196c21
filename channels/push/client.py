"""The gateway to Firebase Cloud Messaging: HTTP v1, over as many HTTP/2 connections as it takes."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Self
from urllib.parse import urlsplit

import structlog
from firebase_admin import exceptions

from channels.gateway import Message, Recipient, Result
from channels.push.answers import QUOTA, judge_refusals, read_answer
from channels.push.lines import UNWANTED, Lines
from channels.push.pace import Holding, OwnQuota, Quota
from channels.push.pauses import Pauses
from channels.push.render import KINDS, LIMIT
from channels.push.request import Headers, Loss, Reply
from channels.push.tokens import AccessTokens, TokenError
from channels.push.window import Job, Tell, Window, bodies, jobs_of
from schemas.content import Channel
from schemas.dispatch import Outcome

log = structlog.get_logger(__name__)

LONGEST_WAIT = 10.0
"""Seconds a window waits for its places; what must wait longer is deferred."""


@dataclass(frozen=True)
class PushSettings:
    """Where FCM is and how to speak to it."""

    base_url: str
    """https, without a path; FCM's own is https://fcm.googleapis.com."""
    credentials_file: Path
    """The service account's key, which names the project and where tokens come from."""
    ca_file: Path | None = None
    """Certificates to trust instead of the public ones."""
    connections: int = 32
    """At most. Each carries 100 messages at a time: 100 ms away, 10 of them do 10,000 messages/s."""
    timeout: float = 10.0
    """Seconds for one message; FCM asks for 10 at least."""
    rate: float = 10_000.0
    """Messages/s of this process where no quota is shared with others."""

    def __post_init__(self) -> None:
        if not self.base_url.startswith("https://"):
            raise ValueError("base_url: must begin with https://")
        for name in ("connections", "timeout", "rate"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}: must be positive")


class PushGateway:
    """Sends to phones through FCM. `clock` is asked only for how long a message may still live.

    `quota` is the project's, shared by all its workers; without one, this process has its own. `ticks`
    is the clock of its pauses.
    """

    channel = Channel.PUSH
    name = "fcm"
    window = 500
    kinds: tuple[str, ...] = KINDS
    """Of address that it takes."""
    limit = LIMIT
    """Bytes of a message."""

    def __init__(
        self,
        settings: PushSettings,
        clock: Callable[[], datetime],
        quota: Quota | None = None,
        ticks: Callable[[], float] = monotonic,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._quota = quota or OwnQuota(settings.rate)
        self._holding = Holding(self._quota)
        self.pauses = Pauses(self._holding, ticks)
        """Who is not sent to now."""
        self._tokens: AccessTokens
        self._lines: Lines
        self._url = settings.base_url.rstrip("/")
        self._headers: Headers = ()

    async def __aenter__(self) -> Self:
        settings = self._settings
        self._tokens = AccessTokens(settings.credentials_file, settings.ca_file, settings.timeout)
        self._lines = Lines(self._url, settings.ca_file, settings.connections, settings.timeout)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._holding.told()
        await self._tokens.close()
        await self._lines.close()

    @property
    def connections(self) -> int:
        """Open now."""
        return self._lines.open

    def rest(self, attempt: int = 1) -> float:  # noqa: ARG002 (FCM is for all or for none)
        """As Resting.rest."""
        return self.pauses.rest()

    async def send(self, message: Message, recipients: Sequence[Recipient]) -> list[Result]:
        """Sends to each recipient: see channels.gateway. Raises ValueError for more than a window.

        One call never sends twice to anyone by itself, except where FCM refused the access token or
        gave a request back unread.
        """
        return await self.send_telling(message, recipients)

    async def send_telling(
        self, message: Message, recipients: Sequence[Recipient], tell: Tell | None = None
    ) -> list[Result]:
        """As `send`; see channels.gateway.Telling."""
        if len(recipients) > self.window:
            raise ValueError(f"recipients: {len(recipients)} are more than a window of {self.window}")
        jobs = jobs_of(message, recipients, self._clock(), self.limit)
        try:
            await self._tokens.ready()
        except TokenError:
            self.pauses.failed(count=len(recipients))
            deferred = Outcome.DEFERRED
            return [Result(someone.rank, deferred, "TOKEN_UNAVAILABLE") for someone in recipients]
        window = Window(self, jobs, tell)
        sendable = [place for place, job in enumerate(jobs) if self._hold_back(window, place, job)]
        wait = await self._quota.take(len(sendable), message.lane) if sendable else 0.0
        if wait > LONGEST_WAIT:
            for place in sendable:
                rank = jobs[place].recipient.rank
                window.results[place] = Result(rank, Outcome.DEFERRED, QUOTA[0], wait)
        elif sendable:
            await pause(wait)
            await self._send(window, sendable)
        results = [result for result in window.results if result is not None]
        self._judge(message, jobs, results)
        return results

    def _judge(self, message: Message, jobs: Sequence[Job], results: Sequence[Result]) -> None:
        """Raises PayloadFaultError where it is what we say that FCM refused."""
        judge_refusals(message, [job.rendered.language for job in jobs], results)

    def _hold_back(self, window: Window, place: int, job: Job) -> bool:
        """Whether the job is to be sent; gives it its result where it is not."""
        recipient = job.recipient
        if recipient.kind not in self.kinds:
            window.results[place] = Result(recipient.rank, Outcome.REFUSED, "ADDRESS_KIND")
        else:
            window.results[place] = self.pauses.of(recipient)
        return window.results[place] is None

    async def _send(self, window: Window, places: Sequence[int]) -> None:
        """Sends; and again, with a new access token, what the old one was refused for."""
        token = self._tokens.token
        await self._post(window, places, token)
        refused = [place for place in places if _token_refused(window.results[place])]
        if refused:
            try:
                renewed = await self._tokens.after(token)
            except TokenError:
                return
            window.given_up = False
            await self._post(window, refused, renewed)

    async def _post(self, window: Window, places: Sequence[int], token: str) -> None:
        window.begin(len(places))
        self._lines.post(window, self._headers_with(token), bodies(window.jobs, places))
        await window.wait()

    def _headers_with(self, token: str) -> Headers:
        """The request's headers: the same object for as long as they are the same."""
        bearer = f"Bearer {token}"
        if not self._headers or self._headers[-1][1] != bearer:
            parts = urlsplit(self._url)
            self._headers = (
                (":method", "POST"),
                (":scheme", "https"),
                (":authority", parts.netloc),
                (":path", f"{parts.path}/v1/projects/{self._tokens.project}/messages:send"),
                ("content-type", "application/json"),
                ("authorization", bearer),
            )
        return self._headers

    def read(self, recipient: Recipient, answer: Reply | Loss) -> Result:
        """The result for one recipient; and what it means for all the others."""
        if isinstance(answer, Loss):
            if answer.reason == UNWANTED:
                return self.pauses.of(recipient) or Result(recipient.rank, Outcome.DEFERRED, UNWANTED)
            self.pauses.failed()
            return Result(recipient.rank, Outcome.DEFERRED, answer.reason, ambiguous=answer.ambiguous)
        result = read_answer(recipient.rank, answer.status, answer.retry_after, answer.body, self._clock)
        self.pauses.heard(recipient, result)
        return result


def _token_refused(result: Result | None) -> bool:
    return result is not None and result.reason == exceptions.UNAUTHENTICATED


async def pause(seconds: float) -> None:
    """Waits, where there is anything to wait for."""
    if seconds > 0:
        await asyncio.sleep(seconds)
