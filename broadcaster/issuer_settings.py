"""What may be set on a body, and what ends it: decides, and answers the event. Pure."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, time
from typing import TypedDict
from uuid import UUID

from broadcaster.issuer import Issuer
from broadcaster.rules import RefusedError, Rule
from schemas.events import (
    Actor,
    IssuerClosed,
    IssuerContact,
    IssuerContactsSet,
    IssuerPolicySet,
    IssuerSucceeded,
)
from schemas.ids import issuer_stream

MOST_CONTACTS = 10

_FORMS = {
    "email": (re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"), "an address with an @"),
    "phone": (re.compile(r"\+?[0-9][0-9 .-]{1,20}"), "digits, blanks, dots and dashes"),
    "web": (re.compile(r"https?://[^\s]+"), "an address that begins with https:// or http://"),
}


class _Place(TypedDict):
    originator_id: UUID
    originator_version: int
    by: Actor
    issuer_id: str


def _next(body: Issuer, by: Actor) -> _Place:
    return {
        "originator_id": issuer_stream(body.issuer_id),
        "originator_version": body.version + 1,
        "by": by,
        "issuer_id": body.issuer_id,
    }


def set_contacts(body: Issuer, by: Actor, contacts: Sequence[IssuerContact]) -> IssuerContactsSet:
    """Replaces all of them. Refused where one has not the form of its kind."""
    if len(contacts) > MOST_CONTACTS:
        raise RefusedError(Rule.LIMIT, f"contacts: at most {MOST_CONTACTS}, {len(contacts)} are given")
    for number, contact in enumerate(contacts, 1):
        form, wanted = _FORMS[contact.kind]
        if form.fullmatch(contact.value) is None:
            raise RefusedError(Rule.LIMIT, f"contacts: no. {number}, {contact.kind}, must be {wanted}")
    return IssuerContactsSet(**_next(body, by), contacts=tuple(contacts))


def set_policy(
    body: Issuer, by: Actor, *, one_person_bulletins: bool, quiet_hours: tuple[time, time] | None
) -> IssuerPolicySet:
    """Replaces it. Refused where the quiet hours begin when they end."""
    start, end = quiet_hours or (None, None)
    if quiet_hours is not None and start == end:
        raise RefusedError(Rule.LIMIT, "quiet_from, quiet_until: must differ; leave both out for none")
    return IssuerPolicySet(
        **_next(body, by), one_person_bulletins=one_person_bulletins, quiet_from=start, quiet_until=end
    )


def close(body: Issuer, by: Actor, successors: Sequence[str], at: datetime) -> IssuerClosed:
    """Ends it at an instant. Refused where it has an end already."""
    if body.closed_at is not None:
        raise RefusedError(Rule.STATE, f"{body.issuer_id} ends at {body.closed_at.isoformat()} already")
    return IssuerClosed(**_next(body, by), successors=tuple(successors), effective_at=at)


def succeed(
    body: Issuer, by: Actor, predecessor: str, at: datetime, fields: Iterable[str]
) -> IssuerSucceeded:
    """It answers for another from an instant on. Refused where it has itself an end."""
    if body.closed_at is not None:
        raise RefusedError(Rule.STATE, f"{body.issuer_id} ends at {body.closed_at.isoformat()} itself")
    return IssuerSucceeded(
        **_next(body, by), predecessor=predecessor, effective_at=at, fields=tuple(sorted(fields))
    )
