"""The SMS gateway over e-mail: a relay hands <number>@<domain> on as SMS."""

import asyncio
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Self

from channels.gateway import Message, Recipient, Result
from channels.sms.carrier import Attempt
from channels.sms.relay import Fate, MailRefusedError, Relay
from channels.sms.render import language_of, render
from channels.sms.segments import count
from channels.sms.settings import MailSettings
from channels.sms.shares import Seen
from channels.sms.submit import msisdn
from schemas.content import Channel, Language
from schemas.dispatch import Outcome


class MailGateway:
    """Sends one mail to many numbers: what is said is the same for all who share a language."""

    channel = Channel.SMS
    window = 50

    def __init__(self, settings: MailSettings, *, name: str = "email") -> None:
        self.settings, self.name = settings, name
        self._seen = Seen()

    async def __aenter__(self) -> Self:
        self._relay = Relay(self.settings)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._relay.close()

    @property
    def up(self) -> bool:
        """As Carrier.up."""
        return self._relay.up

    def drain(self) -> Seen:
        """As Carrier.drain."""
        seen, self._seen = self._seen, Seen()
        return seen._replace(down=not self.up)

    async def send(self, message: Message, recipients: Sequence[Recipient]) -> list[Result]:
        """As Gateway.send. Raises ValueError for more than a window.

        Raises PayloadFaultError where the relay refuses the mail itself, and took it for no one.
        """
        return (await self.submit(message, recipients)).settled()

    async def submit(self, message: Message, recipients: Sequence[Recipient]) -> Attempt:
        """As Carrier.submit. Raises ValueError for more than a window."""
        if len(recipients) > self.window:
            raise ValueError(f"recipients: {len(recipients)} are more than a window of {self.window}")
        fates: dict[str, Fate] = {}
        refused: dict[str, str] = {}
        mailboxes = {to.rank: self._mailbox(to.address) for to in recipients}
        parts: dict[str, int] = {}
        began = asyncio.get_running_loop().time()
        spoken = {to.rank: language_of(message, to.locale) for to in recipients}
        for language in dict.fromkeys(spoken.values()):
            spoken_to = [mailboxes[to.rank] for to in recipients if spoken[to.rank] == language]
            wanted = list(dict.fromkeys(mailbox for mailbox in spoken_to if mailbox is not None))
            if wanted:
                fates |= await self._deliver(message, language, wanted, refused)
                parts |= dict.fromkeys(wanted, self._parts(message, language))
        self._note(fates, refused, asyncio.get_running_loop().time() - began)
        results = [
            _result(to.rank, fates.get(mailboxes[to.rank] or ""), parts.get(mailboxes[to.rank] or "", 0))
            for to in recipients
        ]
        faults = {
            to.rank: refused[mailbox] for to in recipients if (mailbox := mailboxes[to.rank]) in refused
        }
        return Attempt(results, faults)

    def _parts(self, message: Message, language: Language) -> int:
        return count(render(message, language, self.settings.accented, self.settings.rules)).parts

    def _note(self, fates: dict[str, Fate], refused: dict[str, str], seconds: float) -> None:
        failed = len(refused) + sum(fate.outcome is Outcome.DEFERRED for fate in fates.values())
        self._seen = self._seen.and_then(Seen(len(fates), failed, seconds * len(fates)))

    async def _deliver(
        self, message: Message, language: Language, mailboxes: list[str], refused: dict[str, str]
    ) -> dict[str, Fate]:
        fates: dict[str, Fate] = {}
        mail = compose(message, language, self.settings)
        most = self.settings.recipients_per_mail
        for some in (mailboxes[start : start + most] for start in range(0, len(mailboxes), most)):
            try:
                fates |= await self._relay.deliver(mail, some)
            except MailRefusedError as error:
                refused |= dict.fromkeys(some, str(error))
                fates |= dict.fromkeys(some, Fate(Outcome.REFUSED, str(error)))
        return fates

    def _mailbox(self, address: str) -> str | None:
        number = msisdn(address, self.settings.country)
        return None if number is None else f"{number}@{self.settings.domain}"


def compose(message: Message, language: Language, settings: MailSettings) -> bytes:
    """The mail's octets: the same at every try, its Message-ID too, so a relay can drop a repeat."""
    text = render(message, language, settings.accented, settings.rules)
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


def _result(rank: int, fate: Fate | None, parts: int) -> Result:
    if fate is None:
        return Result(rank, Outcome.REFUSED, "not a telephone number")
    taken = parts if fate.outcome is Outcome.ACCEPTED else 0
    return Result(rank, fate.outcome, fate.reason, ambiguous=fate.ambiguous, segments=taken)
