"""Who gets in: one manager asks, a second one confirms within the hour, or it lapses.

Roles make alerts, so no one manager may make up an author and an approver. What takes access away
(a role, a key, a session, the request itself) needs nobody else.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from broadcaster.account import Account, Role
from broadcaster.rules import RefusedError, Rule
from schemas.events import (
    AccessAsked,
    AccessConfirmed,
    AccessEvent,
    AccessLapsed,
    AccessRefused,
    Actor,
    RoleGranted,
    Wish,
)

CONFIRM_WITHIN = timedelta(hours=1)
ROLES_OF_KEYS = (Role.AUTHOR, Role.AUDITOR)
"""A program never approves and never lets anyone in, unless the operator gave it that role."""


class Standing(StrEnum):
    """What became of a request."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    LAPSED = "lapsed"


@dataclass(frozen=True)
class AccessRequest:
    """One request. `body` is the one whose role is asked for, `asked_by.body` the one asked for it."""

    id: UUID
    wish: Wish
    account: str
    body: str
    role: Role
    asked_by: Actor
    lapses_at: datetime
    key_id: str | None = None
    version: int = 1
    settled: Standing | None = None
    settled_by: Actor | None = None

    @staticmethod
    def fold(state: "AccessRequest | None", event: AccessEvent) -> "AccessRequest":
        """The request after the event."""
        if isinstance(event, AccessAsked):
            return AccessRequest(
                event.originator_id,
                event.wish,
                event.account,
                event.body,
                Role(event.role),
                event.by,
                event.lapses_at,
                event.key_id,
            )
        assert state is not None
        match event:
            case AccessConfirmed():
                settled = Standing.CONFIRMED
            case AccessRefused():
                settled = Standing.REFUSED
            case AccessLapsed():
                settled = Standing.LAPSED
        return replace(state, version=event.originator_version, settled=settled, settled_by=event.by)

    @staticmethod
    def ask(
        by: Actor,
        request_id: UUID,
        wish: Wish,
        *,
        account: str,
        body: str,
        role: Role,
        at: datetime,
        key_id: str | None = None,
    ) -> AccessAsked:
        """Asks. Refused for oneself, and for a key that would do more than write or read."""
        if by.account == account:
            raise RefusedError(Rule.FOUR_EYES, f"{account} may not ask for itself")
        if wish == "key" and role not in ROLES_OF_KEYS:
            raise RefusedError(Rule.ROLE, f"a key is for author or auditor, not for {role}")
        return AccessAsked(
            originator_id=request_id,
            originator_version=1,
            by=by,
            wish=wish,
            account=account,
            body=body,
            role=role,
            lapses_at=at + CONFIRM_WITHIN,
            key_id=key_id,
        )

    def standing(self, at: datetime) -> Standing:
        """What became of it; it lapses at its instant, whenever the log is told."""
        if self.settled is not None:
            return self.settled
        return Standing.WAITING if at < self.lapses_at else Standing.LAPSED

    def is_for(self, account: str) -> bool:
        """Whether it may be confirmed by the account, as far as the request itself says."""
        return account not in {self.asked_by.account, self.account}

    def confirm(self, by: Actor, holder: Account, at: datetime) -> tuple[AccessConfirmed, RoleGranted]:
        """Confirms, and gives the role. Refused for the asker, the beneficiary, and after its hour."""
        if not self.is_for(by.account):
            raise RefusedError(Rule.FOUR_EYES, f"{by.account} asked for this, or would gain by it")
        self._check_waiting(at)
        granted = holder.grant(by, self.body, self.role, self.key_id, request_id=self.id)
        return AccessConfirmed(**self._next(by)), granted

    def refuse(self, by: Actor, at: datetime) -> AccessRefused:
        """Says no; the asker may, too."""
        self._check_waiting(at)
        return AccessRefused(**self._next(by))

    def lapse(self, by: Actor, at: datetime) -> AccessLapsed:
        """Notes that its hour is over. Refused before, and where it was settled."""
        if self.settled is not None or at < self.lapses_at:
            raise RefusedError(Rule.STATE, f"request {self.id} is {self.standing(at)}")
        return AccessLapsed(**self._next(by))

    def _check_waiting(self, at: datetime) -> None:
        standing = self.standing(at)
        if standing is not Standing.WAITING:
            raise RefusedError(Rule.STATE, f"request {self.id} is {standing}")

    def _next(self, by: Actor) -> dict[str, Any]:
        return {
            "originator_id": self.id,
            "originator_version": self.version + 1,
            "by": by,
            "wish": self.wish,
            "account": self.account,
            "body": self.body,
            "role": self.role,
        }


@dataclass(frozen=True)
class Asked:
    """A request, and what is shown once: an invitation's token or a key. It opens nothing yet."""

    request: AccessRequest
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Confirmed:
    """A request that was confirmed, and an invitation's number, shown once to the confirmer."""

    request: AccessRequest
    pin: str | None = field(default=None, repr=False)
