"""Tells the log that what opens an account was changed, in the transaction that changes it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from psycopg import Connection, Cursor

from schemas.events import Actor, CredentialEvent, Event
from schemas.ids import credentials_stream


class Diary(Protocol):
    """The event log, as far as accounts know it."""

    def append_in(self, cursor: Cursor[Any], events: Sequence[Event], at: datetime) -> int:
        """Appends in the caller's transaction, and answers the last position."""
        ...

    def length_in(self, cursor: Cursor[Any], stream: UUID) -> int:
        """How many events the stream has."""
        ...


class Noting:
    """What the log gets to know: whose, what kind, by whom. Never a secret."""

    def __init__(self, log: Diary) -> None:
        self._log = log

    def note(
        self,
        conn: Connection[Any],
        kind: type[CredentialEvent],
        account: str,
        *,
        by: str,
        at: datetime,
        **told: object,
    ) -> None:
        """Appends the event; it is in the log if and only if the caller's transaction commits."""
        stream = credentials_stream(account)
        with conn.cursor() as cursor:
            # One change of an account at a time, so that the next version is free.
            cursor.execute("SELECT FROM accounts WHERE name = %s FOR UPDATE", (account,))
            event = kind.model_validate(
                {
                    "originator_id": stream,
                    "originator_version": self._log.length_in(cursor, stream) + 1,
                    "by": Actor(account=by),
                    "account": account,
                    **told,
                }
            )
            # No ground: who has proved what opens the account changes what is his own.
            self._log.append_in(cursor, [event], at)
