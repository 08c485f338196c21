"""The gateway to Firebase Cloud Messaging: HTTP v1, over a few HTTP/2 connections."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import NamedTuple, Self

import structlog
from firebase_admin import exceptions
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError, RequestError, RequestTimeoutError
from pyreqwest.http import Url

from channels.gateway import Message, PayloadFaultError, Recipient, Result
from channels.push.answers import QUOTA, blames_content, read_answer
from channels.push.pace import Pace
from channels.push.render import KINDS, Rendered, language_of, render
from channels.push.tokens import AccessTokens, TokenError
from schemas.content import Channel, Language
from schemas.dispatch import Outcome

log = structlog.get_logger(__name__)

STREAMS = 100
"""Requests at a time on one connection: FCM's limit."""
AT_ONCE = 120
"""Requests at a time of one `send`. Several run side by side and share the connections' streams."""
QUOTA_STREAK = 20
"""So many answers in a row that the quota is spent mean the project's; a few, a device's own."""
PING = timedelta(seconds=5)
"""While answers are awaited, so that a dead line shows sooner than by the deadline."""
IDLE = timedelta(seconds=60)
"""A line unused so long is given up: one that died unseen would cost an emergency a whole deadline."""
SETTLE = 0.05


@dataclass(frozen=True)
class PushSettings:
    """Where FCM is and how to speak to it."""

    base_url: str
    """https, without a path; FCM's own is https://fcm.googleapis.com."""
    credentials_file: Path
    """The service account's key, which names the project and where tokens come from."""
    ca_file: Path | None = None
    """Certificates to trust beside the public ones."""
    connections: int = 4
    """Each carries 100 messages at a time: 100 ms away, 4 of them do 4,000 messages/s."""
    timeout: float = 10.0
    """Seconds for one message; FCM asks for 10 at least."""
    rate: float = 10_000.0
    """Messages/s of this process; FCM's quota for a project is 600,000 a minute."""

    def __post_init__(self) -> None:
        if not self.base_url.startswith("https://"):
            raise ValueError("base_url: must begin with https://")
        for name in ("connections", "timeout", "rate"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}: must be positive")


class _Line(NamedTuple):
    """One connection and its free streams."""

    client: Client
    streams: asyncio.Semaphore


class _Job(NamedTuple):
    """One recipient and the body in its language."""

    recipient: Recipient
    rendered: Rendered


