import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from structlog.testing import capture_logs

from channels.gateway import Message, PayloadFaultError, Recipient, Result
from channels.sms import MailGateway, MailSettings, render
from channels.sms.mail import compose
from channels.sms.sandbox import Behaviour, SmtpSandbox
from schemas.dispatch import Outcome
from tests.unit.channels.sms.carriers import alert, listening, mail, outcomes, said, someone
from tests.waiting import until

ACCEPTED = (Outcome.ACCEPTED, "", False)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmtpSandbox]:
    with SmtpSandbox(tmp_path_factory.mktemp("smtp")) as relay:
        yield relay


@pytest.fixture
def relay(running: SmtpSandbox) -> SmtpSandbox:
    running.behave()
    running.taken.clear()
    return running


def run(settings: MailSettings, scenario: Callable[[MailGateway], Awaitable[Any]]) -> Any:
    """What the scenario makes of an open gateway."""

    async def inside() -> Any:
        async with MailGateway(settings) as gateway:
            return await scenario(gateway)

    return asyncio.run(inside())


def send(settings: MailSettings, message: Message, *recipients: Recipient) -> list[Result]:
    return run(settings, lambda gateway: gateway.send(message, recipients))


def test_one_mail_for_all_who_share_a_language(relay: SmtpSandbox) -> None:
    message = alert()
    people = [someone() for _ in range(7)] + [someone(locale="en") for _ in range(3)]
    assert said(send(mail(relay.endpoint), message, *people)) == [ACCEPTED] * 10
    assert [len(mail.recipients) for mail in relay.taken] == [7, 3]
    assert [mail.text for mail in relay.taken] == [render(message, "vi"), render(message, "en")]
    assert set(relay.taken[0].recipients) == {person.address[1:] for person in people[:7]}


def test_no_more_recipients_than_the_relay_allows(relay: SmtpSandbox) -> None:
    send(mail(relay.endpoint, recipients_per_mail=4), alert(), *(someone() for _ in range(10)))
    assert [len(mail.recipients) for mail in relay.taken] == [4, 4, 2]


def test_the_mail_names_no_one_and_is_the_same_at_every_try(relay: SmtpSandbox) -> None:
    message, settings = alert(), mail(relay.endpoint)
    octets = compose(message, "vi", settings)
    assert octets == compose(message, "vi", settings)
    parsed = message_from_bytes(octets, policy=default)
    assert parsed["To"] == "undisclosed-recipients:;"
    assert parsed["Message-ID"] == f"<{message.alert_id}.1.vi@hanoi.example>"
    assert parsed["Date"].datetime == message.sent
    assert parsed["Content-Transfer-Encoding"] == "7bit"
    accented = compose(message, "vi", mail(relay.endpoint, accented=True))
    assert (
        render(message, "vi", accented=True) in message_from_bytes(accented, policy=default).get_content()
    )


def test_what_the_relay_says_of_a_mailbox(relay: SmtpSandbox) -> None:
    people = [someone(ending) for ending in ("0000009", "0000001", "0000002", "0000003", "0000004")]
    strange = someone()._replace(address="nobody@example.com")
    assert said(send(mail(relay.endpoint), alert(), *people, strange)) == [
        ACCEPTED,
        (Outcome.REFUSED, "553 5.1.3", False),
        (Outcome.DEFERRED, "450 4.2.1", False),
        (Outcome.DEFERRED, "450 4.2.1", False),
        (Outcome.GONE, "550 5.1.1", False),
        (Outcome.REFUSED, "not a telephone number", False),
    ]


def test_a_mail_for_no_one_is_not_sent(relay: SmtpSandbox) -> None:
    async def scenario(gateway: MailGateway) -> list[Result]:
        await gateway.send(alert(), [someone("0000004")])
        return await gateway.send(alert(), [someone()])

    assert said(run(mail(relay.endpoint, connections=1), scenario)) == [ACCEPTED]
    assert len(relay.taken) == 1


def test_two_who_share_a_number_get_one_mail_and_two_results(relay: SmtpSandbox) -> None:
    one = someone()
    both = [one, one._replace(rank=one.rank + 5000)]
    results = send(mail(relay.endpoint), alert(), *both)
    assert [result.rank for result in results] == [person.rank for person in both]
    assert outcomes(results) == [Outcome.ACCEPTED] * 2
    assert len(relay.taken[0].recipients) == 1


def test_a_connection_closed_while_it_rested_is_made_again(relay: SmtpSandbox) -> None:
    async def scenario(gateway: MailGateway) -> list[Result]:
        first = await gateway.send(alert(), [someone()])
        relay.drop()
        return first + await gateway.send(alert(), [someone()])

    assert said(run(mail(relay.endpoint, connections=1), scenario)) == [ACCEPTED] * 2


