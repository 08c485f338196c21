"""Events of who gets in: what a manager asked for, and what a second one made of it."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from schemas.events.base import Event

Wish = Literal["invite", "grant", "key"]
"""A person is invited with a first role; someone gets another role; a program gets a key with a role."""


class _Access(Event):
    """What each of them says again, so that a line of the audit stands alone."""

    wish: Wish
    account: str
    """The beneficiary."""
    body: str
    role: str


class AccessAsked(_Access, topic="access.asked"):
    """A manager asks; nothing is given until a second one confirms before `lapses_at`."""

    lapses_at: AwareDatetime
    """The first instant at which it can no longer be confirmed."""
    key_id: Annotated[str | None, Field(exclude_if=lambda key_id: key_id is None)] = None
    """Names the key asked for, never its secret."""


class AccessConfirmed(_Access, topic="access.confirmed"):
    """A second manager confirms; the role is granted in the same transaction."""


class AccessRefused(_Access, topic="access.refused"):
    """A second manager says no, or the asker takes it back."""


class AccessLapsed(_Access, topic="access.lapsed"):
    """Nobody confirmed in time."""


KeyEnd = Literal["expired", "superseded", "unused"]
"""Its overlap with the next key was over; the next one was used; it was made anew and never used."""


class KeyMade(Event, topic="key.made"):
    """The operator made a key that stands on no role: one of an app's server. One event, one stream."""

    key_id: str
    account: str


class KeyRevoked(Event, topic="key.revoked"):
    """A manager or the operator ended a key; its account keeps its roles."""

    key_id: str
    account: str
    body: str | None
    """None for a key of a screen."""


class KeyEnded(Event, topic="key.ended"):
    """A key ended without anybody revoking it. One event, one stream, as of `KeyRevoked`."""

    key_id: str
    account: str
    body: str | None
    cause: KeyEnd


AccessEvent = AccessAsked | AccessConfirmed | AccessRefused | AccessLapsed
EntryEvent = AccessEvent | KeyMade | KeyRevoked | KeyEnded
