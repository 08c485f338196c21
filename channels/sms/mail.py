"""The SMS gateway over e-mail: a relay hands <number>@<domain> on as SMS."""

from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Self

from channels.gateway import Message, PayloadFaultError, Recipient, Result
from channels.sms.relay import Fate, MailRefusedError, Relay
from channels.sms.render import language_of, render
from channels.sms.settings import MailSettings
from channels.sms.submit import msisdn
from schemas.content import Channel, Language
from schemas.dispatch import Outcome


class MailGateway:
    """Sends one mail to many numbers: what is said is the same for all who share a language."""

    channel = Channel.SMS
    name = "email"
    window = 50

    def __init__(self, settings: MailSettings) -> None:
        self.settings = settings

    async def __aenter__(self) -> Self:
        self._relay = Relay(self.settings)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._relay.close()

    async def send(self, message: Message, recipients: Sequence[Recipient]) -> list[Result]:
        """As Gateway.send. Raises ValueError for more than a window.

        Raises PayloadFaultError where the relay refuses the mail itself, and took it for no one.
        """
        if len(recipients) > self.window:
            raise ValueError(f"recipients: {len(recipients)} are more than a window of {self.window}")
        fates: dict[str, Fate] = {}
        faults: list[str] = []
        mailboxes = {to.rank: self._mailbox(to.address) for to in recipients}
        for language in ("vi", "en"):
            spoken_to = [mailboxes[to.rank] for to in recipients if language_of(to.locale) == language]
            wanted = list(dict.fromkeys(mailbox for mailbox in spoken_to if mailbox is not None))
            fates |= await self._deliver(message, language, wanted, faults)
        if faults and not any(fate.outcome is Outcome.ACCEPTED for fate in fates.values()):
            raise PayloadFaultError(faults[0])
        return [_result(to.rank, fates.get(mailboxes[to.rank] or "")) for to in recipients]

    async def _deliver(
        self, message: Message, language: Language, mailboxes: list[str], faults: list[str]
    ) -> dict[str, Fate]:
        if not mailboxes:
            return {}
        fates: dict[str, Fate] = {}
        mail = compose(message, language, self.settings)
        most = self.settings.recipients_per_mail
        for some in (mailboxes[start : start + most] for start in range(0, len(mailboxes), most)):
            try:
                fates |= await self._relay.deliver(mail, some)
            except MailRefusedError as error:
                faults.append(str(error))
                fates |= dict.fromkeys(some, Fate(Outcome.REFUSED, str(error)))
        return fates

    def _mailbox(self, address: str) -> str | None:
        number = msisdn(address, self.settings.country)
        return None if number is None else f"{number}@{self.settings.domain}"


def compose(message: Message, language: Language, settings: MailSettings) -> bytes:
    """The mail's octets: the same at every try, its Message-ID too, so a relay can drop a repeat."""
    text = render(message, language, settings.accented)
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["From"] = settings.sender
    mail["To"] = "undisclosed-recipients:;"
    mail["Date"] = format_datetime(message.sent)
    host = settings.sender.partition("@")[2]
    mail["Message-ID"] = f"<{message.alert_id}.{message.version}.{language}@{host}>"
    mail["Auto-Submitted"] = "auto-generated"
    if text.isascii():
        mail.set_content(text, charset="us-ascii", cte="7bit")
    else:
        mail.set_content(text, charset="utf-8", cte="base64")
    return mail.as_bytes()


def _result(rank: int, fate: Fate | None) -> Result:
    if fate is None:
        return Result(rank, Outcome.REFUSED, "not a telephone number")
    return Result(rank, fate.outcome, fate.reason, ambiguous=fate.ambiguous)