class PushGateway:
    """Sends to phones through FCM. `clock` is asked only for how long a message may still live."""

    channel = Channel.PUSH
    name = "fcm"
    window = 500

    def __init__(self, settings: PushSettings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._pace = Pace(settings.rate)
        self._streak = 0
        self._lines: list[_Line] = []
        self._tokens: AccessTokens
        self._url: Url

    async def __aenter__(self) -> Self:
        settings = self._settings
        self._tokens = AccessTokens(settings.credentials_file, settings.ca_file, settings.timeout)
        base = settings.base_url.rstrip("/")
        self._url = Url(f"{base}/v1/projects/{self._tokens.project}/messages:send")
        trusted = settings.ca_file.read_bytes() if settings.ca_file else None
        self._lines = [
            _Line(_client(settings.timeout, trusted), asyncio.Semaphore(STREAMS))
            for _ in range(settings.connections)
        ]
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._tokens.close()
        for line in self._lines:
            await line.client.close()
        # pyreqwest's thread still lets go of our objects; an interpreter that ends meanwhile aborts.
        await asyncio.sleep(SETTLE)

    async def send(self, message: Message, recipients: Sequence[Recipient]) -> list[Result]:
        """Sends to each recipient: see channels.gateway. Raises ValueError for more than a window.

        One call never sends twice to anyone by itself, except where FCM refused the access token.
        """
        if len(recipients) > self.window:
            raise ValueError(f"recipients: {len(recipients)} are more than a window of {self.window}")
        jobs = _jobs(message, recipients, self._clock())
        try:
            await self._tokens.ready()
        except TokenError:
            deferred = Outcome.DEFERRED
            return [Result(someone.rank, deferred, "TOKEN_UNAVAILABLE") for someone in recipients]
        results = await self._send(jobs)
        _judge_refusals(message, jobs, results)
        return list(results.values())

    async def _send(self, jobs: Sequence[_Job]) -> dict[int, Result]:
        """Each rank's result. Each task takes the next job when it is done."""
        results: dict[int, Result] = {}
        waiting = iter(jobs)
        async with asyncio.TaskGroup() as group:
            for place in range(min(len(jobs), AT_ONCE)):
                line = self._lines[place % len(self._lines)]
                group.create_task(self._work(line, waiting, results))
        return results

    async def _work(self, line: _Line, waiting: Iterator[_Job], results: dict[int, Result]) -> None:
        for job in waiting:
            async with line.streams:
                results[job.recipient.rank] = await self._deliver(line.client, job)

    async def _deliver(self, client: Client, job: _Job) -> Result:
        rank = job.recipient.rank
        if job.recipient.kind not in KINDS:
            return Result(rank, Outcome.REFUSED, "ADDRESS_KIND")
        if (pause := self._pace.stopped(monotonic())) > 0:
            return Result(rank, Outcome.DEFERRED, QUOTA[0], pause)
        await self._pace.take()
        try:
            result = await self._post(client, job)
        except PyreqwestError as error:
            return _line_trouble(rank, error)
        self._watch_quota(result)
        return result

    async def _post(self, client: Client, job: _Job) -> Result:
        """FCM's answer; where it refused the access token, its answer to a new one."""
        token = self._tokens.token
        result = await self._post_with(token, client, job)
        if result.reason == exceptions.UNAUTHENTICATED:
            with suppress(TokenError):
                return await self._post_with(await self._tokens.after(token), client, job)
        return result

    async def _post_with(self, token: str, client: Client, job: _Job) -> Result:
        body = job.rendered.body(job.recipient.kind, job.recipient.address)
        # Not marked as sensitive: HPACK would send the whole token with each message again.
        request = client.post(self._url).bearer_auth(token).body_bytes(body).build()
        response = await request.send()
        answer = bytes(await response.bytes())
        retry_after = response.get_header("retry-after")
        return read_answer(job.recipient.rank, response.status, retry_after, answer, self._clock())

    def _watch_quota(self, result: Result) -> None:
        self._streak = self._streak + 1 if result.reason in QUOTA else 0
        if self._streak >= QUOTA_STREAK and self._pace.stopped(monotonic()) <= 0:
            log.warning("push.quota_spent", seconds=result.retry_after)
            self._pace.stop(result.retry_after or 0.0, monotonic())


def _client(timeout: float, trusted: bytes | None) -> Client:
    """A client, which keeps one connection."""
    builder = (
        ClientBuilder()
        .http2_prior_knowledge()
        .https_only(enable=True)
        .follow_redirects(enable=False)
        .timeout(timedelta(seconds=timeout))
        .connect_timeout(timedelta(seconds=timeout / 2))
        .pool_idle_timeout(IDLE)
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(PING)
        .default_headers({"content-type": "application/json"})
    )
    return (builder.add_root_certificate_pem(trusted) if trusted else builder).build()


def _jobs(message: Message, recipients: Sequence[Recipient], at: datetime) -> list[_Job]:
    bodies: dict[Language, Rendered] = {}
    jobs: list[_Job] = []
    for recipient in recipients:
        language = language_of(message, recipient.locale)
        if language not in bodies:
            bodies[language] = render(message, language, at)
        jobs.append(_Job(recipient, bodies[language]))
    return jobs


def _line_trouble(rank: int, error: PyreqwestError) -> Result:
    """No answer came. Only a connection that was never made leaves no doubt.

    pyreqwest's classes do not tell: a line cut after the request is a ConnectError too, and any
    answer too late a ConnectTimeoutError. The cause within, hyper's own words, does.
    """
    causes = (error.details["causes"] or []) if isinstance(error, RequestError) else []
    if any(cause["message"] == "client error (Connect)" for cause in causes):
        return Result(rank, Outcome.DEFERRED, "CONNECTION_FAILED")
    late = isinstance(error, RequestTimeoutError)
    reason = exceptions.DEADLINE_EXCEEDED if late else "CONNECTION_LOST"
    return Result(rank, Outcome.DEFERRED, reason, ambiguous=True)


def _judge_refusals(message: Message, jobs: Sequence[_Job], results: dict[int, Result]) -> None:
    """Raises PayloadFaultError where FCM refused a body that nobody was sent with success.

    Where others were, the body is sound, and the one refused is a recipient's own matter.
    """
    proven = {
        job.rendered.language for job in jobs if results[job.recipient.rank].outcome is Outcome.ACCEPTED
    }
    for job in jobs:
        reason = results[job.recipient.rank].reason
        if blames_content(results[job.recipient.rank]) and job.rendered.language not in proven:
            log.error("push.content_refused", alert=str(message.alert_id), reason=reason)
            raise PayloadFaultError(reason)
