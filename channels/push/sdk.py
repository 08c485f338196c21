"""The same gateway through Google's own SDK: to be measured and held against, and as a way out.

The SDK keeps one connection of 100 streams and costs some fifty times the CPU time. By itself it tries
500 and 503 five times, and gives back the stream of the last try alone: after 25 such messages it would
wait for ever. So that is turned off, and follow-ups try again. Results are read from the same answers as
PushGateway's.
"""

import os
import warnings
from collections.abc import Callable, Sequence
from copy import copy
from datetime import datetime
from time import monotonic
from typing import Any, Self
from uuid import uuid4

import firebase_admin
from firebase_admin import exceptions, messaging
from firebase_admin.credentials import Certificate

from channels.gateway import Message, Recipient, Result
from channels.push.answers import QUOTA, judge_refusals, read_answer
from channels.push.client import LONGEST_WAIT, PushSettings, pause
from channels.push.pace import Holding, OwnQuota, Quota
from channels.push.pauses import Pauses
from channels.push.render import KINDS, language_of, model, text_for
from schemas.content import Channel, Language
from schemas.dispatch import Outcome

LOST = (exceptions.DEADLINE_EXCEEDED, "CONNECTION_LOST")
"""Why there is no answer."""
AT_A_TIME = 100
"""Messages between two looks at who is not sent to now: the streams of its one connection."""


class SdkGateway:
    """See PushGateway. One at a time in a process: the SDK's endpoint is global."""

    channel = Channel.PUSH
    name = "fcm"
    window = 500

    def __init__(
        self,
        settings: PushSettings,
        clock: Callable[[], datetime],
        quota: Quota | None = None,
        ticks: Callable[[], float] = monotonic,
    ) -> None:
        self._settings, self._clock = settings, clock
        self._quota = quota or OwnQuota(settings.rate)
        self._holding = Holding(self._quota)
        self.pauses = Pauses(self._holding, ticks)
        """Who is not sent to now."""
        self._app: firebase_admin.App

    async def __aenter__(self) -> Self:
        settings = self._settings
        if settings.ca_file:
            # It takes no other way: the first for the messages, the second for the access token.
            for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
                os.environ[name] = str(settings.ca_file)
        service: Any = vars(messaging)["_MessagingService"]
        service.FCM_URL = settings.base_url.rstrip("/") + "/v1/projects/{0}/messages:send"
        certificate = Certificate(str(settings.credentials_file))
        options = {"projectId": certificate.project_id, "httpTimeout": settings.timeout}
        self._app = firebase_admin.initialize_app(certificate, options, name=uuid4().hex)
        client = vars(vars(messaging)["_get_messaging_service"](self._app))["_async_client"]
        vars(client)["_retry_config"].status_forcelist = ()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._holding.told()
        with warnings.catch_warnings():
            # It leaves its asynchronous client to the garbage collector.
            warnings.simplefilter("ignore", ResourceWarning)
            service: Any = vars(messaging)["_get_messaging_service"](self._app)
            await vars(service)["_async_client"].aclose()

    async def send(self, message: Message, recipients: Sequence[Recipient]) -> list[Result]:
        """See channels.gateway."""
        if len(recipients) > self.window:
            raise ValueError(f"recipients: {len(recipients)} are more than a window of {self.window}")
        at = self._clock()
        results: list[Result] = []
        known: list[Recipient] = []
        for someone in recipients:
            if someone.kind not in KINDS:
                results.append(Result(someone.rank, Outcome.REFUSED, "ADDRESS_KIND"))
            elif paused := self.pauses.of(someone):
                results.append(paused)
            else:
                known.append(someone)
        wait = await self._quota.take(len(known), message.lane) if known else 0.0
        if wait > LONGEST_WAIT:
            return results + [Result(one.rank, Outcome.DEFERRED, QUOTA[0], wait) for one in known]
        await pause(wait)
        languages = [language_of(message, someone.locale) for someone in known]
        texts: dict[Language, messaging.Message] = {
            language: model(message, language, text_for(message, language, at), at)
            for language in set(languages)
        }
        orders = [_addressed(texts[language], one) for one, language in zip(known, languages, strict=True)]
        sent: list[Result] = []
        for first in range(0, len(known), AT_A_TIME):
            part = slice(first, first + AT_A_TIME)
            sent += await self._send(known[part], orders[part])
        judge_refusals(message, languages, sent)
        return results + sent

    def rest(self, attempt: int = 1) -> float:  # noqa: ARG002 (FCM is for all or for none)
        """As Resting.rest."""
        return self.pauses.rest()

    async def _send(self, people: Sequence[Recipient], orders: Sequence[messaging.Message]) -> list[Result]:
        """The results in order; of those who are paused by now without a try."""
        paused = [self.pauses.of(someone) for someone in people]
        wanted = [order for order, rest in zip(orders, paused, strict=True) if rest is None]
        sent = await messaging.send_each_async(wanted, app=self._app) if wanted else None
        answers = iter(sent.responses if sent else ())
        return [
            rest or self._heard(someone, next(answers))
            for someone, rest in zip(people, paused, strict=True)
        ]

    def _heard(self, recipient: Recipient, answer: messaging.SendResponse) -> Result:
        """The result for one recipient; and what it means for all the others."""
        result = self._read(recipient.rank, answer)
        if result.reason in LOST:
            self.pauses.failed()
        else:
            self.pauses.heard(recipient, result)
        return result

    def _read(self, rank: int, answer: messaging.SendResponse) -> Result:
        if answer.success:
            return Result(rank, Outcome.ACCEPTED)
        error: Any = answer.exception
        reply = error.http_response
        if reply is not None:
            wish = reply.headers.get("retry-after")
            return read_answer(rank, reply.status_code, wish, reply.content, self._clock)
        late = error.code == exceptions.DEADLINE_EXCEEDED
        reason = LOST[0] if late else LOST[1]
        # It does not say whether the request left.
        return Result(rank, Outcome.DEFERRED, reason, ambiguous=True)


def _addressed(text: messaging.Message, recipient: Recipient) -> messaging.Message:
    addressed = copy(text)
    addressed.fid = None
    setattr(addressed, recipient.kind, recipient.address)
    return addressed
