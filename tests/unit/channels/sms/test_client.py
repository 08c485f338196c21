import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import smpp34
from structlog.testing import capture_logs

from channels.gateway import Message, PayloadFaultError, Recipient, Result
from channels.sms import SmppSettings, SmsGateway, render
from channels.sms.sandbox import Behaviour, SmscSandbox
from channels.sms.smpp import RESPONSE, Command, Pdu, take
from channels.sms.statuses import Status
from channels.sms.submit import CLIENT_ID_TAG
from schemas.content import Severity
from schemas.dispatch import Outcome
from tests.unit.channels.sms.carriers import LONG, alert, listening, outcomes, said, smpp, someone
from tests.waiting import PATIENCE, until

ACCEPTED = (Outcome.ACCEPTED, "", False)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmscSandbox]:
    with SmscSandbox(tmp_path_factory.mktemp("smsc")) as smsc:
        yield smsc


@pytest.fixture
def smsc(running: SmscSandbox) -> SmscSandbox:
    running.behave()
    running.taken.clear()
    return running


def run(settings: SmppSettings, scenario: Callable[[SmsGateway], Awaitable[Any]]) -> Any:
    """What the scenario makes of an open gateway."""

    async def inside() -> Any:
        async with SmsGateway(settings) as gateway:
            return await scenario(gateway)

    return asyncio.run(inside())


def send(settings: SmppSettings, message: Message, *recipients: Recipient) -> list[Result]:
    return run(settings, lambda gateway: gateway.send(message, recipients))


def test_what_is_submitted(smsc: SmscSandbox) -> None:
    message, reader = alert(severity=Severity.EXTREME), someone()
    assert said(send(smpp(smsc.endpoint), message, reader)) == [ACCEPTED]
    ((submit, part, reference),) = smsc.taken
    assert (submit.source, submit.destination) == ("HANOI", reader.address[1:])
    assert (submit.esm_class, submit.data_coding, submit.wants_receipt) == (0, 0, True)
    assert submit.priority == 3
    assert submit.validity == "260710080000000+"
    assert part.total == 1
    assert reference == f"{message.alert_id}/1"
    assert smsc.texts(1) == [render(message, "vi")]


def test_several_parts_are_one_message(smsc: SmscSandbox) -> None:
    before = smsc.count()
    message = alert(LONG)
    assert said(send(smpp(smsc.endpoint), message, someone(), someone())) == [ACCEPTED] * 2
    assert smsc.count().received - before.received == 2
    assert smsc.texts(9) == [render(message, "vi")] * 2
    assert [part.total for _, part, _ in smsc.taken] == [3] * 6
    assert {submit.esm_class for submit, _, _ in smsc.taken} == {0x40}
    assert [submit.wants_receipt for submit, part, _ in smsc.taken if part.number < 3] == [False] * 4


def test_marks_are_kept_when_asked(smsc: SmscSandbox) -> None:
    message = alert()
    send(smpp(smsc.endpoint, accented=True), message, someone())
    assert smsc.texts(1) == [render(message, "vi", accented=True)]
    assert "Ngập sâu tại Phúc Xá" in smsc.texts(1)[0]
    assert smsc.taken[0].submit.data_coding == 8


def test_each_reads_their_language(smsc: SmscSandbox) -> None:
    send(smpp(smsc.endpoint), alert(), someone(locale="vi"), someone(locale="en"))
    assert [text[:9] for text in smsc.texts(2)] == ["[CANH BAO", "[WARNING]"]


def test_numbers_as_people_write_them(smsc: SmscSandbox) -> None:
    people = [someone()._replace(address=a) for a in ("0912345678", "+84912345678", "84912345678")]
    strange = [
        someone()._replace(address=a) for a in ("", "12", "+84 91", "device-token", "8491234567890123")
    ]
    results = send(smpp(smsc.endpoint), alert(), *people, *strange)
    assert said(results) == [ACCEPTED] * 3 + [(Outcome.REFUSED, "not a telephone number", False)] * 5
    assert {submit.destination for submit, _, _ in smsc.taken} == {"84912345678"}


