"""Handing orders to NATS JetStream: a thousand in one atomic batch, or one by one."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import nats.errors
import nats.js.errors
import structlog
from nats.aio.client import Client

from projections.backoff import backoff
from schemas.dispatch import Dispatch

log = structlog.get_logger(__name__)

ATOMIC_MOST = 1000
"""nats-server's limit of messages in one atomic batch (error 10199)."""
DUPLICATE_IN_BATCH = 10201
"""nats-server's error for a batch with an id that the stream has already."""


class JetStreamPublisher:
    """Publishes dispatches under their ids, so that the stream keeps each one once.

    The streams hold `dispatch.<lane>.<channel>`, with allow_atomic and a duplicate window. An atomic
    batch costs one sync to disk where its messages cost one each; it is all or nothing, and any
    doubt about it is settled by publishing its messages one by one under the same ids.
    """

    def __init__(self, client: Client, *, timeout: float = 5.0, tries: int = 5) -> None:
        """`timeout` in seconds for each acknowledgement; `tries` of one message before it raises."""
        self._client, self._timeout, self._tries = client, timeout, tries
        self._js = client.jetstream(timeout=timeout)

    async def __call__(self, dispatches: Sequence[Dispatch]) -> None:
        """Returns once the streams hold every one. Raises nats.errors.Error where that is in doubt."""
        for start in range(0, len(dispatches), ATOMIC_MOST):
            chunk = dispatches[start : start + ATOMIC_MOST]
            if len(chunk) > 1 and await self._at_once(chunk):
                continue
            for dispatch in chunk:
                await self._one(dispatch)

    async def _at_once(self, chunk: Sequence[Dispatch]) -> bool:
        """An atomic batch (nats-server 2.12). False: refused or in doubt."""
        batch, last = uuid4().hex, chunk[-1]
        try:
            for number, dispatch in enumerate(chunk[:-1], 1):
                headers = _headers(dispatch) | {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
                await self._client.publish(dispatch.subject, _body(dispatch), headers=headers)
            end = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(len(chunk)), "Nats-Batch-Commit": "1"}
            reply = await self._client.request(
                last.subject, _body(last), timeout=self._timeout, headers=_headers(last) | end
            )
        except nats.errors.Error as error:
            log.warning("batch_in_doubt", messages=len(chunk), error=type(error).__name__)
            return False
        answer: dict[str, Any] = json.loads(reply.data)
        if trouble := answer.get("error"):
            if trouble.get("err_code") != DUPLICATE_IN_BATCH:
                log.warning("batch_refused", messages=len(chunk), error=trouble)
            return False
        return answer.get("count") == len(chunk)

    async def _one(self, dispatch: Dispatch) -> None:
        """One message; that it was there already is as good."""
        for failures in range(1, self._tries + 1):
            try:
                await self._js.publish(
                    dispatch.subject, _body(dispatch), timeout=self._timeout, headers=_headers(dispatch)
                )
            except (
                nats.errors.TimeoutError,
                nats.js.errors.NoStreamResponseError,
                nats.js.errors.ServiceUnavailableError,
            ):
                if failures == self._tries:
                    raise
                await asyncio.sleep(backoff(failures, first=0.1, most=2.0))
            else:
                return


def _headers(dispatch: Dispatch) -> dict[str, str]:
    return {"Nats-Msg-Id": str(dispatch.id), "content-type": "application/json"}


def _body(dispatch: Dispatch) -> bytes:
    return dispatch.model_dump_json(exclude_none=True).encode()
