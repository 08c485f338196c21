"""Who is subscribed to an FCM topic: in batches, through Google's Instance ID service.

FCM's own v1 calls take one phone each; these take 1000. Each may be said again without harm: who is
subscribed already stays so, and who is not is not unsubscribed.
"""

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

import httpx
from firebase_admin import exceptions
from pydantic import BaseModel, ValidationError

from channels.gateway import Recipient, Result
from channels.push.answers import seconds
from channels.push.client import PushSettings
from channels.push.tokens import AccessTokens, TokenError
from channels.push.topics import checked
from channels.retry import delay
from schemas.dispatch import Outcome

INSTANCE_ID = "https://iid.googleapis.com"
MOST = 1000
"""Phones in one call."""
TRIES = 5
"""Of one batch; who is left then is `deferred`."""
AGAIN = ("INTERNAL", "RESOURCE_EXHAUSTED", "UNAVAILABLE", "UNKNOWN")
"""What is said of one phone and may pass."""
UNAUTHENTICATED = 401


class Change(StrEnum):
    """What is to be so; the service's own names."""

    SUBSCRIBE = "batchAdd"
    UNSUBSCRIBE = "batchRemove"


class _One(BaseModel):
    error: str = ""


class _Answer(BaseModel):
    results: list[_One]


@dataclass(frozen=True)
class _Trouble:
    """A whole call failed; `wish` is Retry-After in seconds. `passes`: it may be tried again."""

    reason: str
    wish: float | None = None
    passes: bool = True


class Subscriptions:
    """Subscribes phones to topics, and unsubscribes them.

    `base_url` is the service's; `pause` waits so many seconds before a batch is tried again.
    """

    def __init__(
        self,
        settings: PushSettings,
        clock: Callable[[], datetime],
        base_url: str = INSTANCE_ID,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if not base_url.startswith("https://"):
            raise ValueError("base_url: must begin with https://")
        self._settings, self._clock, self._pause = settings, clock, pause
        self._url = base_url.rstrip("/")
        self._tokens: AccessTokens
        self._client: httpx.AsyncClient

    async def __aenter__(self) -> Self:
        settings = self._settings
        trust = ssl.create_default_context()
        if settings.ca_file:
            trust.load_verify_locations(settings.ca_file)
        self._tokens = AccessTokens(settings.credentials_file, settings.ca_file, settings.timeout)
        # As for messages: straight, whatever proxy the environment names.
        self._client = httpx.AsyncClient(verify=trust, timeout=settings.timeout, trust_env=False)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.aclose()
        await self._tokens.close()

    async def change(self, change: Change, topic: str, recipients: Sequence[Recipient]) -> list[Result]:
        """Makes it so, and says of each, in their order, what came of it.

        accepted: it is so. gone: no such phone. refused: never of this one; topics take registration
        tokens only (ADDRESS_KIND). deferred: tried `TRIES` times in vain. Raises ValueError for a topic
        that FCM has no name for, and for more than `MOST` at once.
        """
        checked(topic)
        if len(recipients) > MOST:
            raise ValueError(f"recipients: {len(recipients)} are more than the {MOST} of one call")
        found = {one.rank: Result(one.rank, Outcome.REFUSED, "ADDRESS_KIND") for one in recipients}
        left = [one for one in recipients if one.kind == "token"]
        attempt = 0
        while left:
            attempt += 1
            answer = await self._call(change, topic, [one.address for one in left])
            told = (
                [Result(one.rank, Outcome.DEFERRED, answer.reason, answer.wish) for one in left]
                if isinstance(answer, _Trouble)
                else [_read(one.rank, said.error) for one, said in zip(left, answer, strict=True)]
            )
            found.update((result.rank, result) for result in told)
            left = [one for one in left if found[one.rank].outcome is Outcome.DEFERRED]
            if attempt == TRIES or (isinstance(answer, _Trouble) and not answer.passes):
                break
            if left:
                wish = answer.wish if isinstance(answer, _Trouble) else None
                await self._pause(delay(attempt, random.random(), wish))  # noqa: S311 (spread, no secret)
        return [found[one.rank] for one in recipients]

    async def _call(self, change: Change, topic: str, addresses: list[str]) -> list[_One] | _Trouble:
        try:
            await self._tokens.ready()
            token = self._tokens.token
            response = await self._post(change, topic, addresses, token)
            if response.status_code == UNAUTHENTICATED:
                response = await self._post(change, topic, addresses, await self._tokens.after(token))
        except TokenError:
            return _Trouble("TOKEN_UNAVAILABLE")
        except httpx.TransportError:
            return _Trouble("CONNECTION_LOST")
        if response.is_success:
            try:
                answer = _Answer.model_validate_json(response.content)
            except ValidationError:
                return _Trouble("BAD_REPLY")
            return answer.results if len(answer.results) == len(addresses) else _Trouble("BAD_REPLY")
        wish = seconds(response.headers.get("retry-after"), self._clock())
        status = response.status_code
        passes = status in {UNAUTHENTICATED, httpx.codes.TOO_MANY_REQUESTS} or response.is_server_error
        return _Trouble(f"HTTP_{status}", wish, passes)

    async def _post(self, change: Change, topic: str, addresses: list[str], token: str) -> httpx.Response:
        return await self._client.post(
            f"{self._url}/iid/v1:{change}",
            json={"to": f"/topics/{topic}", "registration_tokens": addresses},
            headers={"authorization": f"Bearer {token}", "access_token_auth": "true"},
        )


def _read(rank: int, error: str) -> Result:
    if not error:
        return Result(rank, Outcome.ACCEPTED)
    if error == exceptions.NOT_FOUND:
        return Result(rank, Outcome.GONE, error)
    return Result(rank, Outcome.DEFERRED if error in AGAIN else Outcome.REFUSED, error)
