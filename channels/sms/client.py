"""The SMS gateway over SMPP 3.4: each recipient's parts in order, and one outcome for all of them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple, Self
from uuid import UUID

from smpp34 import SubmitSm, Tlv

from channels.gateway import Message, Recipient, Result
from channels.sms.carrier import Attempt
from channels.sms.line import Line
from channels.sms.receipts import Book, canonical
from channels.sms.render import language_of, render
from channels.sms.segments import encoding_of, split
from channels.sms.session import Word, message_id_of
from channels.sms.settings import SmppSettings
from channels.sms.shares import Seen
from channels.sms.statuses import Status, Verdict, name_of, verdict
from channels.sms.submit import (
    CLIENT_ID_TAG,
    PRIORITY,
    client_id,
    concatenation_reference,
    msisdn,
    validity,
)
from channels.sms.turns import OwnTurns, Turns
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
    message_id: str = ""


class SmsGateway:
    """Sends through one SMSC. A recipient is accepted once all parts are.

    Parts go one after the other, so that a refusal costs no further part; a later try begins with the
    first part that was not accepted.
    """

    channel = Channel.SMS

    def __init__(
        self,
        settings: SmppSettings,
        window: int = 10,
        *,
        name: str = "smpp",
        book: Book | None = None,
        turns: Turns | None = None,
    ) -> None:
        """`book` takes down what awaits a delivery receipt, and the receipts; `turns` keeps the rate."""
        self.settings, self.window, self.name, self._book = settings, window, name, book
        self.delivered: Counter[str] = Counter()
        """Receipts by state (DELIVRD, UNDELIV, ...), and MO for messages phones sent us."""
        self._turns = turns or OwnTurns(settings.messages_per_second)
        self._seen = Seen()
        self._begun: dict[str, int] = {}
        self._bodies: dict[tuple[UUID, int, Language], Body] = {}
        self._source_ton = _SHORT_CODE if settings.brand.isdecimal() else _ALPHANUMERIC

    async def __aenter__(self) -> Self:
        settings = self.settings
        self._loop = asyncio.get_running_loop()
        self._slots = asyncio.Semaphore(settings.in_flight)
        self._line = Line(settings, self._heard)
        await self._line.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._line.close()

    @property
    def up(self) -> bool:
        """As Carrier.up."""
        return self._line.up

    def drain(self) -> Seen:
        """As Carrier.drain."""
        seen, self._seen = self._seen, Seen()
        return seen._replace(down=not self.up)

    async def send(self, message: Message, recipients: Sequence[Recipient]) -> list[Result]:
        """As Gateway.send. Raises ValueError for more than a window.

        Raises PayloadFaultError where the SMSC refuses what we say, and accepted it for no one.
        """
        return (await self.submit(message, recipients)).settled()

    async def submit(self, message: Message, recipients: Sequence[Recipient]) -> Attempt:
        """As Carrier.submit. Raises ValueError for more than a window."""
        if len(recipients) > self.window:
            raise ValueError(f"recipients: {len(recipients)} are more than a window of {self.window}")
        faults: dict[int, str] = {}
        results = await asyncio.gather(
            *(self._send(message, recipient, faults) for recipient in recipients)
        )
        return Attempt(results, faults)

    def _heard(self, word: Word) -> None:
        self.delivered[word.state] += 1
        if self._book is not None and word.message_id:
            given = canonical(word.message_id, 10 if self.settings.decimal_receipts else None)
            self._book.heard(self.name, given, word.state)

    def _body(self, message: Message, language: Language) -> Body:
        """Rendered once for all windows of an alert version."""
        key = (message.alert_id, message.version, language)
        if (body := self._bodies.get(key)) is None:
            text = render(message, language, self.settings.accented, self.settings.rules)
            parts = split(text, concatenation_reference(message))
            body = self._bodies[key] = Body(language, parts, encoding_of(text).data_coding)
            _bound(self._bodies, _MOST_BODIES)
        return body

    async def _send(self, message: Message, to: Recipient, faults: dict[int, str]) -> Result:
        body = self._body(message, language_of(message, to.locale))
        number = msisdn(to.address, self.settings.country)
        if number is None:
            return Result(to.rank, Outcome.REFUSED, "not a telephone number")
        key = client_id(message, number)
        last = len(body.parts) - 1
        first = self._begun.pop(f"{key}/{body.language}", 0)
        for index in range(first, last + 1):
            answer = await self._submit(message, number, key, body, index)
            result = self._result(to.rank, answer, faults)
            if answer is not None and answer.status == Status.ESME_RTHROTTLED:
                await self._turns.hold(self.settings.throttle_pause)
            if result.outcome is Outcome.DEFERRED and index:
                self._remember(f"{key}/{body.language}", index)
            if result.outcome is not Outcome.ACCEPTED:
                # Nobody has read a message whose last part was never sent.
                unsure = result.ambiguous and index == last
                return result._replace(ambiguous=unsure, segments=index - first)
            if index == last and answer is not None:
                self._await_receipt(message, answer.message_id)
        return Result(to.rank, Outcome.ACCEPTED, segments=last + 1 - first)

    def _await_receipt(self, message: Message, message_id: str) -> None:
        if self._book is not None and self.settings.receipts and message_id:
            given = canonical(message_id, 16 if self.settings.decimal_receipts else None)
            self._book.sent(self.name, given, message)

    async def _submit(
        self, message: Message, number: str, key: str, body: Body, index: int
    ) -> Answer | None:
        settings, last = self.settings, len(body.parts) - 1
        async with self._slots:
            await self._turns.turn(message.lane)
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
            began = self._loop.time()
            reply = await session.ask(sequence, submit.encode())
            self._note(reply.status if reply else None, self._loop.time() - began)
            if reply is None:
                return Answer(None)
            if reply.status == Status.ESME_RINVBNDSTS:
                session.abort()  # it has forgotten our bind: the line makes a new one
            return Answer(reply.status, message_id_of(reply))

    def _note(self, status: int | None, seconds: float) -> None:
        """Refusals of a number are no failure of the provider's; being put off and being silent are."""
        verdicts = (Verdict.DEFERRED, Verdict.PAYLOAD)
        failed = status is None or verdict(status, self.settings.gone) in verdicts
        seen = self._seen
        self._seen = Seen(seen.answers + 1, seen.failed + failed, seen.seconds + seconds)

    def _result(self, rank: int, answer: Answer | None, faults: dict[int, str]) -> Result:
        if answer is None:
            return Result(rank, Outcome.DEFERRED, "not connected")
        if answer.status is None:
            return Result(rank, Outcome.DEFERRED, "no answer", ambiguous=True)
        name = name_of(answer.status)
        match verdict(answer.status, self.settings.gone):
            case Verdict.ACCEPTED:
                return Result(rank, Outcome.ACCEPTED)
            case Verdict.PAYLOAD:
                faults[rank] = name
                return Result(rank, Outcome.REFUSED, name)
            case Verdict.DEFERRED:
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
