"""When a screen is on: within these hours silence is a fault, beyond them it is night."""

from datetime import datetime, time, timedelta
from typing import NamedTuple

from schemas.local_time import HANOI


class Hours(NamedTuple):
    """Local times; all day where one is absent. Where it closes before it opens, it closes the next day."""

    opens: time | None = None
    closes: time | None = None

    def opened(self, at: datetime) -> datetime | None:
        """The instant since which it is on without a break; None while it is off.

        The earliest instant there is for one that is always on.
        """
        if self.opens is None or self.closes is None or self.opens == self.closes:
            return datetime.min.replace(tzinfo=at.tzinfo)
        local = at.astimezone(HANOI)
        for day in (local.date(), local.date() - timedelta(days=1)):
            start = datetime.combine(day, self.opens, HANOI)
            end_day = day if self.closes > self.opens else day + timedelta(days=1)
            if start <= local < datetime.combine(end_day, self.closes, HANOI):
                return start.astimezone(at.tzinfo)
        return None


ALL_DAY = Hours()
