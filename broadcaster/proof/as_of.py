"""What stood at an instant: a fold over the log up to the last event recorded by then.

Pure but for `position_at` and `recorded`, which read the log. The fold says what the log said at
that instant, not what we know now: an end that was recorded late had not been recorded yet, and
`overdue` tells it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile
from uuid import UUID

from broadcaster.lifecycle import Life
from broadcaster.log import AlertLog
from schemas.content import Content
from schemas.events import (
    AlertApproved,
    AlertCancelled,
    AlertDrafted,
    AlertEvent,
    AlertExpired,
    AlertIssued,
    AlertPreApproved,
    AlertRejected,
    AlertReturned,
    AlertRevised,
    AlertScheduled,
    AlertSubmitted,
    AlertUnscheduled,
    AlertUpdateProposed,
    AudienceFrozen,
    Recorded,
)

TOPICS = (*(kind.TOPIC for kind in AlertEvent.__args__), AudienceFrozen.TOPIC)
"""All the fold needs."""
_PAGE = 2000


@dataclass(frozen=True)
class Hands:
    """Whose hands one version went through, by account, and the delegation it stood on, if any."""

    drafted_by: str
    revised_by: tuple[str, ...] = ()
    submitted_by: str | None = None
    approved_by: str | None = None
    issued_by: str | None = None
    delegation_id: UUID | None = None

    def after(self, event: "HandsEvent") -> "Hands":
        """After an event that changes whose hands they are, and nothing else."""
        who = event.by.account
        match event:
            case AlertSubmitted(delegation_id=given):
                return replace(self, submitted_by=who, delegation_id=given)
            case AlertReturned():
                return replace(self, submitted_by=None, approved_by=None, delegation_id=None)
            case AlertApproved():
                return replace(self, approved_by=who)
            case AlertPreApproved(approved_by=approver):
                return replace(self, approved_by=approver)
            case AlertUpdateProposed():
                return Hands(who)


HandsEvent = AlertSubmitted | AlertReturned | AlertApproved | AlertPreApproved | AlertUpdateProposed


@dataclass(frozen=True)
class Standing:
    """One alert at an instant. Before its first issue it tells of the version in work."""

    alert_id: UUID
    issuer_id: str
    life: Life
    version: int
    headline: str
    areas: tuple[str, ...]
    """Codes of `edition`."""
    hands: Hands
    effective_at: datetime | None = None
    expires_at: datetime | None = None
    overdue: bool = False
    """Live in the log, though its time was up: the end was not recorded yet."""
    ended_by: str | None = None
    edition: str | None = None
    """Of the area register; None in a log of old, of an alert that was not issued yet."""
    audiences: dict[str, int] = field(default_factory=dict[str, int])
    """How many people the version that is out was for, by channel; a channel not yet frozen is absent."""


@dataclass(frozen=True)
class Stood:
    """What stood: the live alerts, or the one that was asked for, by alert id."""

    at: datetime
    alerts: tuple[Standing, ...]


@dataclass(frozen=True)
class _Track:
    """An alert while the fold goes on: what it shows, and who works on its next version."""

    shown: Standing
    work: Hands

    def after(self, event: AlertEvent) -> "_Track":
        """After any event but the first."""
        who = event.by.account
        match event:
            case AlertRevised(content=content):
                revised = (*self.work.revised_by, who)
                return replace(
                    self._worded(content, event.edition), work=replace(self.work, revised_by=revised)
                )
            case (
                AlertSubmitted()
                | AlertReturned()
                | AlertApproved()
                | AlertPreApproved()
                | AlertUpdateProposed()
            ):
                return replace(self, work=self.work.after(event))
            case AlertScheduled() | AlertUnscheduled():
                return self
            case AlertRejected():
                return self._rejected(who)
            case AlertIssued():
                return replace(self, shown=self._issued(event))
            case AlertCancelled():
                return replace(self, shown=replace(self.shown, life=Life.CANCELLED, ended_by=who))
            case AlertExpired():
                return replace(self, shown=replace(self.shown, life=Life.EXPIRED, ended_by=who))
            case AlertDrafted():
                raise AssertionError("an alert is drafted once")

    def _rejected(self, who: str) -> "_Track":
        """A first version that is turned down ends its alert; what is out stays as it is."""
        if self.shown.life is not Life.NEW:
            return self
        ended = replace(self.shown, life=Life.REJECTED, hands=self.work, ended_by=who)
        return replace(self, shown=ended)

    def seen(self) -> Standing:
        """As it is shown: before the first issue, with the hands of the version in work."""
        return replace(self.shown, hands=self.work) if self.shown.life is Life.NEW else self.shown

    def _worded(self, content: Content, edition: str | None) -> "_Track":
        """What is in work shows only while nothing is out."""
        if self.shown.life is not Life.NEW:
            return self
        headline = content.text("vi").headline
        worded = replace(self.shown, headline=headline, areas=content.areas, edition=edition)
        return replace(self, shown=worded)

    def _issued(self, event: AlertIssued) -> Standing:
        return replace(
            self.shown,
            life=Life.LIVE,
            version=event.version,
            headline=event.content.text("vi").headline,
            areas=event.content.areas,
            edition=event.edition,
            hands=replace(self.work, issued_by=event.by.account, delegation_id=event.delegation_id),
            effective_at=event.effective_at,
            expires_at=event.expires_at,
        )


def as_of(events: Iterable[Recorded], at: datetime, alert_id: UUID | None = None) -> Stood:
    """What stood at `at` (inclusive). `events` in order of position; none after `at` is looked into.

    Without `alert_id` the live alerts; with it that alert in whatever state, or none.
    """
    tracks: dict[UUID, _Track] = {}
    audiences: dict[tuple[UUID, int], dict[str, int]] = {}
    for _, _, event in takewhile(lambda one: one.recorded_at <= at, events):
        if isinstance(event, AudienceFrozen):
            counts = audiences.setdefault((event.alert_id, event.version), {})
            before = counts.get(event.channel.value, 0) if event.wave else 0
            counts[event.channel.value] = before + event.added
        elif isinstance(event, AlertDrafted):
            tracks[event.originator_id] = _drafted(event)
        elif isinstance(event, AlertEvent):
            tracks[event.originator_id] = tracks[event.originator_id].after(event)
    standings = (
        replace(
            seen,
            overdue=seen.life is Life.LIVE and seen.expires_at is not None and seen.expires_at <= at,
            audiences=audiences.get((seen.alert_id, seen.version), {}),
        )
        for seen in (tracks[each].seen() for each in sorted(tracks))
        if (seen.life is Life.LIVE if alert_id is None else seen.alert_id == alert_id)
    )
    return Stood(at, tuple(standings))


def _drafted(event: AlertDrafted) -> _Track:
    hands, content = Hands(event.by.account), event.content
    headline = content.text("vi").headline
    shown = Standing(
        event.originator_id,
        event.issuer_id,
        Life.NEW,
        1,
        headline,
        content.areas,
        hands,
        edition=event.edition,
    )
    return _Track(shown, hands)


# --- from the log -------------------------------------------------------------------------------


def recorded(log: AlertLog) -> Iterator[Recorded]:
    """The events the fold needs, in order, read only as far as it asks."""
    after = 0
    while page := log.read(after, _PAGE, TOPICS):
        yield from page
        after = page[-1].position


def position_at(log: AlertLog, at: datetime) -> tuple[int, str]:
    """The last position recorded at or before `at` and its chain (hex); 0 where there was none.

    Positions have no gaps and `recorded_at` never runs back, so it is found by halving.
    """
    low, high, chain = 0, log.head(), bytes(32)
    while low < high:
        middle = (low + high + 1) // 2
        row = log.chain.rows(middle - 1, 1)[0]
        if row.recorded_at <= at:
            low, chain = middle, row.chain
        else:
            high = middle - 1
    return low, chain.hex()