def test_what_the_smsc_says_of_a_number(smsc: SmscSandbox) -> None:
    people = [someone(ending) for ending in ("0000001", "0000002", "0000003", "0000004")]
    told = send(smpp(smsc.endpoint), alert(), *people)
    assert said(told) == [
        (Outcome.REFUSED, "ESME_RINVDSTADR", False),
        (Outcome.DEFERRED, "ESME_RTHROTTLED", False),
        (Outcome.DEFERRED, "ESME_RTHROTTLED", False),
        (Outcome.GONE, "status 0x00000401", False),
    ]
    assert told[1].retry_after == 0.01
    # A vendor's own status erases no one until the settings say what it means.
    unknown = send(smpp(smsc.endpoint, gone=frozenset()), alert(), people[3])
    assert said(unknown) == [(Outcome.DEFERRED, "status 0x00000401", False)]


def test_a_part_that_was_accepted_is_not_sent_again(smsc: SmscSandbox) -> None:
    before = smsc.count()

    async def scenario(gateway: SmsGateway) -> tuple[list[Result], list[Result]]:
        message, reader = alert(LONG), someone()
        smsc.behave(Behaviour(throttle_share=0.5))
        first = await gateway.send(message, [reader])
        smsc.behave()
        return first, await gateway.send(message, [reader])

    first, second = run(smpp(smsc.endpoint), scenario)
    assert said(first) == [(Outcome.DEFERRED, "ESME_RTHROTTLED", False)]
    assert said(second) == [ACCEPTED]
    assert [part.number for _, part, _ in smsc.taken] == [1, 2, 3]
    assert smsc.count().received - before.received == 1


def test_a_refusal_costs_no_further_part(smsc: SmscSandbox) -> None:
    before = smsc.count()
    send(smpp(smsc.endpoint), alert(LONG), someone("0000001"))
    assert sum(smsc.count().refused.values()) - sum(before.refused.values()) == 1
    assert not smsc.taken


def test_a_repeat_has_the_same_client_id(smsc: SmscSandbox) -> None:
    message, reader, other = alert(LONG), someone(), someone()
    smsc.behave(Behaviour(forget_repeats=True))
    before = smsc.count()
    for _ in range(2):
        assert said(send(smpp(smsc.endpoint), message, reader, other)) == [ACCEPTED] * 2
    assert smsc.count().received - before.received == 2
    smsc.behave()
    send(smpp(smsc.endpoint), message, reader)
    assert smsc.count().duplicates - before.duplicates == 1
    ids = [submit.tlvs[CLIENT_ID_TAG] for submit, _, _ in smsc.taken]
    assert len(set(ids)) == 6
    assert len(ids) == 9
    assert reader.address[1:].encode() not in b"".join(ids)
    send(smpp(smsc.endpoint, client_id=False), message, reader)
    assert not smsc.taken[-1].submit.tlvs


def test_refused_content_is_a_fault_only_if_no_one_got_it(smsc: SmscSandbox) -> None:
    smsc.behave(Behaviour(refuse_content=True))
    with pytest.raises(PayloadFaultError) as fault:
        send(smpp(smsc.endpoint), alert(), someone(), someone())
    assert fault.value.reason == "ESME_RINVSRCADR"


def test_silence_leaves_a_doubt_and_the_line(smsc: SmscSandbox) -> None:
    before = smsc.count()

    async def scenario(gateway: SmsGateway) -> tuple[list[Result], list[Result]]:
        message, readers = alert(), [someone(), someone()]
        smsc.behave(Behaviour(silent=True))
        first = await gateway.send(message, readers)
        smsc.behave()
        # The line that comes back has the patience that a busy machine needs.
        line = gateway._line  # pyright: ignore[reportPrivateUsage]
        line._settings = replace(gateway.settings, timeout=PATIENCE)  # pyright: ignore[reportPrivateUsage]
        return first, await gateway.send(message, readers)

    first, second = run(smpp(smsc.endpoint, timeout=0.1), scenario)
    assert said(first) == [(Outcome.DEFERRED, "no answer", True)] * 2
    assert said(second) == [ACCEPTED] * 2
    assert smsc.count().duplicates - before.duplicates == 2


