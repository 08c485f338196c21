"""The duty to inform regularly, as a pure function of instants.

Telegram 05/CĐ-UBND §1d (city bodies) and §8b (districts and communes): "thường xuyên (tối thiểu 03
ngày 01 tin), đột xuất", at least one item in 3 days. It does not say whether days are those of the
calendar or of 24 hours, hence two readings.
"""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache

from schemas.cadence import Reading
from schemas.local_time import HANOI

__all__ = ["DAY", "SOON", "Reading", "State", "due_at", "first_whole_day", "local_day", "midnight", "state"]

SOON = timedelta(hours=24)
DAY = timedelta(days=1)


class State(StrEnum):
    """Where a body stands."""

    OK = "ok"
    DUE_SOON = "due_soon"
    """Within 24 hours of being overdue."""
    OVERDUE = "overdue"
    EXEMPT = "exempt"


def due_at(last_item: datetime | None, duty_since: datetime, reading: Reading, days: int = 3) -> datetime:
    """The instant (UTC) from which the body is overdue unless it issues before.

    The duty starts afresh at `duty_since`: an item older than that changes nothing. All instants
    are aware; `days` is the interval, 1 or more. In either reading it is at least `days` times 24
    hours after the later of the two.
    """
    if reading is Reading.ROLLING:
        since = duty_since if last_item is None else max(last_item, duty_since)
        return since.astimezone(UTC) + days * DAY
    counted = first_whole_day(duty_since)
    if last_item is not None:
        counted = max(counted, local_day(last_item) + DAY)
    return midnight(counted + days * DAY)


def state(due: datetime, at: datetime) -> State:
    """Where a body that owes stands at an instant; overdue from `due` sharp."""
    if at >= due:
        return State.OVERDUE
    return State.DUE_SOON if at >= due - SOON else State.OK


def local_day(instant: datetime) -> date:
    """The day of Hanoi's calendar that it falls on."""
    return instant.astimezone(HANOI).date()


@lru_cache(maxsize=4096)
def midnight(day: date) -> datetime:
    """The first instant of that day in Hanoi, UTC."""
    return datetime.combine(day, time.min, HANOI).astimezone(UTC)


@lru_cache(maxsize=4096)
def first_whole_day(since: datetime) -> date:
    """The first day of Hanoi's calendar that lies wholly after it.

    A duty that begins at midnight sharp counts that very day; later, the day is no longer whole.
    """
    day = local_day(since)
    return day if since == midnight(day) else day + DAY
