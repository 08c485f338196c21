"""Where a body sits under one edition of the area register, and what it took over from others."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple


class Seat(NamedTuple):
    """Its area, level, name and parent under an edition."""

    area: str
    level: int
    name: str
    parent: str | None


Seats = Mapping[str, Seat]
"""By edition, in the order in which they were taken."""


class Inheritance(NamedTuple):
    """From `since` on a body answers for its predecessor."""

    predecessor: str
    since: datetime
    fields: frozenset[str]
    """Those that became its own, in its own area."""