def test_a_broken_line_leaves_a_doubt_and_comes_back(smsc: SmscSandbox) -> None:
    async def scenario(gateway: SmsGateway) -> tuple[list[Result], list[Result]]:
        smsc.behave(Behaviour(drop_every=1))
        first = await gateway.send(alert(), [someone()])
        smsc.behave()
        return first, await gateway.send(alert(), [someone()])

    first, second = run(smpp(smsc.endpoint), scenario)
    assert said(first) == [(Outcome.DEFERRED, "no answer", True)]
    assert said(second) == [ACCEPTED]


def test_a_doubt_about_the_first_of_several_parts_is_none(smsc: SmscSandbox) -> None:
    smsc.behave(Behaviour(drop_every=1))
    assert said(send(smpp(smsc.endpoint), alert(LONG), someone())) == [
        (Outcome.DEFERRED, "no answer", False)
    ]


@pytest.mark.parametrize(
    ("wrong", "name"),
    [({"password": "wrong-pw"}, "ESME_RINVPASWD"), ({"system_id": "stranger"}, "ESME_RINVSYSID")],
)
def test_a_refused_bind_says_why_and_no_secret(smsc: SmscSandbox, wrong: dict[str, str], name: str) -> None:
    settings = replace(smpp(smsc.endpoint), **wrong)
    with capture_logs() as logs:
        results = send(settings, alert(), someone())
    assert said(results) == [(Outcome.DEFERRED, "not connected", False)]
    assert logs[0]["reason"] == name
    assert "wrong-pw" not in f"{logs}{settings!r}"


def test_nobody_there_is_no_doubt_and_no_wait() -> None:
    settings = SmppSettings("127.0.0.1", 1, "x", "y", "HANOI", reconnect_first=60, reconnect_longest=60)

    async def scenario(gateway: SmsGateway) -> float:
        began = asyncio.get_running_loop().time()
        for _ in range(20):
            results = await gateway.send(alert(), [someone()])
            assert said(results) == [(Outcome.DEFERRED, "not connected", False)]
        return asyncio.get_running_loop().time() - began

    assert run(settings, scenario) < 30, "of the 60 until it is tried again"


def test_receipts_are_counted_and_acknowledged(smsc: SmscSandbox) -> None:
    async def scenario(gateway: SmsGateway) -> dict[str, int]:
        await gateway.send(alert(LONG), [someone(), someone()])
        await asyncio.to_thread(until, lambda: gateway.delivered.total() == 2)
        return dict(gateway.delivered)

    assert run(smpp(smsc.endpoint), scenario) == {"DELIVRD": 2}
    assert run(smpp(smsc.endpoint, receipts=False), lambda gateway: gateway.send(alert(), [someone()]))
    assert not smsc.taken[-1].submit.wants_receipt


def test_many_windows_keep_to_the_rate(smsc: SmscSandbox) -> None:
    async def scenario(gateway: SmsGateway) -> tuple[float, list[list[Result]]]:
        began = asyncio.get_running_loop().time()
        windows = (gateway.send(alert(), [someone() for _ in range(10)]) for _ in range(6))
        results = await asyncio.gather(*windows)
        return asyncio.get_running_loop().time() - began, results

    seconds, windows = run(smpp(smsc.endpoint, messages_per_second=200, in_flight=4), scenario)
    assert {outcome for window in windows for outcome in outcomes(window)} == {Outcome.ACCEPTED}
    # 60 at 200 a second, the first 20 of them at once.
    assert seconds > 0.19


