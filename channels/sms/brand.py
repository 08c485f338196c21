"""What a carrier's contract for a brand name demands of a text, and when it may go out. Pure.

The classes are those that Vietnamese carriers register a brand name under: government operation ("Điều
hành"), care ("CSKH") and advertising ("QC"), whose hours are 08:00 to 20:00.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from schemas.content import Lane
from schemas.local_time import HANOI

BRAND = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,10}")
"""A sender's name: at most 11 unaccented characters, none of % # & [ ] { } \\ < @."""
_FROM, _UNTIL = time(8), time(20)


class BrandClass(StrEnum):
    """What the brand name is registered for."""

    GOVERNMENT = "government"
    CARE = "care"
    ADVERTISING = "advertising"
    """Bulletins only, and by day: no warning may wait for the morning."""


@dataclass(frozen=True)
class Rules:
    """One contract's. Raises ValueError naming the field that is wrong."""

    kind: BrandClass = BrandClass.GOVERNMENT
    opening: str = ""
    """What every text must begin with, the brand name on some routes; a blank follows it."""
    banned: str = ""
    """Characters that the carrier refuses (often # and &): a blank stands in for each."""
    reserved: int = 0
    """Units that the carrier's own words take of each text: 38 for the usual mark of advertising."""

    def __post_init__(self) -> None:
        if not 0 <= self.reserved <= 100 or len(self.opening) > 40:  # noqa: PLR2004
            raise ValueError("rules: reserved is 0 to 100 units, opening at most 40 characters")
        if set(self.opening) & set(self.banned):
            raise ValueError("rules: opening holds a banned character")

    def cleaned(self, text: str) -> str:
        """The text without what the carrier refuses."""
        return text.translate(dict.fromkeys(map(ord, self.banned), " ")) if self.banned else text

    def carries(self, lane: Lane) -> bool:
        """Whether messages of the lane may go out under it at all."""
        return self.kind is not BrandClass.ADVERTISING or lane is Lane.BULLETIN

    def opens(self, at: datetime) -> datetime:
        """`at` (aware) where it may go out then, else the next instant (UTC) at which it may."""
        local = at.astimezone(HANOI)
        if self.kind is not BrandClass.ADVERTISING or _FROM <= local.time() < _UNTIL:
            return at
        day = local.date() + timedelta(days=local.time() >= _UNTIL)
        return datetime.combine(day, _FROM, HANOI).astimezone(UTC)
