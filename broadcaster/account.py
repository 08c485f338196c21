"""Accounts: which roles a person or program holds for which bodies."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from broadcaster.rules import RefusedError, Rule
from schemas.events import Actor, RoleGranted, RoleRevoked
from schemas.ids import account_stream

OPERATOR = "system:"
"""How the names of who works at the machine itself begin; nobody who signs in has a colon in a name."""


class Role(StrEnum):
    """What an account may do for a body."""

    AUTHOR = "author"
    APPROVER = "approver"
    MANAGER = "manager"
    """Screens, keys and bodies."""
    AUDITOR = "auditor"
    """Reads everything, changes nothing."""


@dataclass(frozen=True)
class Account:
    """The roles one account holds now, as (body, role) pairs."""

    name: str
    version: int = 0
    roles: frozenset[tuple[str, str]] = field(default=frozenset())

    @staticmethod
    def fold(state: "Account | None", event: RoleGranted | RoleRevoked) -> "Account":
        """The account after the event."""
        before = state or Account(event.account)
        role = (event.body, event.role)
        match event:
            case RoleGranted():
                roles = before.roles | {role}
            case RoleRevoked():
                roles = before.roles - {role}
        return Account(event.account, event.originator_version, roles)

    def grant(
        self,
        by: Actor,
        body: str,
        role: Role,
        key_id: str | None = None,
        *,
        request_id: UUID | None = None,
    ) -> RoleGranted:
        """Gives a role. Granting it again is another key for the same role.

        Without a request that a second manager confirmed (access.py) only the operator gives any.
        """
        if by.account == self.name:
            raise RefusedError(Rule.FOUR_EYES, f"{self.name} may not grant itself a role")
        if request_id is None and not by.account.startswith(OPERATOR):
            raise RefusedError(Rule.FOUR_EYES, f"a second manager confirms what {by.account} grants")
        return RoleGranted(
            originator_id=account_stream(self.name),
            originator_version=self.version + 1,
            by=by,
            account=self.name,
            body=body,
            role=role,
            key_id=key_id,
            request_id=request_id,
        )

    def revoke(self, by: Actor, body: str, role: Role) -> RoleRevoked:
        """Takes a role away. Refused where the account does not hold it."""
        if (body, role) not in self.roles:
            raise RefusedError(Rule.STATE, f"{self.name} does not hold {role} for {body}")
        return RoleRevoked(
            originator_id=account_stream(self.name),
            originator_version=self.version + 1,
            by=by,
            account=self.name,
            body=body,
            role=role,
        )

    def check(self, body: str, *roles: Role) -> None:
        """Refuses an account that holds none of the roles for the body."""
        if any((body, role) in self.roles for role in roles):
            return
        if any(held == body for held, _ in self.roles):
            wanted = " or ".join(role.value for role in roles)
            raise RefusedError(Rule.ROLE, f"{self.name} is not {wanted} of {body}")
        raise RefusedError(Rule.BODY, f"{self.name} does not act for {body}")
