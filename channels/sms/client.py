"""The SMS gateway over SMPP 3.4: each recipient's parts in order, and one outcome for all of them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple, Self
from uuid import UUID

from smpp34 import SubmitSm, Tlv

from channels.gateway import Message, PayloadFaultError, Recipient, Result
from channels.sms.line import Line
from channels.sms.pace import Pace
from channels.sms.render import language_of, render
from channels.sms.segments import encoding_of, split
from channels.sms.settings import SmppSettings
from channels.sms.statuses import Status, Verdict, name_of, verdict
from channels.sms.submit import (
    CLIENT_ID_TAG,
    PRIORITY,
    client_id,
    concatenation_reference,
    msisdn,
    validity,
)
from schemas.content import Channel, Language
from schemas.dispatch import Outcome

_ALPHANUMERIC, _SHORT_CODE, _INTERNATIONAL, _E164 = 5, 3, 1, 1
_USER_DATA_HEADER = 0x40
_MOST_BEGUN, _MOST_BODIES = 10_000, 100


class Body(NamedTuple):
    """One language of a message, ready to submit."""

    language: Language
    parts: list[bytes]
    data_coding: int


class Answer(NamedTuple):
    """What came of one part that left; no status where no answer came."""

    status: int | None


class SmsGateway:
    """Sends through one SMSC. A recipient is accepted once all parts are.

    Parts go one after the other, so that a refusal costs no further part; a later try begins with the
    first part that was not accepted.
    """

    channel = Channel.SMS
    name = "smpp"

    def __init__(self, settings: SmppSettings, window: int = 10) -> None:
        self.settings, self.window = settings, window
        self.delivered: Counter[str] = Counter()
        """Receipts by state (DELIVRD, UNDELIV, ...), and MO for messages phones sent us."""
        self._begun: dict[str, int] = {}
        self._bodies: dict[tuple[UUID, int, Language], Body] = {}
        self._source_ton = _SHORT_CODE if settings.brand.isdecimal() else _ALPHANUMERIC

    async def __aenter__(self) -> Self:
        settings = self.settings
        self._pace = Pace(settings.messages_per_second)
        self._slots = asyncio.Semaphore(settings.in_flight)
        self._line = Line(settings, lambda state: self.delivered.update((state,)))
        await self._line.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._line.close()

    async def send(self, message: Message, recipients: Sequence[Recipient]) -> list[Result]:
        """As Gateway.send. Raises ValueError for more than a window.

        Raises PayloadFaultError where the SMSC refuses what we say, and accepted it for no one.
        """
        if len(recipients) > self.window:
            raise ValueError(f"recipients: {len(recipients)} are more than a window of {self.window}")
        faults: list[str] = []
        results = await asyncio.gather(
            *(self._send(message, recipient, faults) for recipient in recipients)
        )
        if faults and not any(result.outcome is Outcome.ACCEPTED for result in results):
            raise PayloadFaultError(faults[0])
        return results

    def _body(self, message: Message, language: Language) -> Body:
        """Rendered once for all windows of an alert version."""
        key = (message.alert_id, message.version, language)
        if (body := self._bodies.get(key)) is None:
            text = render(message, language, self.settings.accented)
            parts = split(text, concatenation_reference(message))
            body = self._bodies[key] = Body(language, parts, encoding_of(text).data_coding)
            _bound(self._bodies, _MOST_BODIES)
        return body

    async def _send(self, message: Message, to: Recipient, faults: list[str]) -> Result:
        body = self._body(message, language_of(to.locale))
        number = msisdn(to.address, self.settings.country)
        if number is None:
            return Result(to.rank, Outcome.REFUSED, "not a telephone number")
        key = client_id(message, number)
        last = len(body.parts) - 1
        for index in range(self._begun.pop(f"{key}/{body.language}", 0), last + 1):
            answer = await self._submit(message, number, key, body, index)
            result = self._result(to.rank, answer, faults)
            if result.outcome is Outcome.DEFERRED and index:
                self._remember(f"{key}/{body.language}", index)
            if result.outcome is not Outcome.ACCEPTED:
                # Nobody has read a message whose last part was never sent.
                return result._replace(ambiguous=result.ambiguous and index == last)
        return Result(to.rank, Outcome.ACCEPTED)

    async def _submit(
        self, message: Message, number: str, key: str, body: Body, index: int
    ) -> Answer | None:
        settings, last = self.settings, len(body.parts) - 1
        async with self._slots:
            await self._pace.turn()
            if (session := await self._line.session()) is None:
                return None
            sequence = session.next_sequence()
            submit = SubmitSm(
                settings.brand,
                number,
                body.parts[index],
                source_addr_ton=self._source_ton,
                dest_addr_ton=_INTERNATIONAL,
                dest_addr_npi=_E164,
                esm_class=_USER_DATA_HEADER if last else 0,
                priority_flag=PRIORITY[message.lane],
                validity_period=validity(message),
                registered_delivery=int(settings.receipts and index == last),
                data_coding=body.data_coding,
                tlvs=[Tlv(CLIENT_ID_TAG, f"{key}/{index + 1}".encode())] if settings.client_id else [],
                sequence_number=sequence,
            )
            status = await session.ask(sequence, submit.encode())
            if status == Status.ESME_RINVBNDSTS:
                session.abort()  # it has forgotten our bind: the line makes a new one
            return Answer(status)

    def _result(self, rank: int, answer: Answer | None, faults: list[str]) -> Result:
        if answer is None:
            return Result(rank, Outcome.DEFERRED, "not connected")
        if answer.status is None:
            return Result(rank, Outcome.DEFERRED, "no answer", ambiguous=True)
        name = name_of(answer.status)
        match verdict(answer.status, self.settings.gone):
            case Verdict.ACCEPTED:
                return Result(rank, Outcome.ACCEPTED)
            case Verdict.PAYLOAD:
                faults.append(name)
                return Result(rank, Outcome.REFUSED, name)
            case Verdict.DEFERRED:
                if answer.status == Status.ESME_RTHROTTLED:
                    self._pace.hold(self.settings.throttle_pause)
                return Result(rank, Outcome.DEFERRED, name, retry_after=self.settings.throttle_pause)
            case final:
                return Result(rank, final.value, name)

    def _remember(self, key: str, accepted: int) -> None:
        """These parts are not sent again, while this process lives."""
        self._begun[key] = accepted
        _bound(self._begun, _MOST_BEGUN)


def _bound(memory: dict[Any, Any], most: int) -> None:
    """Forgets the oldest."""
    if len(memory) > most:
        del memory[next(iter(memory))]
