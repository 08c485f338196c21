"""How many phones are registered in each commune: what an alert can reach at most."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString, NamedTuple

from psycopg_pool import ConnectionPool

from schemas.areas import AreaTree

FRESH = timedelta(minutes=1)
"""How old an answer may be: counting a million rows takes a fifth of a second, and it changes slowly."""

_COUNT: LiteralString = """
SELECT home_no, count(*), count(push_hash), count(msisdn_hash) FROM subscribers GROUP BY home_no
"""


class Registered(NamedTuple):
    """Phones whose home is one area."""

    phones: int = 0
    push: int = 0
    """With the app."""
    sms: int = 0
    """With a number."""


@dataclass(frozen=True, eq=False)
class Coverage:
    """Registered phones by home area, as counted at an instant, in an edition of the register.

    One count is never equal to another: what was drawn of it may be kept under it.
    """

    at: datetime
    edition: str
    homes: Mapping[str, Registered]

    def of(self, area: str) -> Registered:
        """Those with their home in that very area."""
        return self.homes.get(area, Registered())


class CoverageCount:
    """Counts, and keeps the answer for a minute. Thread-safe: at worst two count at once."""

    def __init__(self, pool: ConnectionPool[Any], tree: Callable[[], AreaTree]) -> None:
        self._pool, self._tree = pool, tree
        self._kept: Coverage | None = None

    def get(self, at: datetime) -> Coverage:
        """The coverage now, or as it was up to a minute ago."""
        kept, tree = self._kept, self._tree()
        if kept is not None and kept.edition == tree.edition and timedelta(0) <= at - kept.at < FRESH:
            return kept
        with self._pool.connection() as conn:
            rows = conn.execute(_COUNT).fetchall()
        homes = {tree.at(number).code: Registered(*counts) for number, *counts in rows}
        self._kept = Coverage(at, tree.edition, homes)
        return self._kept
