"""Events of the ways to sign in: what opens an account was changed, by whom; never what it is.

No secret, no digest of one, and nothing that a provider says of a person: only the account by its name.
"""

from typing import Annotated

from pydantic import Field

from schemas.events.base import Event


class _Credential(Event):
    account: str
    """Whose it is; `by` is who changed it."""


class AccountInvited(_Credential, topic="account.invited"):
    """The operator made an invitation, or made it anew; those of managers are `access.*`."""


class AccountOpened(_Credential, topic="account.opened"):
    """An invitation was taken: the account has a password and a second factor now."""


class PasswordChanged(_Credential, topic="account.password_changed"):
    """The former one opens no more, and its sessions elsewhere ended."""


class SecondFactorChanged(_Credential, topic="account.second_factor_changed"):
    """Another authenticator; the former one opens no more."""


class RecoveryCodesRenewed(_Credential, topic="account.recovery_renewed"):
    """New codes on paper; the former ones ended."""

    count: Annotated[int, Field(ge=1)]


class RecoveryCodeUsed(_Credential, topic="account.recovery_used"):
    """One code on paper stood for the second factor at a sign-in, and is spent."""

    left: Annotated[int, Field(ge=0)]


class AccountLinked(_Credential, topic="account.linked"):
    """It can be opened by an identity provider now. Who it is there is not told."""

    provider: str
    """The provider's issuer, an address (OpenID Connect Core §2, `iss`)."""


class AccountUnlinked(_Credential, topic="account.unlinked"):
    """It cannot any more."""

    provider: str


class AccountClosed(_Credential, topic="account.closed"):
    """Nothing opens it any more, and its sessions ended."""


CredentialEvent = (
    AccountInvited
    | AccountOpened
    | PasswordChanged
    | SecondFactorChanged
    | RecoveryCodesRenewed
    | RecoveryCodeUsed
    | AccountLinked
    | AccountUnlinked
    | AccountClosed
)
