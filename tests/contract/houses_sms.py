"""The SMS gateways, for the contract suite: over SMPP and over e-mail."""

from collections import Counter
from pathlib import Path
from typing import Self

from channels.gateway import SandboxCount
from channels.sms import MailGateway, MailSettings, Member, SmppSettings, SmsGateway, SmsPool
from channels.sms.sandbox import DOMAIN, Sandbox, SmscSandbox, SmtpSandbox
from channels.sms.sandbox.behaviour import GONE, THROTTLED, THROTTLED_ONCE
from tests.contract.gateways import AT, Behaviour, Double, House

ENDINGS = {
    Behaviour.GOOD: "0000009",
    Behaviour.GONE: GONE,
    Behaviour.BUSY_ONCE: THROTTLED_ONCE,
    Behaviour.NEVER: THROTTLED,
}


class SmscDouble(SmscSandbox):
    """The SMSC, as the suite sees it: on a thread, so it logs where the test does."""

    def remembers_with(self, other: "SmscDouble") -> None:
        """Whom one of them put off once, neither puts off again."""
        self._throttled = other._throttled

    def said(self) -> str:
        return ""


class SmtpDouble(SmtpSandbox):
    """The relay, likewise."""

    def said(self) -> str:
        return ""


def smpp(double: Sandbox, window: int = 50) -> SmsGateway:
    return SmsGateway(settings_of(double), window)


def settings_of(double: Sandbox) -> SmppSettings:
    at = double.endpoint
    return SmppSettings(
        at.host,
        at.port,
        at.system_id,
        at.password,
        "HANOI",
        gone=frozenset(at.gone),
        messages_per_second=10_000,
        reconnect_first=0.01,
        reconnect_longest=0.05,
        throttle_pause=0.01,
    )


class TwoCarriers(Double):
    """Two SMSCs, as the suite sees them: one provider."""

    def __init__(self, folder: Path) -> None:
        self.both = (SmscDouble(folder / "a"), SmscDouble(folder / "b"))
        self.both[1].remembers_with(self.both[0])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def count(self) -> SandboxCount:
        one, other = (double.count() for double in self.both)
        refused = Counter(one.refused) + Counter(other.refused)
        unique = self.both[0].journal.whole() | self.both[1].journal.whole()
        return SandboxCount(one.received + other.received, len(unique), dict(refused))

    def texts(self, limit: int) -> list[str]:
        # Which of them was last is not known: a test that asks for one text sent one message.
        before, self._read = getattr(self, "_read", ([], [])), tuple(d.texts(1000) for d in self.both)
        new = [t for old, now in zip(before, self._read, strict=True) for t in now[len(old) :]]
        return new[-limit:]

    def stop(self) -> None:
        for double in self.both:
            double.stop()

    def start(self) -> None:
        for double in self.both:
            double.start()

    def said(self) -> str:
        return ""


def pool(doubles: TwoCarriers) -> SmsPool:
    carriers = [SmsGateway(settings_of(d), 50, name=d.folder.name) for d in doubles.both]
    return SmsPool([Member(carrier) for carrier in carriers], lambda: AT)


def mail(double: Sandbox) -> MailGateway:
    at = double.endpoint
    settings = MailSettings(
        at.host,
        at.port,
        DOMAIN,
        "canhbao@hanoi.example",
        username=at.system_id,
        password=at.password,
        reconnect_first=0.01,
        reconnect_longest=0.05,
    )
    return MailGateway(settings)


def address(behaviour: Behaviour, number: int) -> str:
    return f"+84{number:05d}{ENDINGS[behaviour]}"


def secrets(double: Sandbox) -> list[str]:
    return [double.endpoint.password]


def secrets_of_both(doubles: TwoCarriers) -> list[str]:
    return [double.endpoint.password for double in doubles.both]


HOUSES = [
    House("smpp", "msisdn", "", SmscDouble, smpp, address, secrets),
    House("email", "msisdn", "", SmtpDouble, mail, address, secrets),
    House("pool", "msisdn", "", TwoCarriers, pool, address, secrets_of_both),
]
