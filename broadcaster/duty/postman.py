"""Decides reminders and carries them to the mail server, in a thread beside the timekeeper."""

import asyncio
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from broadcaster.duty.letters import letter
from broadcaster.duty.notices import below
from broadcaster.duty.reminders import GIVE_UP, Claim, LostClaimError, Reminders
from broadcaster.log import UnknownStreamError
from channels.sms.relay import Fate, MailRefusedError, Relay
from channels.sms.settings import MailSettings
from projections.cadence.view import BodyCadence
from projections.own_thread import OwnThread
from schemas.dispatch import Outcome
from schemas.events import Notice

log = structlog.get_logger(__name__)

SETTLE = timedelta(seconds=5)
"""What is decided is of so long ago, so that a command under way then has been recorded."""


class Desk(Protocol):
    """What the postman asks of the house."""

    def now(self) -> datetime:
        """UTC."""
        ...

    def catch_up(self) -> bool:
        """Brings the view to the log's end; False where it cannot."""
        ...

    def addresses(self, issuer_id: str) -> list[str]:
        """The e-mail addresses of a body's office. Raises UnknownStreamError."""
        ...

    def names(self) -> dict[str, str]:
        """Of bodies, by id."""
        ...


class Postman(OwnThread):
    """One round: decide, take care of what the dead left, send. Rounds never overlap."""

    def __init__(
        self, reminders: Reminders, desk: Desk, settings: MailSettings, every: float = 15.0
    ) -> None:
        super().__init__("postman")
        self._out = 0
        self._reminders, self._desk, self._settings, self._every = reminders, desk, settings, every

    @property
    def in_doubt(self) -> bool:
        """Whether mails are out whose answer is not noted: who ends now never learns what came of them."""
        return self._out > 0

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            relay = runner.run(self._relay())
            while not self._stop.is_set():
                try:
                    runner.run(self.round(relay))
                except Exception:
                    # A lost database, say; what was claimed is taken up again once its lease is over.
                    log.exception("postman_stumbled")
                self._stop.wait(self._every)
            runner.run(relay.close())

    async def _relay(self) -> Relay:
        return Relay(self._settings)

    async def round(self, relay: Relay) -> int:
        """Decides and sends all that there is; answers how many mails were taken."""
        now = self._desk.now()
        if await asyncio.to_thread(self._desk.catch_up):
            decided = await asyncio.to_thread(self._reminders.decide, now - SETTLE)
            if decided:
                log.info("reminders_decided", count=decided)
        await asyncio.to_thread(self._reminders.recover, now)
        sent = 0
        while not self._stop.is_set() and (
            claims := await asyncio.to_thread(self._reminders.claim, self._desk.now())
        ):
            # As many at once as there are connections; the relay's pool holds the rest back.
            sent += sum(await asyncio.gather(*(self._send(relay, claim) for claim in claims)))
        return sent

    async def _send(self, relay: Relay, claim: Claim) -> bool:
        reminders, now = self._reminders, self._desk.now
        try:
            mailboxes = await asyncio.to_thread(self._desk.addresses, claim.notice.recipient)
        except UnknownStreamError:
            mailboxes = []
        if not mailboxes:
            await asyncio.to_thread(reminders.done, claim, "no_contact", now())
            return False
        mail = await asyncio.to_thread(self._letter, claim)

        async def before_data() -> None:
            await asyncio.to_thread(reminders.sending, claim)

        self._out += 1
        try:
            try:
                fates = await relay.deliver(mail, mailboxes, before_data=before_data)
            except MailRefusedError as error:
                fates = dict.fromkeys(mailboxes, Fate(Outcome.REFUSED, str(error)))
            except LostClaimError:
                return False
            return await asyncio.to_thread(self._settle, claim, fates, now())
        finally:
            self._out -= 1

    def _settle(self, claim: Claim, fates: dict[str, Fate], at: datetime) -> bool:
        taken = sum(fate.outcome is Outcome.ACCEPTED for fate in fates.values())
        deferred = any(fate.outcome is Outcome.DEFERRED for fate in fates.values())
        why = "; ".join(sorted({fate.reason for fate in fates.values() if fate.reason}))
        if taken:
            outcome = "accepted"
        elif any(fate.ambiguous for fate in fates.values()):
            outcome = "unknown"
        elif deferred and at < claim.decided_at + GIVE_UP:
            self._reminders.later(claim, at)
            return False
        else:
            outcome = "refused"
        self._reminders.done(claim, outcome, at, recipients=len(fates), detail=why)
        return bool(taken)

    def _letter(self, claim: Claim) -> bytes:
        notice, bodies = claim.notice, list[BodyCadence]()
        if notice.notice is Notice.DIGEST:
            every = self._reminders.standing(claim.decided_at)
            bodies = below(notice.recipient, self._reminders.office, every)
        return letter(
            claim.id,
            notice,
            claim.decided_at,
            sender=self._settings.sender,
            names=self._desk.names(),
            bodies=bodies,
        )
