"""The SMS gateways, for the contract suite: over SMPP and over e-mail."""

from channels.sms import MailGateway, MailSettings, SmppSettings, SmsGateway
from channels.sms.sandbox import DOMAIN, Sandbox, SmscSandbox, SmtpSandbox
from channels.sms.sandbox.behaviour import GONE, THROTTLED, THROTTLED_ONCE
from tests.contract.gateways import Behaviour, House

ENDINGS = {
    Behaviour.GOOD: "0000009",
    Behaviour.GONE: GONE,
    Behaviour.BUSY_ONCE: THROTTLED_ONCE,
    Behaviour.NEVER: THROTTLED,
}


class SmscDouble(SmscSandbox):
    """The SMSC, as the suite sees it: on a thread, so it logs where the test does."""

    def said(self) -> str:
        return ""


class SmtpDouble(SmtpSandbox):
    """The relay, likewise."""

    def said(self) -> str:
        return ""


def smpp(double: Sandbox, window: int = 50) -> SmsGateway:
    at = double.endpoint
    settings = SmppSettings(
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
    return SmsGateway(settings, window)


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


HOUSES = [
    House("smpp", "msisdn", "", SmscDouble, smpp, address, secrets),
    House("email", "msisdn", "", SmtpDouble, mail, address, secrets),
]
