"""An alert, from its first draft to its end: what may be asked of it, and the event that follows.

When what may be asked is the table in lifecycle.py; what its events make of it is alert_state.py.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, NotRequired, TypedDict, Unpack
from uuid import UUID

from broadcaster.alert_state import AlertState
from broadcaster.lifecycle import TABLE, Command
from broadcaster.rules import RefusedError, Rule
from schemas.content import Content, Kind, MsgType
from schemas.events import (
    Actor,
    AlertApproved,
    AlertCancelled,
    AlertDrafted,
    AlertExpired,
    AlertIssued,
    AlertPreApproved,
    AlertRejected,
    AlertReturned,
    AlertRevised,
    AlertScheduled,
    AlertSubmitted,
    AlertUnscheduled,
    AlertUpdateProposed,
)

FURTHEST_SCHEDULE = timedelta(days=30)
"""What should go out later is scheduled later, by someone who looked at it again."""


class Place(TypedDict):
    """Where the next event goes, and who caused it."""

    originator_id: UUID
    originator_version: int
    by: Actor


class PreApproval(NamedTuple):
    """The correcting text that was approved before it was needed, and by whom."""

    template_id: UUID
    template_version: int
    approved_by: str


class Sending(TypedDict):
    """What an issue needs to know that the alert does not. `lifetime` is the category's."""

    sender: str
    edition: str
    lifetime: timedelta
    at: datetime
    sender_name: NotRequired[str | None]
    page: NotRequired[str | None]
    delegation_id: NotRequired[UUID | None]
    """What it stands on; absent: the body's own rights."""


