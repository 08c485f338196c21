"""Tells the log that API keys ended: whose, why and by whom, in the transaction that ends them.

And that one was made, where no role is granted with it.

Where a screen is taken down, is given another box or loses every key, the screen's own event says so.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from psycopg import Cursor

from broadcaster.keys.rows import EndedKey
from broadcaster.log.recorder import Ground
from schemas.events import Actor, Event, KeyEnd, KeyEnded, KeyMade, KeyRevoked
from schemas.ids import key_made_stream, key_stream


class Diary(Protocol):
    """The event log, as far as keys know it."""

    def append_in(
        self, cursor: Cursor[Any], events: Sequence[Event], at: datetime, ground: Ground | None = None
    ) -> int:
        """Appends in the caller's transaction, and answers the last position."""
        ...


class KeyEnds:
    """A key ends once, so its end is the first and only event of its stream."""

    def __init__(self, log: Diary) -> None:
        self._log = log

    def made(self, cursor: Cursor[Any], key_id: str, account: str, by: Actor, at: datetime) -> None:
        """The operator made one that stands on no role."""
        stream = key_made_stream(key_id)
        event = KeyMade(originator_id=stream, originator_version=1, by=by, key_id=key_id, account=account)
        # Without ground: the operator at the machine, of whom no role is asked.
        self._log.append_in(cursor, [event], at)

    def revoked(
        self, cursor: Cursor[Any], keys: Sequence[EndedKey], by: Actor, at: datetime, ground: Ground | None
    ) -> None:
        """Somebody ended them."""
        events = [KeyRevoked(**_of(key), by=by) for key in keys]
        # Without ground: the operator at the machine, of whom no role is asked.
        self._log.append_in(cursor, events, at, ground)

    def ended(
        self,
        cursor: Cursor[Any],
        keys: Sequence[EndedKey],
        cause: KeyEnd,
        at: datetime,
        by: Actor | None = None,
    ) -> None:
        """They ended by themselves; `by` is the account of each where nobody else made it so."""
        events = [KeyEnded(**_of(key), cause=cause, by=by or Actor(account=key.account)) for key in keys]
        # No ground: the clock, or whoever held the key.
        self._log.append_in(cursor, events, at)


def _of(key: EndedKey) -> dict[str, Any]:
    return {
        "originator_id": key_stream(key.key_id),
        "originator_version": 1,
        "key_id": key.key_id,
        "account": key.account,
        "body": key.body,
    }