def test_a_line_broken_after_the_mail_left_leaves_a_doubt(relay: SmtpSandbox) -> None:
    before = relay.count()
    message, people = alert(), [someone(), someone("0000004")]
    relay.behave(Behaviour(drop_every=1))
    doubtful = [(Outcome.DEFERRED, "no answer", True), (Outcome.GONE, "550 5.1.1", False)]
    assert said(send(mail(relay.endpoint), message, *people)) == doubtful
    relay.behave(Behaviour(silent=True))
    # So short a patience may end before the mail has left: then nobody is in doubt, and it is tried again.
    until(lambda: said(send(mail(relay.endpoint, timeout=0.2), message, *people)) == doubtful)
    assert relay.count().duplicates - before.duplicates == 1


def test_refused_content_is_a_fault_only_if_no_one_got_it(relay: SmtpSandbox) -> None:
    async def scenario(gateway: MailGateway) -> str:
        relay.behave(Behaviour(refuse_content=True))
        with pytest.raises(PayloadFaultError) as fault:
            await gateway.send(alert(), [someone(), someone(locale="en")])
        relay.behave()
        assert said(await gateway.send(alert(), [someone()])) == [ACCEPTED]
        return fault.value.reason

    assert run(mail(relay.endpoint, connections=1), scenario) == "554 5.7.1"


@pytest.mark.parametrize("wrong", [{"password": "wrong-pw"}, {"port": 1}])
def test_not_let_in_is_no_doubt_and_says_no_secret(relay: SmtpSandbox, wrong: dict[str, Any]) -> None:
    settings = MailSettings(
        **vars(mail(relay.endpoint, reconnect_first=60.0, reconnect_longest=60.0)) | wrong
    )
    person = someone()
    with capture_logs() as logs:
        results = run(settings, lambda gateway: _twice(gateway, person))
    assert said(results) == [(Outcome.DEFERRED, "not connected", False)] * 2
    told = [entry for entry in logs if entry["event"] == "relay.unreachable"]
    assert [entry["reason"] for entry in told] == [
        "535 5.7.8" if "password" in wrong else "SMTPConnectError"
    ]
    for private in ("wrong-pw", relay.endpoint.password, person.address[1:]):
        assert private not in f"{logs}{settings!r}"


async def _twice(gateway: MailGateway, person: Recipient) -> list[Result]:
    return [*await gateway.send(alert(), [person]), *await gateway.send(alert(), [person])]


def test_windows_at_once_share_the_connections(relay: SmtpSandbox) -> None:
    async def scenario(gateway: MailGateway) -> list[list[Result]]:
        windows = (gateway.send(alert(), [someone() for _ in range(5)]) for _ in range(12))
        return await asyncio.gather(*windows)

    windows = run(mail(relay.endpoint, connections=3), scenario)
    assert {outcome for window in windows for outcome in outcomes(window)} == {Outcome.ACCEPTED}
    assert len(relay.taken) == 12


@pytest.mark.parametrize("behaviour", [Behaviour(latency_ms=30), Behaviour(silent=True)])
def test_a_send_that_was_cancelled_spoils_no_other(relay: SmtpSandbox, behaviour: Behaviour) -> None:
    async def scenario(gateway: MailGateway) -> list[Result]:
        await gateway.send(alert(), [someone()])
        relay.behave(behaviour)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(gateway.send(alert(), [someone() for _ in range(9)]), 0.1)
        relay.behave()
        return await gateway.send(alert(), [someone()])

    assert said(run(mail(relay.endpoint, connections=1), scenario)) == [ACCEPTED]


class Scripted:
    """A relay that says 250 to all but one thing."""

    def __init__(self, to: str, answer: str) -> None:
        self._answers = {"DATA": "354 go on", ".": "250 OK", to: answer}

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        reading = False
        while line := await reader.readline():
            verb = line.split()[0].decode() if line.strip() else ""
            if not reading or verb == ".":
                answer = self._answers.get(verb, "250 OK")
                reading = verb == "DATA" and answer.startswith("354")
                writer.write(f"{answer}\r\n".encode())

    def send(self, people: list[Recipient]) -> list[Result]:
        async def scenario() -> list[Result]:
            async with listening(self) as port:
                settings = MailSettings("127.0.0.1", port, "sms.example", "a@b.example")
                async with MailGateway(settings) as gateway:
                    return await gateway.send(alert(), people)

        return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("verb", "answer", "outcome", "reason"),
    [
        ("RCPT", "550 5.1.6 moved", Outcome.GONE, "550 5.1.6"),
        ("RCPT", "550 5.7.1 policy", Outcome.REFUSED, "550 5.7.1"),
        ("RCPT", "551 elsewhere", Outcome.REFUSED, "551"),
        ("RCPT", "552 5.2.2 full", Outcome.DEFERRED, "552 5.2.2"),
        ("MAIL", "530 5.7.0 sign in", Outcome.DEFERRED, "530 5.7.0"),
        ("MAIL", "451 4.3.0 later", Outcome.DEFERRED, "451 4.3.0"),
        ("DATA", "451 4.3.0 later", Outcome.DEFERRED, "451 4.3.0"),
        (".", "452 4.3.1 no room", Outcome.DEFERRED, "452 4.3.1"),
    ],
)
def test_what_an_answer_means(verb: str, answer: str, outcome: Outcome, reason: str) -> None:
    assert said(Scripted(verb, answer).send([someone(), someone()])) == [(outcome, reason, False)] * 2


