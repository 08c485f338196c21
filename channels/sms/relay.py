"""Pooled connections to a mail relay, and one transaction on one of them: what became of each mailbox.

The commands are called one by one, not through aiosmtplib's `sendmail`: only so is it known whether the
mail had left when a line broke.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import structlog
from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from channels.pace import backoff
from channels.sms.settings import MailSettings
from schemas.dispatch import Outcome

log = structlog.get_logger(__name__)

_PERMANENT, _SIGN_IN, _TOO_MANY = 500, 530, 552
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")
_NO_SUCH_MAILBOX = frozenset({"5.1.1", "5.1.6"})
"""RFC 3463: the mailbox does not exist, or has moved. A bare 550 may be policy, and erases no one."""


class Fate(NamedTuple):
    """What became of one mailbox."""

    outcome: Outcome
    reason: str = ""
    ambiguous: bool = False


class MailRefusedError(Exception):
    """The relay refuses the mail or its sender, whoever it is for; the reason is its code."""


class Relay:
    """As many connections as the settings say, each connected when first needed and again when lost."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._failures = 0
        self._not_before = 0.0
        # A connection does one transaction at a time. The last used comes first: the others may rest.
        self._idle: asyncio.LifoQueue[SMTP] = asyncio.LifoQueue()
        for _ in range(settings.connections):
            self._idle.put_nowait(_connection(settings))

    @property
    def up(self) -> bool:
        """Whether the last try to connect did not fail, or another is due."""
        return asyncio.get_running_loop().time() >= self._not_before

    async def close(self) -> None:
        """Takes leave on every connection that is not at work."""
        while not self._idle.empty():
            smtp = self._idle.get_nowait()
            if smtp.is_connected:
                with suppress(SMTPException, OSError):
                    await smtp.quit()
            smtp.close()

    async def deliver(
        self,
        mail: bytes,
        mailboxes: Sequence[str],
        *,
        before_data: Callable[[], Awaitable[None]] | None = None,
    ) -> dict[str, Fate]:
        """Hands one mail over for these mailboxes. Raises MailRefusedError; never for a line's trouble.

        `before_data` is awaited when the relay took a mailbox and nothing of the mail has left yet;
        what it raises ends the transaction and is passed on.
        """
        smtp = await self._idle.get()
        fates: dict[str, Fate] = {}
        asked = False
        try:
            await self._begin(smtp)
            taken = await _recipients(smtp, mailboxes, fates)
            if taken:
                if before_data is not None:
                    await before_data()
                asked = True
                await smtp.data(mail)
                fates.update(dict.fromkeys(taken, Fate(Outcome.ACCEPTED)))
            else:
                await smtp.rset()
        except SMTPResponseException as error:
            # An answer, even a bad one, leaves no doubt; but it does not say where the relay now is.
            smtp.close()
            reason = _reason(error)
            if error.code >= _PERMANENT and error.code != _SIGN_IN:
                raise MailRefusedError(reason) from error
            fates = _rest(fates, mailboxes, Fate(Outcome.DEFERRED, reason))
        except (SMTPException, OSError) as error:
            smtp.close()
            reason = "no answer" if asked else "not connected"
            log.warning(
                "relay.trouble", host=self._settings.host, reason=reason, error=type(error).__name__
            )
            fates = _rest(fates, mailboxes, Fate(Outcome.DEFERRED, reason, ambiguous=asked))
        except BaseException:
            smtp.close()  # halfway through a transaction: no place to begin the next
            raise
        finally:
            self._idle.put_nowait(smtp)
        return fates

    async def _begin(self, smtp: SMTP) -> None:
        """Opens a transaction, on a new connection where the old one was closed while it rested."""
        if smtp.is_connected:
            with suppress(SMTPServerDisconnected):
                await smtp.mail(self._settings.sender)
                return
        smtp.close()
        await self._connect(smtp)
        await smtp.mail(self._settings.sender)

    async def _connect(self, smtp: SMTP) -> None:
        settings, loop = self._settings, asyncio.get_running_loop()
        if (wait := self._not_before - loop.time()) > settings.patience:
            raise ConnectionError("the next connection is not due yet")
        await asyncio.sleep(max(0.0, wait))
        try:
            await smtp.connect()
        except (SMTPException, OSError) as error:
            smtp.close()
            wait = backoff(self._failures, settings.reconnect_first, settings.reconnect_longest)
            self._failures, self._not_before = self._failures + 1, loop.time() + wait
            # The code or the kind: what the relay says in words may quote what we sent it.
            reason = _reason(error) if isinstance(error, SMTPResponseException) else type(error).__name__
            log.warning("relay.unreachable", host=settings.host, port=settings.port, reason=reason)
            raise ConnectionError("no connection") from error
        self._failures = 0


async def _recipients(smtp: SMTP, mailboxes: Sequence[str], fates: dict[str, Fate]) -> list[str]:
    """Names the mailboxes; those the relay takes, the others' fates noted."""
    taken: list[str] = []
    for mailbox in mailboxes:
        try:
            await smtp.rcpt(mailbox)
        except SMTPRecipientRefused as error:
            fates[mailbox] = _refusal(error)
        else:
            taken.append(mailbox)
    return taken


def _refusal(error: SMTPResponseException) -> Fate:
    """What an answer to RCPT says of the mailbox; RFC 5321 §4.5.3.1.10 reads 552 as 452."""
    reason = _reason(error)
    if error.code < _PERMANENT or error.code == _TOO_MANY:
        return Fate(Outcome.DEFERRED, reason)
    gone = reason.partition(" ")[2] in _NO_SUCH_MAILBOX
    return Fate(Outcome.GONE if gone else Outcome.REFUSED, reason)


def _reason(error: SMTPResponseException) -> str:
    """The codes alone: the words that follow may quote the address."""
    enhanced = _ENHANCED.match(error.message)
    return f"{error.code} {enhanced[0]}" if enhanced else str(error.code)


def _rest(fates: dict[str, Fate], mailboxes: Sequence[str], fate: Fate) -> dict[str, Fate]:
    return dict.fromkeys(mailboxes, fate) | fates


def _connection(settings: MailSettings) -> SMTP:
    return SMTP(
        hostname=settings.host,
        port=settings.port,
        username=settings.username or None,
        password=settings.password or None,
        # Ours to say: looking up the machine's name asks a name server.
        local_hostname=settings.sender.partition("@")[2],
        timeout=settings.timeout,
        use_tls=settings.use_tls,
        start_tls=settings.start_tls,
    )