def test_a_throttled_line_rests(smsc: SmscSandbox) -> None:
    async def scenario(gateway: SmsGateway) -> float:
        began = asyncio.get_running_loop().time()
        for ending in ("0000003", "0000009"):
            await gateway.send(alert(), [someone(ending)])
        return asyncio.get_running_loop().time() - began

    assert run(smpp(smsc.endpoint, throttle_pause=0.2), scenario) >= 0.2


def test_no_more_in_flight_than_agreed(smsc: SmscSandbox) -> None:
    async def scenario(gateway: SmsGateway) -> float:
        began = asyncio.get_running_loop().time()
        await gateway.send(alert(), [someone() for _ in range(10)])
        return asyncio.get_running_loop().time() - began

    smsc.behave(Behaviour(latency_ms=40))
    # Five answers one after the other, where ten could come at once.
    assert run(smpp(smsc.endpoint, in_flight=2), scenario) >= 0.2


def test_an_smsc_that_forgot_our_bind_is_bound_anew() -> None:
    quiet = Quiet(answers=True, submit_status=Status.ESME_RINVBNDSTS)
    results: list[Result] = []

    async def scenario(gateway: SmsGateway) -> None:
        results.extend(await gateway.send(alert(), [someone()]))
        await asyncio.to_thread(until, lambda: quiet.binds == 2)

    quiet.serve(scenario)
    assert said(results) == [(Outcome.DEFERRED, "ESME_RINVBNDSTS", False)]


# --- against SMPP as others wrote it ----------------------------------------------------------------


def test_smpp34s_own_server_reads_the_same(unused_port: int) -> None:
    async def scenario() -> tuple[list[Result], list[Any], dict[str, int]]:
        server = smpp34.Server("127.0.0.1", unused_port)
        await server.start()
        read: list[Any] = []

        async def serve() -> None:
            esme: smpp34.Esme | None = None
            while True:
                event = await server.next()
                if isinstance(event, smpp34.Esme):
                    esme = event
                elif isinstance(event, smpp34.SubmitSmEvent):
                    read.append(event)
                    event.accept(f"id-{len(read)}")
                    assert esme is not None
                    await esme.deliver_sm("HANOI", b"id:1 stat:UNDELIV err:001", esm_class=4)
                    await esme.deliver_sm("HANOI", b"STOP")

        serving = asyncio.create_task(serve())
        settings = SmppSettings("127.0.0.1", unused_port, "esme", "secret", "HANOI", accented=True)
        async with SmsGateway(settings) as gateway:
            results = await gateway.send(message, [reader])
            await asyncio.to_thread(until, lambda: gateway.delivered.total() == 6)
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
        await server.stop()
        return results, read, dict(gateway.delivered)

    message, reader = alert(LONG), someone()
    results, read, delivered = asyncio.run(scenario())
    assert said(results) == [ACCEPTED]
    assert "".join(event.short_message[6:].decode("utf-16-be") for event in read) == render(
        message, "vi", True
    )
    assert {event.destination_addr for event in read} == {reader.address[1:]}
    assert {(event.source_addr, event.source_addr_ton, event.dest_addr_ton) for event in read} == {
        ("HANOI", 5, 1)
    }
    assert [tlv.value.decode().split("/")[-1] for event in read for tlv in event.tlvs] == ["1", "2", "3"]
    assert delivered == {"UNDELIV": 3, "MO": 3}


def test_smpp34s_own_client_is_served(smsc: SmscSandbox) -> None:
    async def scenario() -> tuple[Any, Any, Any]:
        at = smsc.endpoint
        session = await smpp34.Client(at.host, at.port, at.system_id, at.password).connect()
        good = await session.submit_sm("84912345678", b"hello", source_addr="X", registered_delivery=1)
        bad = await session.submit_sm("84910000001", b"hello", source_addr="X")
        event = await session.next()
        await session.unbind()
        return good, bad, event

    before = smsc.count()
    good, bad, event = asyncio.run(scenario())
    assert good.is_success
    assert bad.command_status == Status.ESME_RINVDSTADR
    assert event.short_message.startswith(f"id:{good.message_id} ".encode())
    assert smsc.count().received - before.received == 1


