"""The gateway to the browsers' push services, over the HTTP/2 lines that FCM's has.

Whom we connect to was named by a stranger, so every endpoint is held against the allowed services here
again, nothing is redirected, and no endpoint is written anywhere: it is all it takes to send to someone.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import NamedTuple, Self, cast
from urllib.parse import urlsplit

import structlog
from hpack import NeverIndexedHeaderTuple

from channels.gateway import Message, Recipient, Result
from channels.push.lines import UNWANTED, Lines
from channels.push.pace import OwnQuota, Quota
from channels.push.render import language_of
from channels.push.request import Headers, Loss, Reply
from channels.push.web import render
from channels.push.web.answers import TAKEN, TOO_MANY, UNTRUSTED, read_answer
from channels.push.web.seal import Receiver, SealError, seal
from channels.push.web.vapid import Vapid
from schemas.content import Channel
from schemas.dispatch import Outcome
from schemas.web_push import KIND, SERVICES, Services, Subscription, SubscriptionError, parsed

log = structlog.get_logger(__name__)

STREAK = 20
"""So many refusals in a row mean the service wants nothing of us now; a few, a browser's own trouble."""
PROVEN = 60.0
"""Seconds for which one that was taken says that our key is good."""
LONGEST_WAIT = 10.0
"""Seconds a window waits for its places; what must wait longer is deferred."""
MOST_ORIGINS = 64
"""Services that lines are kept open to."""


@dataclass(frozen=True)
class WebPushSettings:
    """Who we are, and whom we send to."""

    key_file: Path
    """Our private key of P-256 (PEM). Another one makes every subscription void."""
    subject: str
    """Whom a push service may turn to: mailto: or https: (RFC 8292 §2.1)."""
    services: Services = field(default_factory=lambda: Services.of(SERVICES))
    ca_file: Path | None = None
    """Certificates to trust instead of the public ones."""
    connections: int = 8
    """To one service, at most."""
    timeout: float = 10.0
    rate: float = 5_000.0
    """Messages/s of this process where no quota is shared with others."""

    def __post_init__(self) -> None:
        if not self.subject.startswith(("mailto:", "https:")):
            raise ValueError("subject: must begin with mailto: or https:")


class _Job(NamedTuple):
    """One browser and the body sealed for it."""

    recipient: Recipient
    to: Subscription
    body: bytes


class _Window:
    """One call of `send`: an Order (channels.push.request)."""

    def __init__(self, gateway: "WebPushGateway", jobs: Sequence[_Job]) -> None:
        self._gateway, self.jobs = gateway, jobs
        self.results: list[Result] = []
        self._given_up = False
        self._done = asyncio.get_running_loop().create_future()

    def wants(self, place: int) -> bool:
        """Whether what waits for a connection may still go."""
        job = self.jobs[place]
        return not self._given_up and self._gateway.pause_of(job.recipient.rank, job.to.origin) is None

    def answered(self, place: int, answer: Reply | Loss) -> None:
        """Notes one answer."""
        self.results.append(self._gateway.read(self.jobs[place], answer))
        if len(self.results) == len(self.jobs) and not self._done.done():
            self._done.set_result(None)

    async def wait(self) -> None:
        """Until the last answer."""
        try:
            await self._done
        finally:
            self._given_up = True