def test_a_relay_that_closes_halfway_leaves_no_doubt() -> None:
    results = Scripted("RCPT", "421 4.3.2 closing").send([someone(), someone()])
    assert said(results) == [
        (Outcome.DEFERRED, "421 4.3.2", False),
        (Outcome.DEFERRED, "not connected", False),
    ]


@pytest.mark.parametrize(
    ("verb", "answer"), [("MAIL", "550 5.7.1 not you"), ("DATA", "554 no"), (".", "552 5.3.4 too big")]
)
def test_what_is_about_the_mail_is_a_fault(verb: str, answer: str) -> None:
    with pytest.raises(PayloadFaultError, match=answer[:3]):
        Scripted(verb, answer).send([someone()])


# --- against SMTP as others wrote it ----------------------------------------------------------------


class Inbox:
    """What aiosmtpd took."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name for it)
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("8491"):
            return "550 policy"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.envelopes.append(envelope)
        return "250 OK"


def admit(*_: object) -> AuthResult:
    return AuthResult(success=True)


def test_aiosmtpd_reads_the_same() -> None:
    async def scenario() -> list[Result]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(inbox, authenticator=admit, auth_require_tls=False, loop=loop),
            "127.0.0.1",
        )
        port = server.sockets[0].getsockname()[1]
        settings = MailSettings(
            "127.0.0.1", port, "sms.example", "a@hanoi.example", username="u", password="p", accented=True
        )
        async with MailGateway(settings) as gateway:
            results = await gateway.send(message, [reader, policy])
        server.close()
        return results

    inbox = Inbox()
    message, reader = alert(".dots\n.and lines"), someone()
    policy = someone()._replace(address="84912345678")
    results = asyncio.run(scenario())
    # A bare 550 may be policy: nobody is erased for it.
    assert said(results) == [ACCEPTED, (Outcome.REFUSED, "550", False)]
    (envelope,) = inbox.envelopes
    assert envelope.rcpt_tos == [f"{reader.address[1:]}@sms.example"]
    assert isinstance(envelope.content, bytes)
    parsed = message_from_bytes(envelope.content, policy=default)
    assert parsed.get_content().strip() == render(message, "vi", accented=True)


@pytest.mark.parametrize("field", ["host", "domain", "port", "connections", "sender"])
def test_settings_name_the_field_that_is_wrong(field: str) -> None:
    good: dict[str, Any] = {"host": "h", "port": 25, "domain": "d", "sender": "a@b"}
    empty: dict[str, Any] = {"port": 0, "connections": 0}
    with pytest.raises(ValueError, match=field):
        MailSettings(**good | {field: empty.get(field, "")})


def test_smtp_sandbox_takes_what_is_pipelined(tmp_path: Path) -> None:
    async def scenario(port: int, login: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"EHLO me\r\nMAIL FROM:<a@b>\r\nAUTH PLAIN "
            + login
            + b"\r\nDATA\r\nRCPT TO:<84912345678@x>\r\n"
        )
        writer.write(b"MAIL FROM:<a@b>\r\nRCPT TO:<84912345678@x>\r\nRCPT TO:nobody\r\nDATA\r\n")
        writer.write(b"Subject: hello\r\n\r\n..x\r\n.\r\nNOOP\r\nVRFY\r\nQUIT\r\n")
        answers = await reader.read()
        writer.close()
        return answers

    with SmtpSandbox(tmp_path) as relay:
        at = relay.endpoint
        login = b64encode(f"\0{at.system_id}\0{at.password}".encode())
        answers = asyncio.run(scenario(at.port, login)).decode().split("\r\n")
        assert [answer[:3] for answer in answers if answer[3:4] == " "] == [
            *("220", "250", "530", "235", "503", "503"),
            *("250", "250", "501", "354", "250", "250", "502", "221"),
        ]
        assert relay.texts(5) == [".x"]
        assert relay.count().received == 1
