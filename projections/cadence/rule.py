"""The duty to inform regularly, as a pure function of instants.

Telegram 05/CĐ-UBND §1d (city bodies) and §8b (districts and communes): "thường xuyên (tối thiểu 03
ngày 01 tin), đột xuất", at least one item in 3 days. It does not say whether days are those of the
calendar or of 24 hours, hence two readings.
"""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from schemas.local_time import HANOI

PERIOD = timedelta(days=3)
SOON = timedelta(hours=24)
DAY = timedelta(days=1)


class Reading(StrEnum):
    """What "3 days" means."""

    CALENDAR = "calendar"
    """Each 3 consecutive whole days of Hanoi's calendar hold at least one item."""
    ROLLING = "rolling"
    """No 72 hours pass without one."""


class State(StrEnum):
    """Where a body stands."""

    OK = "ok"
    DUE_SOON = "due_soon"
    """Within 24 hours of being overdue."""
    OVERDUE = "overdue"


def due_at(last_item: datetime | None, duty_since: datetime, reading: Reading) -> datetime:
    """The instant (UTC) from which the body is overdue unless it issues before.

    The duty starts afresh at `duty_since`: an item older than that changes nothing. All instants
    are aware.
    """
    if reading is Reading.ROLLING:
        since = duty_since if last_item is None else max(last_item, duty_since)
        return since.astimezone(UTC) + PERIOD
    counted = _first_whole_day(duty_since)
    if last_item is not None:
        counted = max(counted, _day(last_item) + DAY)
    return _midnight(counted + PERIOD)


def state(due: datetime, at: datetime) -> State:
    """Where a body stands at an instant; overdue from `due` sharp."""
    if at >= due:
        return State.OVERDUE
    return State.DUE_SOON if at >= due - SOON else State.OK


def _day(instant: datetime) -> date:
    return instant.astimezone(HANOI).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, HANOI).astimezone(UTC)


def _first_whole_day(since: datetime) -> date:
    # A duty that begins at midnight sharp counts that very day; later, the day is no longer whole.
    day = _day(since)
    return day if since == _midnight(day) else day + DAY
