"""What the tests of the SMS channel share: alerts, numbers, settings for a double."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from channels.gateway import Message, Recipient, Result
from channels.sms import MailSettings, SmppSettings
from channels.sms.sandbox import DOMAIN, Endpoint
from schemas.content import Certainty, Content, Kind, MsgType, Severity, Text, Urgency
from schemas.dispatch import Outcome

AT = datetime(2026, 7, 10, 2, 0, tzinfo=UTC)
LONG = "Mưa rất to, nước lên nhanh, đường ngập sâu. " * 7
"""Three parts."""

_numbers = count(1)


@asynccontextmanager
async def listening(answer: Callable[[StreamReader, StreamWriter], Awaitable[None]]) -> AsyncGenerator[int]:
    """The port where `answer` answers each connection; they all end with the context."""
    answering: set[asyncio.Task[None]] = set()

    async def answered(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            await answer(reader, writer)
        finally:
            writer.close()
            await writer.wait_closed()

    def connected(reader: StreamReader, writer: StreamWriter) -> None:
        answering.add(asyncio.create_task(answered(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*answering, return_exceptions=True)


def alert(description: str = "Nước lên nhanh.", severity: Severity = Severity.SEVERE) -> Message:
    """A message of a new alert."""
    content = Content(
        kind=Kind.ALERT,
        category="ngap_ung",
        severity=severity,
        urgency=Urgency.IMMEDIATE,
        certainty=Certainty.LIKELY,
        texts={
            "vi": Text(headline="Ngập sâu tại Phúc Xá", description=description),
            "en": Text(headline="Deep flooding in Phuc Xa", description="Water is rising fast."),
        },
        areas=("00001",),
    )
    return Message(uuid4(), 1, MsgType.ALERT, content.lane, "UBND", content, AT, AT + timedelta(hours=6))


def someone(ending: str = "0000009", locale: str = "vi") -> Recipient:
    """A recipient whose number is new and ends so."""
    number = next(_numbers)
    return Recipient(number, number, f"+84{number:05d}{ending}", "msisdn", "", locale)


def said(results: Sequence[Result]) -> list[tuple[Outcome, str, bool]]:
    """The results without ranks and waits, in order."""
    return [(result.outcome, result.reason, result.ambiguous) for result in results]


def outcomes(results: Sequence[Result]) -> list[Outcome]:
    return [result.outcome for result in results]


def smpp(at: Endpoint, **changes: Any) -> SmppSettings:
    """Settings for an SMSC double: quick to reconnect, never in the way."""
    quick: dict[str, Any] = {
        "gone": frozenset(at.gone),
        "messages_per_second": 10_000,
        "reconnect_first": 0.01,
        "reconnect_longest": 0.02,
        "throttle_pause": 0.01,
    }
    return SmppSettings(at.host, at.port, at.system_id, at.password, "HANOI", **quick | changes)


def mail(at: Endpoint, **changes: Any) -> MailSettings:
    """Settings for a relay double, likewise."""
    quick: dict[str, Any] = {
        "username": at.system_id,
        "password": at.password,
        "reconnect_first": 0.01,
        "reconnect_longest": 0.02,
    }
    return MailSettings(at.host, at.port, DOMAIN, "canhbao@hanoi.example", **quick | changes)
