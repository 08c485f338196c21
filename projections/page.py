"""One page of the log: its transaction, and what can go wrong in it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

import psycopg
from psycopg import Cursor, errors

from projections.projection import Row
from schemas.events import Event


def transient(error: Exception) -> bool:
    """Whether the database, not the event, is the trouble, so that the same page may pass later."""
    # Class 54 is a limit of PostgreSQL's (a row too big): the same page meets it again.
    if isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith("54"):
        return False
    # ReadOnlySqlTransaction: a server that is standing by, during a failover. The other: this process was
    # held up in its transaction for so long that the server ended it.
    return isinstance(
        error,
        psycopg.OperationalError
        | psycopg.InterfaceError
        | errors.ReadOnlySqlTransaction
        | errors.IdleInTransactionSessionTimeout,
    )


@runtime_checkable
class Weighing(Protocol):
    """A projection for which some events are far more work than others."""

    def weigh(self, event: Event) -> int:
        """The event's share of a page, >= 1; an ordinary one weighs 1."""
        ...


class PoisonedError(Exception):
    """An event cannot be read or applied. `position` is its own, or the first that it can be."""

    def __init__(self, before: int, position: int, cause: Exception) -> None:
        # A lone surrogate may well be what failed, and could be neither stored nor logged.
        super().__init__(f"{type(cause).__name__}: {cause}".encode(errors="replace").decode())
        self.before, self.position = before, position


class PageTransaction:
    """The transaction of one page."""

    def __init__(self, cursor: Cursor[Row], at: datetime) -> None:
        self._cursor, self._at = cursor, at
        self.emitted: list[Event] = []

    @property
    def cursor(self) -> Cursor[Row]:
        """For the rows."""
        return self._cursor

    @property
    def at(self) -> datetime:
        """The clock's reading when the page was taken (UTC)."""
        return self._at

    def emit(self, events: Sequence[Event]) -> None:
        """Appends events to the log, as the last thing before the commit.

        Not at once, because from its first append to the commit a transaction holds up all writers.
        """
        self.emitted.extend(events)