# --- the line ---------------------------------------------------------------------------------------


class Quiet:
    """An SMSC that lets everyone in, asks whether they are there, and notes what it hears."""

    def __init__(self, answers: bool, submit_status: int = 0) -> None:
        self.heard: list[int] = []
        self.binds = 0
        self._answers, self._submit_status = answers, submit_status

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        buffer = bytearray()
        while data := await reader.read(4096):
            buffer += data
            for pdu in take(buffer):
                self.heard.append(pdu.command)
                if pdu.command == Command.BIND_TRANSCEIVER:
                    self.binds += 1
                    writer.write(pdu.answer(body=b"quiet\0").octets())
                    writer.write(Pdu(Command.ENQUIRE_LINK, 0, 900).octets() + Pdu(0x103, 0, 901).octets())
                elif pdu.command in {Command.ENQUIRE_LINK, Command.UNBIND} and self._answers:
                    writer.write(pdu.answer().octets())
                elif pdu.command == Command.SUBMIT_SM:
                    writer.write(pdu.answer(self._submit_status).octets())

    def serve(self, scenario: Callable[[SmsGateway], Awaitable[object]]) -> None:
        """Runs the scenario with a gateway to it."""

        async def inside() -> None:
            async with listening(self) as port:
                # Who answers has the time it takes; who does not is given up soon.
                settings = SmppSettings(
                    *("127.0.0.1", port, "x", "y", "HANOI"),
                    keepalive=0.02,
                    timeout=PATIENCE if self._answers else 0.1,
                    reconnect_first=0.01,
                )
                async with SmsGateway(settings) as gateway:
                    await scenario(gateway)

        asyncio.run(inside())


def test_a_quiet_line_that_answers_is_kept() -> None:
    quiet = Quiet(answers=True)
    quiet.serve(lambda _: asyncio.to_thread(until, lambda: quiet.heard.count(Command.ENQUIRE_LINK) > 2))
    assert quiet.binds == 1
    # It answered that it is there, and that it knows no data_sm; its own questions came beside.
    answers = [command for command in quiet.heard[1:] if command != Command.ENQUIRE_LINK]
    assert answers[:2] == [RESPONSE | Command.ENQUIRE_LINK, Command.GENERIC_NACK]


def test_a_quiet_line_that_does_not_answer_is_left() -> None:
    quiet = Quiet(answers=False)
    quiet.serve(lambda _: asyncio.to_thread(until, lambda: quiet.binds == 2))


def test_a_stream_that_cannot_be_followed_is_left(smsc: SmscSandbox) -> None:
    async def scenario() -> bytes:
        reader, writer = await asyncio.open_connection(smsc.endpoint.host, smsc.endpoint.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        said = b""
        with suppress(ConnectionError):
            said = await reader.read()
        writer.close()
        return said

    assert asyncio.run(scenario()) == b""


# --- settings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("brand", ["", "TWELVE CHARS", "HÀ NỘI", "A#B", " HANOI"])
def test_a_brand_name_no_carrier_takes_is_refused(brand: str) -> None:
    with pytest.raises(ValueError, match="brand"):
        SmppSettings("h", 1, "x", "y", brand)


@pytest.mark.parametrize("field", ["port", "in_flight", "timeout", "messages_per_second"])
def test_settings_name_the_field_that_is_wrong(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        replace(SmppSettings("h", 1, "x", "y", "HANOI"), **{field: 0})


@pytest.fixture
def unused_port(tmp_path: Path) -> int:
    with SmscSandbox(tmp_path) as sandbox:
        return sandbox.endpoint.port