class WebPushGateway:
    """Sends to browsers. `clock` is asked how long a message may live, and dates our signature."""

    channel = Channel.PUSH
    name = "webpush"
    window = 200

    def __init__(
        self, settings: WebPushSettings, clock: Callable[[], datetime], quota: Quota | None = None
    ) -> None:
        """Raises OSError or ValueError where the key file is none."""
        self._settings, self._clock = settings, clock
        self._vapid = Vapid(settings.key_file, settings.subject, clock)
        self._quota = quota or OwnQuota(settings.rate)
        self._lines: dict[str, Lines] = {}
        self._streaks: dict[str, int] = {}
        self._taken_at: dict[str, float] = {}
        self._pauses: dict[str, tuple[float, str]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        for lines in self._lines.values():
            await lines.close()
        self._lines.clear()

    async def send(self, message: Message, recipients: Sequence[Recipient]) -> list[Result]:
        """Sends to each recipient: see channels.gateway. Raises ValueError for more than a window."""
        if len(recipients) > self.window:
            raise ValueError(f"recipients: {len(recipients)} are more than a window of {self.window}")
        texts = _texts(message, recipients)
        results: list[Result] = []
        wanted: list[tuple[Recipient, Subscription]] = []
        for recipient in recipients:
            found = self._judged(recipient)
            if isinstance(found, Result):
                results.append(found)
            else:
                wanted.append((recipient, found))
        wait = await self._quota.take(len(wanted), message.lane) if wanted else 0.0
        if wait > LONGEST_WAIT:
            late = Outcome.DEFERRED
            return results + [Result(each.rank, late, "QUOTA_EXCEEDED", wait) for each, _ in wanted]
        await asyncio.sleep(max(0.0, wait))
        # A tenth of a millisecond each: off the loop, whose lines must not wait for it.
        sealed = await asyncio.to_thread(_sealed, wanted, texts)
        results += [each for each in sealed if isinstance(each, Result)]
        return results + await self._post(message, [each for each in sealed if isinstance(each, _Job)])

    def _judged(self, recipient: Recipient) -> Subscription | Result:
        """Where to send; or the result, where nothing is sent."""
        rank = recipient.rank
        if recipient.kind != KIND:
            return Result(rank, Outcome.REFUSED, "ADDRESS_KIND")
        try:
            to = parsed(recipient.address)
        except SubscriptionError:
            return Result(rank, Outcome.GONE, "INVALID_SUBSCRIPTION")
        if not self._settings.services.allows(to.endpoint):
            return Result(rank, Outcome.REFUSED, "SERVICE_NOT_ALLOWED")
        return self.pause_of(rank, to.origin) or to

    async def _post(self, message: Message, jobs: Sequence[_Job]) -> list[Result]:
        if not jobs:
            return []
        window, told = _Window(self, jobs), render.headers(message, self._clock())
        heads: dict[str, Headers] = {}
        for place, job in enumerate(jobs):
            origin = job.to.origin
            if origin not in heads:
                heads[origin] = self._head(origin, told)
            # An endpoint is a secret: no table on the way remembers it (RFC 7541 §7.1.3).
            path = NeverIndexedHeaderTuple(":path", job.to.path)
            headers = cast("Headers", (*heads[origin][:3], path, *heads[origin][3:]))
            (await self._lines_to(origin)).post(window, headers, ((place, job.body),))
        await window.wait()
        return window.results

    def _head(self, origin: str, told: Headers) -> Headers:
        """All headers but the path, which comes fourth."""
        return (
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", urlsplit(origin).netloc),
            ("authorization", self._vapid.authorization(origin)),
            ("content-encoding", "aes128gcm"),
            ("content-type", "application/octet-stream"),
            *told,
        )

    async def _lines_to(self, origin: str) -> Lines:
        lines = self._lines.pop(origin, None)
        if lines is None:
            if len(self._lines) >= MOST_ORIGINS:
                idle = next((name for name, each in self._lines.items() if not each.busy), None)
                if idle is not None:
                    await self._lines.pop(idle).close()
            settings = self._settings
            lines = Lines(origin, settings.ca_file, settings.connections, settings.timeout)
        # The one used last is the last to be given up.
        self._lines[origin] = lines
        return lines

    def read(self, job: _Job, answer: Reply | Loss) -> Result:
        """The result for one browser; and what it means for all others of its service."""
        rank, origin = job.recipient.rank, job.to.origin
        if isinstance(answer, Loss):
            if answer.reason == UNWANTED:
                return self.pause_of(rank, origin) or Result(rank, Outcome.DEFERRED, UNWANTED)
            return Result(rank, Outcome.DEFERRED, answer.reason, ambiguous=answer.ambiguous)
        result = read_answer(rank, answer, self._clock)
        if answer.status in TAKEN:
            self._taken_at[origin] = monotonic()
        refused = answer.status == TOO_MANY or (answer.status in UNTRUSTED and not self._is_proven(origin))
        self._streaks[origin] = streak = self._streaks.get(origin, 0) + 1 if refused else 0
        if streak >= STREAK and origin not in self._pauses:
            log.error("push.service_refuses", service=urlsplit(origin).hostname, reason=result.reason)
            self._pauses[origin] = (monotonic() + (result.retry_after or 0.0), result.reason)
        return result

    def _is_proven(self, origin: str) -> bool:
        """Whether the service took a message lately, so that our key is good.

        What it refuses then is a subscription by another key: a stranger may register many of them.
        """
        taken_at = self._taken_at.get(origin)
        return taken_at is not None and monotonic() - taken_at < PROVEN

    def pause_of(self, rank: int, origin: str) -> Result | None:
        """The result of one whose service is not sent to now."""
        until, reason = self._pauses.get(origin, (0.0, ""))
        left = until - monotonic()
        if reason and left <= 0:
            del self._pauses[origin]
            self._streaks.pop(origin, None)
        return Result(rank, Outcome.DEFERRED, reason, left) if reason and left > 0 else None


def _texts(message: Message, recipients: Sequence[Recipient]) -> dict[str, bytes]:
    """By the recipients' locales."""
    locales = {recipient.locale: language_of(message, recipient.locale) for recipient in recipients}
    written = {language: render.render(message, language) for language in set(locales.values())}
    return {locale: written[language] for locale, language in locales.items()}


def _sealed(
    wanted: Sequence[tuple[Recipient, Subscription]], texts: dict[str, bytes]
) -> list[_Job | Result]:
    found: list[_Job | Result] = []
    for recipient, to in wanted:
        try:
            body = seal(texts[recipient.locale], Receiver(to.p256dh, to.auth))
        except SealError:
            found.append(Result(recipient.rank, Outcome.GONE, "INVALID_SUBSCRIPTION"))
        else:
            found.append(_Job(recipient, to, body))
    return found
