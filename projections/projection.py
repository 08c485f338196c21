"""What a projection is: rows that follow the log."""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol, runtime_checkable

from psycopg import Cursor

from schemas.events import Event, Recorded

Row = tuple[Any, ...]


class Transaction(Protocol):
    """The transaction in which a page's rows and the position commit together."""

    @property
    def cursor(self) -> Cursor[Row]:
        """For the rows."""
        ...

    @property
    def at(self) -> datetime:
        """The clock's reading when the page was taken (UTC)."""
        ...

    def emit(self, events: Sequence[Event]) -> None:
        """Appends events to the log in this very transaction."""
        ...


class Projection(Protocol):
    """Rows that are a function of the log. Dropped and rebuilt at any time, they are the same rows."""

    name: str
    """Also its position's name and `broadcaster rebuild NAME`."""
    topics: frozenset[str]
    """The topics it wants; a page holds no others."""
    ddl: str
    """Creates its tables; safe to run again."""
    tables: tuple[str, ...]
    """What a rebuild empties."""

    def apply(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        """Folds a page of events, in log order, into the rows. It may be made as one goes through it."""
        ...


@runtime_checkable
class Revised(Protocol):
    """A projection that makes other rows of the same events than it once did, in tables as they were."""

    revision: int
    """Goes up with each such change."""


def shape(projection: Projection) -> str:
    """What its rows are like: another one where rows that are there must be made anew."""
    revision = projection.revision if isinstance(projection, Revised) else 0
    told = (str(revision), projection.ddl, *sorted(projection.topics))
    return sha256("\0".join(told).encode()).hexdigest()[:16]


ReadLog = Callable[[int, int, Sequence[str]], Sequence[Recorded]]
"""Reads the log: after this position, at most so many, of these topics (none given: of all)."""