@dataclass(frozen=True)
class Alert(AlertState):
    """Decides. Each command answers the event, or raises RefusedError; nothing is changed."""

    @staticmethod
    def draft(
        alert_id: UUID, by: Actor, issuer_id: str, content: Content, *, edition: str | None = None
    ) -> AlertDrafted:
        """Begins an alert, addressed by the codes of an edition of the area register."""
        return AlertDrafted(
            originator_id=alert_id,
            originator_version=1,
            by=by,
            issuer_id=issuer_id,
            content=content,
            edition=edition,
        )

    def check(self, command: Command) -> None:
        """Refuses what the table does not allow now."""
        if (self.life, self.stage) not in TABLE[command]:
            version = "no version in work" if self.work is None else f"its version in work is {self.stage}"
            raise RefusedError(Rule.STATE, f"cannot {command} an alert that is {self.life} ({version})")

    def revise(self, by: Actor, content: Content, *, edition: str | None = None) -> AlertRevised:
        """Rewrites the version in work, addressed by the codes of an edition of the area register."""
        self.check(Command.REVISE)
        self._check_mode(content)
        return AlertRevised(**self._next(by), version=self._work.version, content=content, edition=edition)

    def submit(self, by: Actor, *, delegation_id: UUID | None = None) -> AlertSubmitted:
        """Puts the version in work up for approval, on the body's own rights or on a delegation."""
        self.check(Command.SUBMIT)
        return AlertSubmitted(**self._next(by), version=self._work.version, delegation_id=delegation_id)

    def send_back(self, by: Actor, reason: str) -> AlertReturned:
        """Returns the version in work to its authors."""
        self.check(Command.RETURN)
        return AlertReturned(**self._next(by), version=self._work.version, reason=reason)

    def reject(self, by: Actor, reason: str) -> AlertRejected:
        """Turns the version in work down for good. What is out stays as it is."""
        self.check(Command.REJECT)
        return AlertRejected(**self._next(by), version=self._work.version, reason=reason)

    def approve(self, by: Actor, *, one_person: bool = False) -> AlertApproved:
        """Approves the version in work. Refused to everyone who had a hand in it.

        Unless `one_person` will do: a body may say so of its bulletins, never of alerts.
        """
        self.check(Command.APPROVE)
        one_person = one_person and self._work.content.kind is Kind.BULLETIN
        if by.account in self._work.contributors and not one_person:
            raise RefusedError(
                Rule.FOUR_EYES,
                f"{by.account} contributed to version {self._work.version}; another must approve",
            )
        return AlertApproved(**self._next(by), version=self._work.version)

    def schedule(
        self, by: Actor, due_at: datetime, cause: Literal["asked", "quiet_hours"], *, at: datetime
    ) -> AlertScheduled:
        """Sets the time at which the approved version goes out by itself."""
        self.check(Command.SCHEDULE)
        work = self._work
        if not at < due_at <= at + FURTHEST_SCHEDULE:
            raise RefusedError(
                Rule.SCHEDULE,
                f"due_at: {due_at.isoformat()} is not within {FURTHEST_SCHEDULE.days} days from now",
            )
        if work.content.expires_at is not None and work.content.expires_at <= due_at:
            raise RefusedError(Rule.SCHEDULE, f"due_at: {due_at.isoformat()} is not before expires_at")
        if self.issued is not None and self.issued.expires_at <= due_at:
            # The alert would end first, and the version in work with it.
            raise RefusedError(
                Rule.SCHEDULE,
                f"due_at: {due_at.isoformat()} is not before {self.issued.expires_at.isoformat()}, "
                "when what is out ends",
            )
        return AlertScheduled(**self._next(by), version=work.version, due_at=due_at, cause=cause)

    def unschedule(self, by: Actor) -> AlertUnscheduled:
        """Takes the version off the clock."""
        self.check(Command.UNSCHEDULE)
        return AlertUnscheduled(**self._next(by), version=self._work.version)

    def issue(self, by: Actor, **sending: Unpack[Sending]) -> AlertIssued:
        """Sends the approved version out. It lives for `lifetime` where its content sets no end."""
        self.check(Command.ISSUE)
        work, at = self._work, sending["at"]
        expires_at = work.content.expires_at or at + sending["lifetime"]
        if expires_at <= at:
            raise RefusedError(Rule.EXPIRY, f"expires_at {expires_at.isoformat()} is not after now")
        return AlertIssued(
            **self._next(by),
            issuer_id=self.issuer_id,
            version=work.version,
            msg_type=MsgType.UPDATE if self.issued else MsgType.ALERT,
            identifier=self._identifier(work.version),
            sender=sending["sender"],
            sent=at.replace(microsecond=0),
            references=self.references,
            content=work.content,
            edition=sending["edition"],
            effective_at=at,
            expires_at=expires_at,
            sender_name=sending.get("sender_name"),
            page=sending.get("page"),
            delegation_id=sending.get("delegation_id"),
        )

    def propose_update(
        self, by: Actor, content: Content, *, corrects: bool = False, edition: str | None = None
    ) -> AlertUpdateProposed:
        """Begins the next version of a live alert; it goes the same road of review.

        `corrects` says that what is out is wrong.
        """
        self.check(Command.UPDATE)
        return self._proposed(by, content, corrects=corrects, edition=edition)

    def _proposed(
        self, by: Actor, content: Content, *, corrects: bool, edition: str | None
    ) -> AlertUpdateProposed:
        self._check_mode(content)
        version = self._issued.version + 1
        return AlertUpdateProposed(
            **self._next(by), version=version, content=content, edition=edition, corrects=corrects
        )

    def correct(
        self, by: Actor, content: Content, approval: PreApproval, **sending: Unpack[Sending]
    ) -> tuple[AlertUpdateProposed, AlertPreApproved, AlertIssued]:
        """Puts a live alert right at once, with words that were approved beforehand.

        One person may, for a second one read these words already: whoever approved the text.
        """
        self.check(Command.CORRECT)
        if approval.approved_by == by.account:
            raise RefusedError(Rule.FOUR_EYES, f"{by.account} approved that text; another must send it")
        proposed = self._proposed(by, content, corrects=True, edition=sending["edition"])
        ready = Alert.fold(self, proposed)
        approved = AlertPreApproved(**ready._next(by), version=proposed.version, **approval._asdict())  # noqa: SLF001 (its own)
        return proposed, approved, Alert.fold(ready, approved).issue(by, **sending)

    def cancel(
        self, by: Actor, *, sender: str, reason: str, in_error: bool, at: datetime
    ) -> AlertCancelled:
        """Withdraws a live alert. One person may: a wrong alert must be stopped at once."""
        self.check(Command.CANCEL)
        version = self._issued.version + 1
        return AlertCancelled(
            **self._next(by),
            issuer_id=self.issuer_id,
            version=version,
            identifier=self._identifier(version),
            sender=sender,
            sent=at.replace(microsecond=0),
            references=self.references,
            reason=reason,
            in_error=in_error,
        )

    def expire(self, by: Actor, at: datetime) -> AlertExpired:
        """Ends a live alert whose time is up. Refused before that."""
        self.check(Command.EXPIRE)
        if at < self._issued.expires_at:
            raise RefusedError(Rule.EXPIRY, f"it lives until {self._issued.expires_at.isoformat()}")
        return AlertExpired(**self._next(by), version=self._issued.version)

    def _check_mode(self, content: Content) -> None:
        # Hawaii 2018: a drill that turns real, or the reverse, must be another alert.
        if content.mode is not self.mode:
            raise RefusedError(Rule.MODE, f"mode: the alert is {self.mode} and stays so")

    def _next(self, by: Actor) -> Place:
        return {"originator_id": self.id, "originator_version": self.version + 1, "by": by}

    def _identifier(self, version: int) -> str:
        # A fact of the event, so every rendering of the CAP message carries the same one.
        return f"hn.{self.id}.{version}"
