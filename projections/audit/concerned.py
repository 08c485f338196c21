"""Which bodies an event is about, beside the one that its account acted for.

What opens an account names no body: it concerns those for which the account holds roles at that moment.
So the roles are kept here too, as the log gives and takes them.
"""

from collections.abc import Iterator, Sequence

from psycopg import Cursor

from projections.projection import Row
from projections.rows import copy_rows, storable
from schemas.events import TOPICS, AnyEvent, CredentialEvent, Event, Recorded, RoleGranted, RoleRevoked

CONCERNED_DDL = """
CREATE TABLE IF NOT EXISTS audit_concerned (
    body text NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (body, position)
);
CREATE TABLE IF NOT EXISTS audit_roles (
    account text NOT NULL,
    body text NOT NULL,
    role text NOT NULL,
    PRIMARY KEY (account, body, role)
);
"""
TABLES = ("audit_concerned", "audit_roles")

NAME = 120
"""Most characters of an account or body: a refused command may name anything as its body."""

_NAMING = (
    "issuer_id",
    "body",
    "grantor",
    "grantee",
    "predecessor",
    "successors",
    "recipient",
    "about",
)


def _holds_names(annotation: object) -> bool:
    # A template's `body` is its text.
    return annotation in (str, str | None, tuple[str, ...])


FIELDS: dict[type[Event], tuple[str, ...]] = {
    kind: tuple(
        name
        for name in _NAMING
        if name in kind.model_fields and _holds_names(kind.model_fields[name].annotation)
    )
    for kind in TOPICS.values()
}
"""Of each kind of event the fields that name a body, or several."""


def write(cursor: Cursor[Row], page: Sequence[Recorded]) -> None:
    """Writes the page's rows, in log order: a role counts from the event that gave it."""
    rows = [
        (body, recorded.position)
        for recorded in page
        for body in sorted(_bodies(cursor, recorded.event) - {_actor(recorded.event)})
    ]
    if rows:
        copy_rows(cursor, "audit_concerned", {"body": "text", "position": "int8"}, rows)


def _bodies(cursor: Cursor[Row], event: AnyEvent) -> set[str]:
    found = {storable(body, NAME) for body in named(event)}
    match event:
        case RoleGranted(account=account, body=body, role=role):
            cursor.execute(
                "INSERT INTO audit_roles VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", (account, body, role)
            )
        case RoleRevoked(account=account, body=body, role=role):
            cursor.execute(
                "DELETE FROM audit_roles WHERE account = %s AND body = %s AND role = %s",
                (account, body, role),
            )
        case _ if isinstance(event, CredentialEvent):
            query = "SELECT DISTINCT body FROM audit_roles WHERE account = %s"
            held = cursor.execute(query, (event.account,))
            found |= {body for (body,) in held}
        case _:
            pass
    return found


def _actor(event: AnyEvent) -> str | None:
    return event.by.body and storable(event.by.body, NAME)


def named(event: AnyEvent) -> Iterator[str]:
    """The bodies that the event itself names, but for the one that its account acted for."""
    for name in FIELDS[type(event)]:
        match getattr(event, name):
            case None:
                pass
            case str(body):
                yield body
            case bodies:
                yield from bodies
