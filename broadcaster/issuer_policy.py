"""What a body decides for itself about bulletins: how many people, and at what hours."""

from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from schemas.content import Content, Kind
from schemas.events import IssuerPolicySet
from schemas.local_time import HANOI

QUIET_FROM, QUIET_UNTIL = time(22, 0), time(6, 0)


class Policy(NamedTuple):
    """Alerts are never subject to it: they take two people, and wait for no morning."""

    one_person_bulletins: bool = False
    quiet_from: time | None = QUIET_FROM
    """Local time of day from which bulletins wait; None where there are no quiet hours."""
    quiet_until: time | None = QUIET_UNTIL

    @staticmethod
    def of(event: IssuerPolicySet) -> "Policy":
        """As it was set."""
        return Policy(event.one_person_bulletins, event.quiet_from, event.quiet_until)

    def one_person(self, content: Content) -> bool:
        """Whether whoever wrote it may approve it too."""
        return self.one_person_bulletins and content.kind is Kind.BULLETIN

    def held_until(self, content: Content, at: datetime) -> datetime | None:
        """The end (UTC) of the quiet hours that `at` lies in; None where it may go out at `at`.

        The hours begin at `quiet_from` sharp and are over at `quiet_until` sharp, in Hanoi's time,
        which knows no summer time. They may run over midnight; equal ends are no hours at all.
        """
        if content.kind is not Kind.BULLETIN or self.quiet_from is None or self.quiet_until is None:
            return None
        local = at.astimezone(HANOI)
        now, day = local.time(), local.date()
        if self.quiet_from <= self.quiet_until:
            held = self.quiet_from <= now < self.quiet_until
        else:
            held = now >= self.quiet_from or now < self.quiet_until
            if now >= self.quiet_from:
                day += timedelta(days=1)
        return datetime.combine(day, self.quiet_until, HANOI).astimezone(UTC) if held else None
