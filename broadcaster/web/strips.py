"""The last days of a body as a strip: one cell a day of Hanoi's calendar, drawn as paths of an SVG."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from projections.cadence.rule import DAY, local_day, midnight
from projections.cadence.standing import Breach

DAYS = 30
CELL, WIDE, HIGH = 8, 6, 12
"""From one cell to the next, and the size of one, in units of the drawing."""


class Cell(StrEnum):
    """What a day was."""

    ITEM = "item"
    """An item that counts was issued."""
    OVERDUE = "late"
    """None was, and the body was overdue for some of it."""
    QUIET = "rest"


@dataclass(frozen=True)
class Strip:
    """A row of days, the oldest first."""

    since: date
    cells: tuple[Cell, ...]
    overdue: frozenset[date]
    """Days of which some part was overdue, whatever was issued on them."""

    @property
    def width(self) -> int:
        """Of the drawing."""
        return CELL * len(self.cells) - (CELL - WIDE)

    @property
    def items(self) -> int:
        """Days with an item."""
        return self.cells.count(Cell.ITEM)

    @property
    def late(self) -> int:
        """Days overdue, on which nothing was issued."""
        return self.cells.count(Cell.OVERDUE)

    @property
    def paths(self) -> tuple[tuple[str, str], ...]:
        """Each kind of cell, and the path that draws all of its cells; kinds without a day are absent."""
        found: dict[Cell, list[str]] = {}
        for number, cell in enumerate(self.cells):
            found.setdefault(cell, []).append(f"M{number * CELL} 0h{WIDE}v{HIGH}h-{WIDE}z")
        return tuple((cell.value, "".join(parts)) for cell, parts in found.items())


def since_of(at: datetime, days: int = DAYS) -> datetime:
    """The beginning of the strip whose last day is that of `at`."""
    return midnight(local_day(at) - (days - 1) * DAY)


def strip(items: Iterable[datetime], gaps: Sequence[Breach], at: datetime, days: int = DAYS) -> Strip:
    """The days up to that of `at`. `items` are the instants of those that count."""
    first = local_day(at) - (days - 1) * DAY
    issued = {local_day(each) for each in items}
    late: set[date] = set()
    for gap in gaps:
        day = max(first, local_day(gap.since))
        # A breach that ends at midnight sharp did not touch the day that begins there.
        last = local_day(gap.until - timedelta.resolution)
        while day <= last:
            late.add(day)
            day += DAY
    return Strip(
        first,
        tuple(
            Cell.ITEM if day in issued else Cell.OVERDUE if day in late else Cell.QUIET
            for day in (first + number * DAY for number in range(days))
        ),
        frozenset(late),
    )
